# SPDX-License-Identifier: MIT
"""Sends mutated requests to the running service, and checks every byte of its responses.

request_fuzz.py HTTP_SERVICE WEIGHTS IMAGE [--seconds N] [--seed N]
HTTP_SERVICE should be built with AddressSanitizer. Fails if the service stops answering or ends with an error, if a
response is no HTTP, or if a body is anything but an answer, a refusal, the metrics or a part of the page: memory that
leaks into a response is none of them. The service watches accounts, by turns in memory and in a Redis that is away.
"""

import argparse
import json
import pathlib
import random
import re
import socket
import tempfile
import time

from request_mutations import Mutator
from running import fetch, free_port, service

SOURCES = pathlib.Path(__file__).parent
MAX_BODY = 4096
PAGES = ("", "page.js", "page.css", "healthz", "v2", "v2/health/live", "v2/health/ready", "v2/models/fashion_mnist",
         "v2/models/fashion_mnist/ready")
FIELDS = {"Accept-Ranges", "Allow", "Cache-Control", "Connection", "Content-Length", "Content-Security-Policy",
          "Content-Type", "Keep-Alive", "X-Content-Type-Options"}
METRICS = re.compile(rb"(# (HELP|TYPE) chaff_\w+ [\w .]+\n|chaff_\w+(\{le=\"[\w.+-]+\"\})? [0-9.e+-]+\n)+")


def refusals():
    """The body of each refusal that the source has, in both forms, and the statuses that it may come with."""
    found = re.findall(r'\{(\d{3}),\s*"(\w+)",\s*"([^"]+)"\}', "".join(p.read_text() for p in SOURCES.rglob("*.hpp")))
    statuses = {}
    for status, code, message in found:
        for error in ({"code": code, "message": message}, message):
            body = json.dumps({"error": error}, separators=(",", ":")).encode() + b"\n"
            statuses.setdefault(body, set()).add(int(status))
    return statuses


def is_answer(body):
    try:
        answer = json.loads(body)
    except ValueError:
        return False
    if list(answer) != ["label", "class", "probabilities"] or body != json.dumps(answer, separators=(",", ":")).encode() + b"\n":
        return False
    row = answer["probabilities"]
    return len(row) == 10 and abs(sum(row) - 1) < 1e-9 and row[answer["class"]] == max(row) and len(answer["label"]) < 10


INFERENCE = re.compile(rb'\{"model_name":"fashion_mnist","model_version":"1",("id":"[\w.:-]{1,128}",)?"outputs":\[\{"name":'
                       rb'"probabilities","datatype":"FP32","shape":\[\d+,10\],"data":\[[0-9.e,-]+\]\}\]\}\n')


def is_inference(body):
    """Probabilities alone, whatever the request wanted."""
    if not INFERENCE.fullmatch(body):
        return False
    (output,) = json.loads(body)["outputs"]
    data = output["data"]
    return len(data) == 10 * output["shape"][0] and min(data) >= 0 and all(abs(sum(data[i:i + 10]) - 1) < 1e-5
                                                                           for i in range(0, len(data), 10))


