# SPDX-License-Identifier: MIT
"""Requests a second through nginx with the defense and without it, alternating in one run.

nginx_load.py LIBCHAFF FOLDER CSV [ROUNDS [SECONDS]]
Needs wrk. The model server is an nginx that always sends the same logits, one row of 10 or of 1000 classes. Writes a line
a round to CSV, and prints medians.
"""

import json
import pathlib
import random
import re
import statistics
import subprocess
import sys
import tempfile

from gateway import SOURCES, as_f32, nginx

sys.path.append(str(SOURCES.parent / "http_service"))
from load import cpu  # the other example's: the processor's name

KINDS = ("without", "with")


def requests_a_second(address, seconds):
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write('wrk.method = "POST"\nwrk.body = \'{"id":"1","inputs":[{"name":"x","datatype":"FP32","shape":[1],'
                     '"data":[1]}]}\'\n')
        script.flush()
        out = subprocess.run(["wrk", "-t1", "-c8", f"-d{seconds}s", "-s", script.name,
                              f"http://127.0.0.1:{address}/v2/models/static/infer"], check=True, capture_output=True,
                             text=True, timeout=seconds + 30).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        raise SystemExit(f"load: not every request was answered:\n{out}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))


def main():
    library, folder, csv = sys.argv[1:4]
    rounds, seconds = (int(n) for n in (sys.argv[4:6] + ["7", "4"][len(sys.argv[4:6]):]))
    folder = pathlib.Path(folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=SOURCES, capture_output=True, text=True).stdout.strip()
    lines = []
    for classes in (10, 1000):
        rng = random.Random(classes)
        logits = ",".join("%.9g" % as_f32(rng.gauss(0, 2)) for _ in range(classes))
        body = ('{"model_name":"static","model_version":"1","id":"1","outputs":[{"name":"logits","datatype":"FP32",'
                '"shape":[1,%d],"data":[%s]}]}' % (classes, logits))
        assert len(json.loads(body)["outputs"][0]["data"]) == classes
        (folder / "response.json").write_text(body)
        values = {"RESPONSE": folder / "response.json", "MODEL_SERVER": "127.0.0.1:1"}
        models = '{ static = { output = "logits", classes = %d, defense = "dcp(beta=1.2)" } }' % classes
        with nginx(folder / "model", values, "nginx_load.conf") as model:
            server = f"127.0.0.1:{model}"
            with nginx(folder / "without", values | {"MODEL_SERVER": server}, "nginx_load.conf") as without, \
                    nginx(folder / "with", {"CHAFF_LIBRARY": library, "MODELS": models,
                                            "MODEL_SERVERS": f"server {server};"}) as defended:
                ports = dict(zip(KINDS, (f"{without}/proxied", defended)))
                for i in range(rounds):
                    for kind in KINDS[::1 if i % 2 == 0 else -1]:
                        lines.append((classes, i + 1, kind, requests_a_second(ports[kind], seconds)))
                        print("%d classes, round %d, %s the defense: %.0f requests/s" % lines[-1], flush=True)
    with open(csv, "w") as out:
        out.write(f"# {cpu()}; commit {commit}; wrk -t1 -c8 -d{seconds}s, two nginx and the model server on the same "
                  "machine, one worker each, gate always open (beta 1.2); alternating\n"
                  "classes,round,defense,requests_per_second\n")
        for line in lines:
            out.write("%d,%d,%s,%.1f\n" % line)
    for classes in (10, 1000):
        without, defended = (statistics.median(rate for n, _, k, rate in lines if n == classes and k == kind) for kind in KINDS)
        print(f"median, {classes} classes: {without:.0f} requests/s without the defense, {defended:.0f} with it: "
              f"{100 * defended / without:.1f} %, {1e6 / defended - 1e6 / without:.0f} us a request")


if __name__ == "__main__":
    main()
