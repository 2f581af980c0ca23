# SPDX-License-Identifier: MIT
"""Valid requests, and what an attacker would make of them."""

import json
import struct
import zlib

METHODS = [b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"TRACE", b"PATCH", b"CONNECT", b"PRI", b"get", b"X"]
TARGETS = [b"/", b"/healthz", b"/metrics", b"/page.js", b"/page.css", b"/v1/classify", b"/v1/classify?clean=1", b"/v2",
           b"/v2/health/live", b"/v2/health/ready", b"/v2/models/fashion_mnist", b"/v2/models/fashion_mnist/ready",
           b"/v2/models/fashion_mnist/infer", b"/v2/models/other/infer", b"/v2/", b"*",
           b"http://x/healthz", b"http://x", b"https://x:1/v1/classify", b"/v1%2fclassify", b"/%00", b"/../metrics",
           b"//metrics", b"/healthz#a", b"/a?b?c", b"/?" + b"a=b&" * 500, b"/" + b"a" * 8180, b"x:80", b"/%", b"/%u0041"]
VERSIONS = [b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/0.9", b"HTTP/1.1 ", b"", b"http/1.1"]
FIELDS = {
    b"Range": [b"bytes=0-3000", b"bytes=0-", b"bytes=-1", b"bytes=5-2", b"bytes=-", b"bytes=0-0,-1", b"x", b"",
               b"bytes=" + b"0-," * 1500 + b"0-", b"bytes=99999999999999999999-", b"bytes=9223372036854775807-"],
    b"Content-Length": [b"0", b"1", b"784", b"1048576", b"1048577", b"-1", b"+1", b"0x1", b"1, 1", b"", b"%31",
                        b"9" * 17, b"9" * 18, b"9" * 40],
    b"Transfer-Encoding": [b"chunked", b"Chunked", b"gzip, chunked", b"identity", b"%63hunked", b"\x0bchunked"],
    b"Content-Encoding": [b"gzip", b"br", b"deflate", b"identity"],
    b"Content-Type": [b"image/png", b"multipart/form-data", b"multipart/form-data; boundary=x",
                      b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=" + b"x" * 100],
    b"Expect": [b"100-continue", b"100-CONTINUE", b"x", b""],
    b"Connection": [b"close", b"keep-alive", b"Close, x", b"upgrade", b","],
    b"Host": [b"x", b"", b"a,b", b"127.0.0.1"],
    b"Accept-Encoding": [b"gzip", b"br, gzip", b"*"],
    b"REMOTE_ADDR": [b"127.0.0.1", b"%0d%0aX: y"],
    b"EXCEPTION_WHAT": [b"x"],
    b"X-Forwarded-For": [b"::1"],
    b"If-Range": [b"x"],
    b"Keep-Alive": [b"timeout=999"],
    b"X-Account": [b"a", b"b", b"", b" ", b"a, b", b"a" * 256, b"a" * 257, b"a" * 15000, b"\xff", b"%00", b"a\x00b", b"a\rb",
                   b"18446744073709551616"],
    b"x-account": [b"a"],
    b"Account": [b"1", b"-1", b"x", b"9" * 40],
    b"Authorization": [b"Bearer a", b"Basic x"],
}
# parts of the protocol's JSON, and what may stand in their places
JSON_PARTS = [b'"id"', b'"inputs"', b'"outputs"', b'"image"', b'"UINT8"', b'"shape"', b'"data"', b'"datatype"', b"784", b"[1",
              b'"a-1"', b"0,0,0"]
JSON_VALUES = [b"null", b"[]", b"{}", b"[[", b"]]", b"1e999", b"-1", b"NaN", b"0.5", b"true", b'"FP32"', b'"logits"',
               b'"probabilities"', b'"\\u0000"', b'"\\ud800"', b'"\xff"', b"18446744073709551615", b"9" * 400, b"[" * 2000,
               b'"' + b"a" * 200 + b'"', b"1,28,28", b"[1,1,28,28]", b"[64,784]", b'{"name":"logits"}']
LINES = [b"no colon", b" folded: x", b": empty", b"Content-Length : 5", b"A: \x00", b"A: \r", b"A: b\nContent-Length: 5",
         b"A" * 9000 + b": b", b"A: " + b"b" * 9000, b"\xff: \xff"]
PIECES = [b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\x00", b"%", b":", b" ", b"HTTP/1.1", b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 8]


# stands for a header that names an account
ACCOUNT = b"X-Account"


def request(method, target, *lines, body=None, version=b"HTTP/1.1"):
    lines = [b"Host: x", ACCOUNT, *lines] + ([b"Content-Length: %d" % len(body)] if body is not None else [])
    return [method, target, version], lines, body or b""


def inference(pixels, shape, datatype="UINT8", **more):
    tensor = {"name": "image", "datatype": datatype, "shape": shape, "data": pixels}
    return json.dumps({"id": "a-1", "inputs": [tensor], **more}, separators=(",", ":")).encode()


class Mutator:
    def __init__(self, rng, images):
        self.rng = rng
        self.images = images
        classify = b"/v1/classify"
        self.corpus = [request(b"POST", classify, body=image) for image in images]
        self.corpus += [request(b"GET", target) for target in TARGETS[:13]]
        infer = b"/v2/models/fashion_mnist/infer"
        blank = [0] * 784
        self.corpus += [request(b"POST", infer, body=body) for body in (
            inference(blank, [1, 784]), inference([0.5] * 784, [1, 28, 28], "FP32"), inference(blank * 2, [2, 1, 28, 28]),
            inference(blank, [1, 784], outputs=[{"name": "probabilities"}]),
            inference(blank, [1, 784], outputs=[{"name": "logits"}]))]
        self.corpus += [request(b"HEAD", b"/"), request(b"GET", b"http://x/metrics"),
                        request(b"GET", b"/", version=b"HTTP/1.0"), request(b"POST", classify, body=b"bad"),
                        request(b"POST", classify, b"Expect: 100-continue", body=images[0]),
                        request(b"GET", classify, b"Range: bytes=0-3000"),
                        request(b"GET", b"/metrics", b"Range: bytes=" + b"0-," * 1499 + b"0-"),
                        request(b"POST", classify, b"Range: bytes=0-9", body=images[1]),
                        request(b"POST", classify, b"Transfer-Encoding: chunked"),
                        request(b"POST", classify, b"Content-Type: multipart/form-data; boundary=x",
                                body=b'--x\r\nContent-Disposition: form-data; name="f"\r\n\r\nx\r\n--x--\r\n')]

    def requests(self):
        """The bytes of one connection: one to four requests, most of them mutated."""
        sent = b"".join(self.one() for _ in range(self.rng.choice((1, 1, 1, 2, 4))))
        while self.rng.random() < 0.2:
            sent = self.mutate_bytes(sent)
        return sent[:self.rng.randrange(len(sent) + 1)] if self.rng.random() < 0.1 else sent

    def one(self):
        rng = self.rng
        (line, lines, body) = rng.choice(self.corpus)
        # a few accounts are soon flagged; most are new, and push others out
        account = b"X-Account: %d" % rng.choice((rng.randrange(5), rng.randrange(100_000), rng.randrange(100_000)))
        line, lines = list(line), [account if each == ACCOUNT else each for each in lines]
        while rng.random() < 0.6:
            kind = rng.randrange(9)
            if kind == 0:
                line[0] = rng.choice(METHODS)
            elif kind == 1:
                line[1] = rng.choice(TARGETS)
            elif kind == 2:
                line[2] = rng.choice(VERSIONS)
            elif kind == 3:
                lines.insert(rng.randrange(len(lines) + 1), self.field())
            elif kind == 4 and lines:
                lines[rng.randrange(len(lines))] = self.field()
            elif kind == 5 and lines:
                lines.insert(0, rng.choice(lines))
            elif kind == 6 and lines:
                del lines[rng.randrange(len(lines))]
            elif kind == 7:
                is_json = body.startswith(b"{")
                body = self.mutate_json(body) if is_json else self.mutate_image(body)
                if is_json and rng.random() < 0.9:
                    lines = [field for field in lines if not field.startswith(b"Content-Length")]
                    lines.append(b"Content-Length: %d" % len(body))
            elif kind == 8:
                body = self.chunked(body)
        return b" ".join(line) + b"\r\n" + b"".join(field + b"\r\n" for field in lines) + b"\r\n" + body

    def field(self):
        if self.rng.random() < 0.15:
            return self.rng.choice(LINES)
        name = self.rng.choice(list(FIELDS))
        return name + b": " + self.rng.choice(FIELDS[name])

    def mutate_bytes(self, data):
        at = self.rng.randrange(len(data) + 1)
        kind = self.rng.randrange(4)
        if kind == 0:
            return data[:at] + bytes([self.rng.randrange(256)]) + data[at + 1:]
        if kind == 1:
            return data[:at] + self.rng.choice(PIECES) + data[at:]
        until = min(len(data), at + self.rng.choice((1, 2, 10, 100)))
        return data[:at] + data[until:] if kind == 2 else data[:until] + data[at:until] + data[until:]

    def mutate_image(self, body):
        """Damages a PNG, or changes its first chunk and corrects that chunk's checksum."""
        if len(body) < 33 or self.rng.random() < 0.5:
            return self.mutate_bytes(body)
        header = bytearray(body[12:29])
        at = self.rng.choice((6, 7, 10, 11, 12, 13, 16))
        header[at] = self.rng.choice((0, 1, 2, 3, 4, 6, 8, 16, 255))
        return body[:12] + header + struct.pack(">I", zlib.crc32(header)) + body[33:]

    def mutate_json(self, body):
        """Exchanges a part for another value, or changes bytes."""
        if self.rng.random() < 0.3:
            return self.mutate_bytes(body)
        return body.replace(self.rng.choice(JSON_PARTS), self.rng.choice(JSON_VALUES), 1)

    def chunked(self, body):
        size = self.rng.choice((1, 16, 1000))
        parts = [body[i:i + size] for i in range(0, min(len(body), 4000), size)]
        return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
