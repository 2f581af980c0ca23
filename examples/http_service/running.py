# SPDX-License-Identifier: MIT
"""Starts services for tests and measurements, and ends what it started."""

import contextlib
import subprocess
import urllib.error
import urllib.request


@contextlib.contextmanager
def running(command, ready="http://"):
    """A process that is ready once it prints a line with `ready`; yields that line."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        for line in process.stdout:
            if ready in line:
                break
        else:
            raise RuntimeError(f"{command[0]} ended with {process.wait()}")
        yield line.strip()
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}")


def service(program, weights, *options):
    """The service on a free port; yields its address."""
    return running([program, weights, "--port", "0", *options])


def fetch(url, body=None):
    """Status, headers and body of a GET, or of a POST of a body."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=10) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def expect(condition, what):
    if not condition:
        raise SystemExit(f"failed: {what}")
