# SPDX-License-Identifier: MIT
"""Two replicas behind nginx answer one query with the same bytes: the defense keeps no state.

replicas_test.py HTTP_SERVICE WEIGHTS IMAGE FOLDER
"""

import pathlib
import re
import subprocess
import sys
import time

from running import end, expect, fetch, free_port, service


def queries(address):
    return int(re.search(rb"\nchaff_queries_total (\d+)", fetch(address + "metrics")[2]).group(1))


def main():
    program, weights, image, work = sys.argv[1:]
    body = pathlib.Path(image).read_bytes()
    folder = pathlib.Path(work).resolve() / "nginx"
    folder.mkdir(exist_ok=True)
    # perturbed and unperturbed answers alike: the shirt's confidence is below the threshold
    options = ["--defense", "dcp(beta=1.2, tau=0.95)"]
    with service(program, weights, *options) as first, service(program, weights, *options) as second:
        port = free_port()
        text = (pathlib.Path(__file__).parent / "nginx.conf").read_text()
        for name, value in {"NGINX_FOLDER": str(folder), "NGINX_PORT": str(port), "REPLICA_1": first[7:-1],
                            "REPLICA_2": second[7:-1]}.items():
            text = text.replace(name, value)
        (folder / "nginx.conf").write_text(text)
        nginx = subprocess.Popen(["/usr/sbin/nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"),
                                  "-e", str(folder / "error.log")])
        try:
            entry = f"http://127.0.0.1:{port}/"
            for _ in range(100):
                try:
                    if fetch(entry + "healthz")[0] == 200:
                        break
                except OSError:
                    time.sleep(0.05)
            answers = {fetch(entry + "v1/classify", body)[2] for _ in range(40)}
            expect(len(answers) == 1, f"{len(answers)} different answers to one query")
            expect(b'"label":"shirt"' in answers.pop(), "the answer does not name the shirt")
            each = [queries(first), queries(second)]
            expect(sum(each) == 40 and min(each) >= 10, f"the replicas answered {each} of 40 queries")
            expect(fetch(entry + "metrics")[0] == 404, "a client can read the metrics")
            expect(fetch(entry + "v1/classify", b"x" * (2 << 20))[0] == 413, "2 MiB are accepted")
            status, headers, text = fetch(entry + "v1/classify", b"hello")
            expect(status == 415 and b"unknown_format" in text, f"bad input through nginx: {status} {text}")
            print(f"one answer from two replicas ({each[0]} and {each[1]} times)")
        finally:
            end(nginx)


if __name__ == "__main__":
    main()
