# SPDX-License-Identifier: MIT
"""Starts services for tests and measurements, and ends what it started."""

import contextlib
import socket
import subprocess
import urllib.error
import urllib.request


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def end(process):
    """Ends a process, by force if it takes more than 30 seconds, which an instrumented one may on a busy machine."""
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def running(command, ready="http://", **options):
    """A process that is ready once it prints a line with `ready`; yields that line."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)
    try:
        for line in process.stdout:
            if ready in line:
                break
        else:
            raise RuntimeError(f"{command[0]} ended with {process.wait()}")
        yield line.strip()
    finally:
        end(process)
    if process.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}")


def service(program, weights, *options, **more):
    """The service on a free port; yields its address."""
    return running([program, weights, "--port", "0", *options], **more)


def fetch(url, body=None, headers={}):
    """Status, headers and body of a GET, or of a POST of a body."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=body, headers=headers), timeout=10) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def expect(condition, what):
    if not condition:
        raise SystemExit(f"failed: {what}")