class Checker:
    """Checks the responses to the bytes of one connection; raises AssertionError."""

    def __init__(self, pages):
        self.pages, self.refusals, self.statuses = pages, refusals(), {}

    def check(self, sent, received):
        count = 0
        while received:
            head, end, rest = received.partition(b"\r\n\r\n")
            assert end, "a head without an end"
            lines = head.decode("ascii").split("\r\n")
            status = int(re.fullmatch(r"HTTP/1\.1 (\d{3}) [\w -]*", lines[0]).group(1))
            self.statuses[status] = self.statuses.get(status, 0) + 1
            if status == 100:
                assert len(lines) == 1 and b"xpect" in sent.lower(), "an interim response that was not expected"
                received = rest
                continue
            names = [line.split(": ")[0] for line in lines[1:]]
            fields = dict(line.split(": ", 1) for line in lines[1:])
            assert len(fields) == len(names) and set(names) <= FIELDS, f"fields are {names}"
            assert fields["Accept-Ranges"] == "none", "ranges are offered"
            length = int(fields["Content-Length"])
            assert 0 < length <= MAX_BODY, f"a body of {length} bytes"
            # a response to HEAD has the length of a body that is not sent
            is_head = b"HEAD" in sent and (not rest or rest.startswith(b"HTTP/1.1 "))
            body, received = (b"", rest) if is_head else (rest[:length], rest[length:])
            assert is_head or len(body) == length, f"{len(body)} bytes of {length}"
            if body:
                self.check_body(status, body)
            count += 1
        assert count <= sent.count(b"\r\n\r\n") + 1, f"{count} responses"

    def check_body(self, status, body):
        if status == 200:
            assert body in self.pages or METRICS.fullmatch(body) or is_answer(body) or is_inference(body), f"an unknown body: {body!r}"
        else:
            assert status in self.refusals.get(body, ()), f"an unknown refusal {status}: {body!r}"


def exchange(address, pieces, half_close):
    """Sends the pieces, and returns what comes until the service ends the connection."""
    received = b""
    with socket.create_connection(address, timeout=20) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for piece in pieces:
                client.sendall(piece)
            if half_close:
                client.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the service may refuse, and end the connection, before everything is sent
        while part := client.recv(1 << 16):
            received += part
            assert len(received) < 64 * MAX_BODY, "a response without end"
    return received


def account_options(folder, is_in_redis):
    """Options of the service that watch accounts by X-Account; images of random bytes soon flag one."""
    (folder / "scores.csv").write_text("".join(f"{0.999 + i / 1e6}\n" for i in range(999)))
    (folder / "key").write_text("000102030405060708090a0b0c0d0e0f")
    options = ["--account-header", "X-Account", "--benign-scores", str(folder / "scores.csv"), "--max-accounts", "1000",
               "--account-key-file", str(folder / "key")]
    # no Redis listens on a port that was free a moment ago
    return options + (["--accounts", f"redis://127.0.0.1:{free_port()}"] if is_in_redis else [])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("weights")
    parser.add_argument("image")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}", flush=True)
    rng = random.Random(seed)
    images = [pathlib.Path(options.image).read_bytes(), bytes(784)]
    images += [path.read_bytes() for path in sorted((SOURCES / "test_data").glob("*.png"))]
    mutator = Mutator(rng, images)
    with tempfile.TemporaryDirectory() as folder, \
            service(options.program, options.weights, "--timeout", "1", "--connections", "8",
                    *account_options(pathlib.Path(folder), rng.random() < 0.5)) as url:
        host, port = re.fullmatch(r"http://([\d.]+):(\d+)/", url).groups()
        checker = Checker({fetch(url + path)[2] for path in PAGES})
        start, connections, requests = time.monotonic(), 0, 0
        while time.monotonic() - start < options.seconds:
            sent = mutator.requests()
            cuts = sorted(rng.randrange(len(sent) + 1) for _ in range(rng.choice((0, 0, 0, 1, 3))))
            pieces = [sent[a:b] for a, b in zip([0] + cuts, cuts + [len(sent)])]
            try:
                # without its end the service may wait for more, until its timeout of a second
                received = exchange((host, int(port)), pieces, half_close=rng.random() < 0.9998)
                checker.check(sent, received)
                if connections % 100 == 0:
                    assert fetch(url + "healthz")[2] == b'{"status":"ok"}\n', "the service is not healthy"
            except Exception:
                print(f"after {connections} connections, for {len(sent)} bytes: {sent[:2000]!r}", flush=True)
                raise
            connections += 1
            requests += max(1, sent.count(b"\r\n\r\n"))
        seconds = time.monotonic() - start
    print(f"{requests} requests on {connections} connections in {seconds:.0f} s; responses by status: "
          f"{dict(sorted(checker.statuses.items()))}")


if __name__ == "__main__":
    main()
