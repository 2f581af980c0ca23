# SPDX-License-Identifier: MIT
"""What the tests and the measurement share: a running nginx, a model server that misbehaves on demand, a client."""

import contextlib
import json
import pathlib
import re
import socket
import socketserver
import struct
import subprocess
import sys
import threading
import time

SOURCES = pathlib.Path(__file__).parent

sys.path.append(str(SOURCES.parent / "http_service"))
from running import end, free_port  # the other example's


@contextlib.contextmanager
def nginx(folder, values, configuration="nginx.conf"):
    """nginx with a configuration, its placeholders filled in; yields its port."""
    folder = pathlib.Path(folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    text = (SOURCES / configuration).read_text()
    values = {"NGINX_FOLDER": folder, "CHAFF_FOLDER": SOURCES, "WORKERS": 1, "PORT": port, "MAX_RESPONSE_SECONDS": 10, **values}
    text = re.sub("|".join(sorted(values, key=len, reverse=True)), lambda found: str(values[found[0]]),
                  re.sub("(?m)^ *#.*\n", "", text))
    (folder / "nginx.conf").write_text(text)
    process = subprocess.Popen(["/usr/sbin/nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"),
                                "-e", str(folder / "error.log")], stderr=subprocess.PIPE, text=True)
    try:
        for _ in range(100):
            if process.poll() is not None:
                raise RuntimeError(process.stderr.read())
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        else:
            raise RuntimeError("nginx does not listen")
        yield port
    finally:
        end(process)
        process.stderr.close()


class ModelServer(socketserver.ThreadingTCPServer):
    """Responds with any bytes. `respond(head, body)` returns pieces of bytes, and numbers: seconds to wait. A last piece
    of None ends the connection. The heads and bodies of requests are in `requests`."""
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, respond):
        super().__init__(("127.0.0.1", 0), ModelServer.Connection)
        self.respond, self.requests, self.connections = respond, [], 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.server_address[1]

    def __exit__(self, *error):
        self.shutdown()
        super().__exit__(*error)

    def handle_error(self, request, client_address):
        pass  # nginx may end a connection before a response is sent

    class Connection(socketserver.StreamRequestHandler):
        timeout = 20

        def handle(self):
            self.server.connections += 1
            while True:
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    line = self.rfile.readline(1 << 16)
                    if not line:
                        return
                    head += line
                length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
                body = self.rfile.read(int(length[1])) if length else b""
                self.server.requests.append((head, body))
                for piece in self.server.respond(head, body):
                    if piece is None:
                        return
                    if isinstance(piece, (int, float)):
                        time.sleep(piece)
                    else:
                        self.wfile.write(piece)


def response(body, *fields, status="200 OK", length=None, content_type="application/json"):
    """The bytes of a response; a body that is no bytes is written as JSON."""
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *fields]
    if content_type:
        lines.append(f"Content-Type: {content_type}")
    return "".join(line + "\r\n" for line in lines).encode() + b"\r\n" + body


def chunked(body, *fields, size=7, trailer=b""):
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + size]), body[i:i + size]) for i in range(0, len(body), size))
    head = ["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "Content-Type: application/json", *fields]
    return "".join(line + "\r\n" for line in head).encode() + b"\r\n" + chunks + b"0\r\n" + trailer + b"\r\n"


def exchange(port, data, patience=20):
    """What comes back for these bytes until nginx ends the connection."""
    with socket.create_connection(("127.0.0.1", port), patience) as client:
        client.sendall(data)
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while part := client.recv(1 << 16):
                received += part
        return received


def request(method, target, body=b"", *fields, last=True):
    lines = [f"{method} {target} HTTP/1.1", "Host: x", *fields]
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    if last:
        lines.append("Connection: close")
    return "".join(line + "\r\n" for line in lines).encode() + b"\r\n" + body


def split(received):
    """The responses in the bytes received: (status, fields, body) each."""
    every = []
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        lines = head.decode("ascii").split("\r\n")
        fields = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:])}
        length = int(fields.get("content-length", 0))
        every.append((int(lines[0].split()[1]), fields, rest[:length]))
        received = rest[length:]
    return every


def expected(program, kind, classes, defense, policy, logits):
    """chaff::apply_rows of these logits, with the headers alone."""
    code = {"f32": "f", "f64": "d"}[kind]
    raw = subprocess.run([program, kind, str(classes), defense, policy], check=True, capture_output=True,
                         input=struct.pack(f"<{len(logits)}{code}", *logits)).stdout
    return list(struct.unpack(f"<{len(logits)}{code}", raw))


def as_f32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]
