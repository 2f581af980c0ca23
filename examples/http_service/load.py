# SPDX-License-Identifier: MIT
"""Requests a second with and without the defense, alternating in one run.

load.py HTTP_SERVICE WEIGHTS IMAGE CSV [ROUNDS [SECONDS]]
Needs wrk. Writes a line a round to CSV, and prints medians.
"""

import pathlib
import platform
import re
import statistics
import subprocess
import sys
import tempfile

from running import service


def cpu():
    """Name, family and model: a name alone may not tell the generation."""
    text = pathlib.Path("/proc/cpuinfo").read_text()
    fields = [re.search(rf"^{name}\s*: (.*)$", text, re.M) for name in ("model name", "cpu family", "model")]
    return " / ".join(field.group(1) for field in fields if field) or platform.machine()


def requests_a_second(address, image, seconds):
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(f'local file = io.open("{image}", "rb")\nwrk.method = "POST"\nwrk.body = file:read("*a")\n')
        script.flush()
        out = subprocess.run(["wrk", "-t1", "-c8", f"-d{seconds}s", "--latency", "-s", script.name,
                              address + "v1/classify"], check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        raise SystemExit(f"load: not every request was answered:\n{out}")
    unit = {"us": 1e-3, "ms": 1, "s": 1000}
    slowest = re.search(r"99%\s+([\d.]+)(us|ms|s)", out)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)), float(slowest.group(1)) * unit[slowest.group(2)]


def main():
    program, weights, image, csv = sys.argv[1:5]
    rounds, seconds = (int(n) for n in (sys.argv[5:7] + ["7", "5"][len(sys.argv[5:7]):]))
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=pathlib.Path(__file__).parent,
                            capture_output=True, text=True).stdout.strip()
    lines = []
    with service(program, weights, "--undefended") as plain, \
            service(program, weights, "--defense", "dcp(beta=1.2)") as defended:
        for i in range(rounds):
            for name, address in (("undefended", plain), ("defended", defended))[::1 if i % 2 == 0 else -1]:
                rate, slow = requests_a_second(address, image, seconds)
                lines.append((i + 1, name, rate, slow))
                print(f"round {i + 1} of {rounds}, {name}: {rate:.0f} requests/s, 99 % within {slow:.2f} ms", flush=True)
    medians = {name: statistics.median(rate for _, n, rate, _ in lines if n == name) for name in ("undefended", "defended")}
    with open(csv, "w") as out:
        out.write(f"# {cpu()}; commit {commit}; wrk -t1 -c8 -d{seconds}s on the same machine, gate always open (beta "
                  "1.2); alternating\nround,service,requests_per_second,p99_milliseconds\n")
        for line in lines:
            out.write("%d,%s,%.1f,%.3f\n" % line)
    print(f"median: {medians['undefended']:.0f} requests/s undefended, {medians['defended']:.0f} defended: "
          f"{100 * medians['defended'] / medians['undefended']:.1f} %")


if __name__ == "__main__":
    main()
