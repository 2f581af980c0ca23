# SPDX-License-Identifier: MIT
"""Two replicas and one Redis, which ends, hangs and starts again under load: no query waits or is lost.

accounts_test.py HTTP_SERVICE WEIGHTS IMAGE FOLDER
"""

import contextlib
import math
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time

from running import end, expect, fetch, free_port, service

PASSWORD = "hunter2-of-redis"
DRIFT = 6.9  # of the replicas under load
STEP = math.log(1000) - DRIFT  # what a query of the largest surprise adds there
NAMES = [f"very-secret-name-{i}" for i in range(20)]
SLOWEST_SECONDS = 2  # 0.1 is what the service guarantees; the rest is for a busy machine


def redis_command(port, *words):
    """The reply to a command, as bytes; a bulk string without its length."""
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        client.settimeout(10)
        for command in (("AUTH", PASSWORD), words):
            client.sendall(b"*%d\r\n" % len(command) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word.encode()) for word in command))
            reply = client.recv(1 << 20)
        return reply.split(b"\r\n", 1)[1][:-2] if reply.startswith(b"$") else reply


class Redis:
    """A Redis on a port of its own, that keeps its data when it ends."""

    def __init__(self, folder, port):
        self.command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--requirepass", PASSWORD, "--dir",
                        str(folder), "--save", "", "--appendonly", "yes", "--appendfsync", "always", "--daemonize", "no"]
        self.port, self.process = port, None

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL)
        for _ in range(500):
            expect(self.process.poll() is None, "redis-server ended")
            with contextlib.suppress(OSError):
                if b"PONG" in redis_command(self.port, "PING"):
                    return
            time.sleep(0.02)
        raise SystemExit("failed: redis-server does not answer")

    def send(self, number):
        self.process.send_signal(number)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.send(signal.SIGCONT)
            end(self.process)


def metric(address, name):
    return float(re.search(rf"^{name} (\S+)$", fetch(address + "metrics")[2].decode(), re.M)[1])


def wait_for(condition, what):
    for _ in range(500):
        if condition():
            return
        time.sleep(0.02)
    raise SystemExit(f"failed: {what}")


def post(address, image, name):
    return fetch(address + "v1/classify", image, {"X-Account": name})[0]


class Load:
    """Sends an image again and again, each time for another account, until it is left."""

    def __init__(self, addresses, image):
        self.addresses, self.image, self.stopping = addresses, image, threading.Event()
        self.queries, self.statuses, self.slowest, self.lock = 0, set(), 0.0, threading.Lock()
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(4)]

    def run(self, index):
        while not self.stopping.is_set():
            with self.lock:
                count, self.queries = self.queries, self.queries + 1
            start = time.monotonic()
            status = post(self.addresses[index % 2], self.image, NAMES[count % len(NAMES)])
            with self.lock:
                self.slowest = max(self.slowest, time.monotonic() - start)
                self.statuses.add(status)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error):
        self.stopping.set()
        for thread in self.threads:
            thread.join(30)


def evidence_in_redis(port, program, key_file):
    total = 0
    for name in NAMES:
        key = subprocess.run([program, "--redis-key-of", name, "--account-key-file", key_file], check=True,
                             capture_output=True, text=True).stdout.strip()
        total += float(redis_command(port, "GET", key) or 0)
    return total


def main():
    program, weights, image, work = sys.argv[1:]
    image = pathlib.Path(image).read_bytes()
    folder = pathlib.Path(work).resolve() / "accounts"
    folder.mkdir(exist_ok=True)
    for left in folder.glob("appendonlydir/*"):
        left.unlink()
    scores, key_file, log = folder / "scores.csv", folder / "key", folder / "log"
    # more confident than the shirt, whose surprise is log(1000): each shirt raises the evidence by log(1000) - drift
    scores.write_text("".join(f"{0.95 + 0.05 * i / 999}\n" for i in range(999)))
    key_file.write_text("000102030405060708090a0b0c0d0e0f\n")
    redis = Redis(folder, free_port())
    options = ["--account-header", "X-Account", "--benign-scores", str(scores), "--account-key-file", str(key_file)]
    # the password is in the environment, where no other user sees it
    environment = {**os.environ, "CHAFF_ACCOUNTS": f"redis://:{PASSWORD}@127.0.0.1:{redis.port}"}
    replicas = lambda file, *more: (service(program, weights, *options, *more, env=environment, stderr=file) for _ in range(2))
    try:
        redis.start()
        with log.open("w") as file:
            first, second = replicas(file)
            with first as one, second as two:
                for address in (one, two):
                    wait_for(lambda: metric(address, "chaff_redis_up") == 1, "Redis is not used")
                got = [post((one, two)[i % 2], image, "alternating") for i in range(6)]
                expect(got == [200] * 4 + [403] * 2, f"replicas together answered {got}")
                got = [post(one, image, "on one") for _ in range(6)]
                expect(got == [200] * 4 + [403] * 2, f"one replica answered {got}")
                # an operator forgives
                key = subprocess.run([program, "--redis-key-of", "alternating", "--account-key-file", str(key_file)],
                                     check=True, capture_output=True, text=True).stdout.strip()
                expect(redis_command(redis.port, "DEL", key) == b":1\r\n", "the key is not that of the account")
                expect(post(two, image, "alternating") == 200, "a forgiven account is refused")
                redis.stop()
                wait_for(lambda: metric(one, "chaff_redis_up") == 0, "a Redis that ended is up")
                got = [post(one, image, "while away") for _ in range(5)]
                expect(got == [200] * 4 + [403], f"without Redis a replica answered {got}")
                redis.start()
                wait_for(lambda: metric(one, "chaff_redis_up") == 1 and metric(one, "chaff_accounts_unmerged") == 0,
                         "Redis does not come back")
                wait_for(lambda: metric(two, "chaff_redis_up") == 1, "Redis does not come back")
                expect(post(two, image, "while away") == 403, "the other replica does not know the flag")
                expect(post(two, image, "on one") == 403, "a flag is lost with the connection")
            # under load nobody is flagged: no account gets near this threshold
            first, second = replicas(file, "--drift", str(DRIFT))
            with first as one, second as two:
                for address in (one, two):
                    wait_for(lambda: metric(address, "chaff_redis_up") == 1, "Redis is not used")
                before = evidence_in_redis(redis.port, program, str(key_file))
                with Load((one, two), image) as load:
                    for _ in range(2):
                        time.sleep(0.5)
                        redis.stop()
                        time.sleep(0.5)
                        redis.start()
                        time.sleep(0.5)
                        redis.send(signal.SIGSTOP)
                        time.sleep(0.5)
                        redis.send(signal.SIGCONT)
                    time.sleep(0.5)
                expect(load.statuses == {200}, f"under load the service answered {load.statuses}")
                expect(load.slowest < SLOWEST_SECONDS, f"an answer took {load.slowest:.1f} s")
                for address in (one, two):
                    wait_for(lambda: metric(address, "chaff_redis_up") == 1 and metric(address, "chaff_accounts_unmerged") == 0,
                             "what was missed is not merged")
                    expect(metric(address, "chaff_redis_outages_total") >= 2, "Redis was never away")
                # each query adds the same; what was sent and not answered may count twice
                queries = (evidence_in_redis(redis.port, program, str(key_file)) - before) / STEP
                expect(load.queries - 0.5 < queries, f"of {load.queries} queries {queries:.1f} counted")
                print(f"{load.queries} queries counted as {queries:.0f}; the slowest took {1000 * load.slowest:.0f} ms")
                text = fetch(one + "metrics")[2].decode()
        for where, shown in (("the log", log.read_text()), ("the metrics", text), ("Redis", str(redis_command(redis.port, "KEYS", "*")))):
            expect("secret" not in shown and PASSWORD not in shown, f"{where} names accounts or the password")
        expect("unreachable" in log.read_text() and "Redis is back" in log.read_text(), "the log does not tell of the outages")
    finally:
        redis.stop()


if __name__ == "__main__":
    main()
