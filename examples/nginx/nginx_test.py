# SPDX-License-Identifier: MIT
"""What clients get through nginx and chaff.lua from model servers that behave, and from those that do not.

nginx_test.py LIBCHAFF EXPECTED FOLDER [unittest's arguments]
"""

import gzip
import json
import pathlib
import random
import struct
import sys
import time
import unittest

from gateway import ModelServer, as_f32, chunked, exchange, expected, nginx, request, response, split

LIBRARY, EXPECTED, FOLDER = sys.argv[1:4]
# the gate is open for unsure rows and closed for sure ones
DEFENSE, POLICY = "dcp(beta=1.2, tau=0.9)", "label_margin=0.01"
MODELS = '''{
  digits = { output = "logits", rename = "probabilities", classes = 4, defense = "%s", policy = "%s",
             keep = { "embedding", "names", "codes", "flags" } },
  plain = { output = "scores", classes = 4, defense = "none" },
  posterior = { output = "logits", classes = 4, defense = "none", policy = "input=probabilities" },
  topped = { output = "logits", classes = 4, defense = "dcp(beta=1.2) | top_k(k=1)", policy = "answer=log_probabilities" },
}''' % (DEFENSE, POLICY)

# no digits of these are in any defended answer
CANARIES = [3.14159274101, -2.71828174591, 1.41421353817, 0.57721567154]
SECRETS = [b"3.14159", b"2.71828", b"1.41421", b"0.57721", b"SECRET"]
BAD = b'{"error":"the model server\'s response cannot be used"}\n'
INFER = "/v2/models/digits/infer"
QUERY = json.dumps({"id": "query-7", "inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 1], "data": [1]}]}).encode()


def tensor(data, name="logits", datatype="FP32", shape=None):
    return {"name": name, "datatype": datatype, "shape": shape or [len(data) // 4, 4], "data": data}


def answer(*outputs, **more):
    return {"model_name": "digits", "model_version": "1", "id": "query-7", "outputs": list(outputs), **more}


GOOD = answer(tensor(CANARIES))


class Gateway(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = ModelServer(None)
        cls.running = nginx(FOLDER, {"CHAFF_LIBRARY": LIBRARY, "MODELS": MODELS,
                                     "MODEL_SERVERS": f"server 127.0.0.1:{cls.server.port} max_fails=0;"})
        cls.port = cls.running.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.running.__exit__(None, None, None)
        cls.server.shutdown()
        cls.server.server_close()

    def setUp(self):
        self.server.requests.clear()

    def send(self, *pieces, target=INFER, method="POST", body=QUERY, fields=()):
        """The only response to a request that the model server answers with these pieces."""
        self.server.respond = lambda head, body: pieces
        received = exchange(self.port, request(method, target, body, *fields))
        every = split(received)
        self.assertEqual(len(every), 1, received)
        for secret in SECRETS:
            self.assertNotIn(secret, received)
        return every[0]

    def refused(self, *pieces, status=502, error=None, **more):
        got, fields, body = self.send(*pieces, **more)
        self.assertEqual(got, status)
        self.assertEqual(fields["content-type"], "application/json")
        if status == 502:
            self.assertEqual(body, BAD)
        self.assertEqual(list(json.loads(body)), ["error"])

    def outputs(self, body, **more):
        status, _, text = self.send(response(body), **more)
        self.assertEqual(status, 200, text)
        return {output["name"]: output for output in json.loads(text)["outputs"]}


class Answers(Gateway):
    def test_float_logits_have_the_bits_of_apply_rows(self):
        rng = random.Random(7)
        for _ in range(30):
            rows = rng.choice((1, 1, 2, 33))
            logits = [as_f32(rng.gauss(0, rng.choice((0.1, 3, 40)))) for _ in range(4 * rows)]
            output = self.outputs(answer(tensor(logits)))["probabilities"]
            self.assertEqual(output["shape"], [rows, 4])
            self.assertEqual(output["datatype"], "FP32")
            # nine digits bring back the float
            self.assertEqual([as_f32(v) for v in output["data"]], expected(EXPECTED, "f32", 4, DEFENSE, POLICY, logits))

    def test_double_logits_have_the_bits_of_apply_rows(self):
        rng = random.Random(8)
        for _ in range(10):
            logits = [rng.gauss(0, 3) for _ in range(8)]
            output = self.outputs(answer(tensor(logits, datatype="FP64")))["probabilities"]
            self.assertEqual(output["data"], expected(EXPECTED, "f64", 4, DEFENSE, POLICY, logits))

    def test_floats_are_read_however_they_are_written(self):
        value = as_f32(0.1)
        want = expected(EXPECTED, "f32", 4, DEFENSE, POLICY, [value, 2, 1, 0])
        for text in ("0.1", "0.100000001", "0.10000000149011612", "1e-1", "1.0E-1"):
            body = json.dumps(answer(tensor([7, 2, 1, 0]))).replace("[7,", f"[{text},").encode()
            self.assertEqual([as_f32(v) for v in self.outputs(body)["probabilities"]["data"]], want, text)

    def test_the_defense_perturbs_unsure_rows_and_no_others(self):
        output = self.outputs(answer(tensor([1, 1.5, 1, 1, 9, 0, 0, 0])))["probabilities"]["data"]
        self.assertEqual(max(output[:4]), output[1])
        self.assertEqual(max(output[4:]), output[4])
        clean = self.outputs(answer(tensor([1, 1.5, 1, 1, 9, 0, 0, 0], name="scores")),
                             target="/v2/models/plain/infer")["scores"]["data"]
        self.assertNotEqual(output[:4], clean[:4])
        self.assertEqual(output[4:], clean[4:])

    def test_the_body_is_written_from_checked_values_alone(self):
        body = answer(tensor([0, 0, 0, 0]), parameters={"SECRET": 1}, model_version="SECRET", SECRET=1)
        body["outputs"][0]["parameters"] = {"SECRET": "SECRET"}
        _, fields, text = self.send(response(body, "X-SECRET: 3.14159", "Set-Cookie: SECRET=1", "Server: SECRET",
                                            "ETag: SECRET", "Link: SECRET", "Location: /SECRET"))
        self.assertTrue(text.startswith(b'{"model_name":"digits","id":"query-7","outputs":[{"name":"probabilities",'
                                        b'"datatype":"FP32","shape":[1,4],"data":[0.2'), text)
        self.assertEqual(set(fields), {"server", "date", "content-type", "content-length", "connection",
                                       "cache-control", "x-content-type-options"})
        self.assertEqual(fields["server"], "nginx")

    def test_an_id_is_passed_on_only_if_the_client_sent_it(self):
        for sent, received, shown in (("a-1", "a-1", True), ("a-1", "SECRET", False), ("a-1", 3.14159274101, False),
                                  ("a b", "a b", False), ("x" * 129, "x" * 129, False)):
            body = answer(tensor([0, 0, 0, 0]), id=received)
            status, _, text = self.send(response(body), body=json.dumps({"id": sent}).encode())
            self.assertEqual(status, 200)
            self.assertEqual(json.loads(text).get("id"), sent if shown else None)

    def test_a_version_is_that_of_the_target(self):
        _, _, text = self.send(response(answer(tensor([0] * 4))), target="/v2/models/digits/versions/3/infer")
        self.assertEqual(json.loads(text)["model_version"], "3")
        self.assertIn(b"POST /v2/models/digits/versions/3/infer ", self.server.requests[-1][0])

    def test_other_outputs_are_dropped_unless_kept(self):
        body = answer(tensor([0.5, 1], name="embedding", shape=[1, 2]), tensor(CANARIES, name="hidden"),
                      tensor([1, 2, 3, 4]), tensor(["a\"\n", "é"], "names", "BYTES", [2]),
                      tensor([-5, 9007199254740991], "codes", "INT64", [2]), tensor([True, False], "flags", "BOOL", [2]))
        outputs = self.outputs(body)
        self.assertEqual(list(outputs), ["embedding", "probabilities", "names", "codes", "flags"])
        self.assertEqual(outputs["embedding"]["data"], [0.5, 1])
        self.assertEqual(outputs["names"]["data"], ["a\"\n", "é"])
        self.assertEqual(outputs["codes"]["data"], [-5, 9007199254740991])
        self.assertEqual(outputs["flags"]["data"], [True, False])

    def test_kept_outputs_are_checked(self):
        for bad in (tensor([1.5], "codes", "INT64", [1]), tensor([128], "codes", "INT8", [1]),
                    tensor([-1], "codes", "UINT8", [1]), tensor([1], "names", "BYTES", [1]),
                    tensor([1], "flags", "BOOL", [1]), tensor([1], "codes", "FP16", [1]),
                    tensor(["SECRET"], "codes", "FP32", [1]), tensor([1, 2], "codes", "INT8", [1])):
            self.refused(response(answer(tensor(CANARIES), bad)))

    def test_a_row_without_a_batch_dimension_is_answered(self):
        output = self.outputs(answer(tensor([1, 2, 3, 4], shape=[4])))["probabilities"]
        self.assertEqual(output["shape"], [4])

    def test_a_chunked_response_is_answered(self):
        body = json.dumps(answer(tensor([1, 2, 3, 4]))).encode()
        for size in (1, 7, 100000):
            self.assertEqual(self.send(chunked(body, size=size)), self.send(response(body)))

    def test_a_response_in_slow_pieces_is_answered(self):
        whole = response(answer(tensor([1, 2, 3, 4])))
        status, _, _ = self.send(whole[:5], 0.2, whole[5:90], 0.2, whole[90:-9], 0.2, whole[-9:])
        self.assertEqual(status, 200)

    def test_connections_last_and_pipelined_requests_are_answered_in_order(self):
        self.server.respond = lambda head, body: [response(answer(tensor([json.loads(body)["v"], 0, 0, 0])))]
        bodies = [json.dumps({"v": v}).encode() for v in range(1, 9)]
        before = self.server.connections
        every = split(exchange(self.port, b"".join(request("POST", INFER, body, last=i == 7)
                                                   for i, body in enumerate(bodies))))
        self.assertEqual([status for status, _, _ in every], [200] * 8)
        for i, (_, _, text) in enumerate(every):
            self.assertEqual([as_f32(v) for v in json.loads(text)["outputs"][0]["data"]],
                             expected(EXPECTED, "f32", 4, DEFENSE, POLICY, [i + 1, 0, 0, 0]))
        self.assertLessEqual(self.server.connections - before, 1)

    def test_a_chunked_request_is_answered(self):
        self.server.respond = lambda head, body: [response(answer(tensor([1, 2, 3, 4])))]
        received = exchange(self.port, b"POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                        b"%x\r\n%s\r\n0\r\n\r\n" % (INFER.encode(), len(QUERY), QUERY))
        self.assertEqual(split(received)[0][0], 200)
        self.assertEqual(self.server.requests[-1][1], QUERY)

    def test_the_model_server_sees_nothing_of_the_head(self):
        self.send(response(answer(tensor([1, 2, 3, 4]))), target=INFER + "?classification=3",
                 fields=("Accept-Encoding: gzip", "Range: bytes=0-9", "TE: trailers", "X-A: b", "Cookie: a=b",
                         "Accept: application/octet-stream", "Expect: x", "X-Accel-Redirect: /x", "If-None-Match: *"))
        head = self.server.requests[-1][0].lower()
        names = {line.split(b":")[0] for line in head.split(b"\r\n")[1:-2]}
        self.assertEqual(names, {b"host", b"content-type", b"content-length"})
        self.assertTrue(head.startswith(b"post /v2/models/digits/infer http/1.1"), head)


class Leaks(Gateway):
    def test_an_unreadable_body(self):
        whole = json.dumps(GOOD).encode()
        for body in (b"", b"SECRET", whole[:-1], whole + b"x", whole + whole, b"\xef\xbb\xbf" + whole,
                     whole.decode().encode("utf-16"), b"[" * 100000, b"null", b"3.14159", b'"SECRET"', b"[]", b"{}",
                     b"data: " + whole + b"\n\n", whole + b"\n" + whole, b"\0" + whole, whole.replace(b'"', b"'")):
            self.refused(response(body))

    def test_outputs_of_another_kind(self):
        for outputs in (None, "SECRET", {}, {"logits": tensor(CANARIES)}, ["SECRET"], [CANARIES], [[tensor(CANARIES)]],
                        [{}], [{"name": 3}]):
            self.refused(response({"outputs": outputs}))

    def test_an_output_of_another_name_alone(self):
        for name in ("Logits", "logits ", "probabilities", "embedding2", ""):
            self.refused(response(answer(tensor(CANARIES, name=name))))

    def test_two_outputs_of_the_name(self):
        self.refused(response(answer(tensor(CANARIES), tensor(CANARIES))))

    def test_a_wrong_shape(self):
        for shape in ([1, 3], [4, 1], [1, 4, 1], [1, 1, 4], [2, 2], [1, 5], [2, 4], [0, 4], [-1, 4], [-1, -4], [1.0, 3.5],
                      [], [1e308, 4], ["1", 4], [1, None], [[1, 4]], {"0": 4}, "SECRET", 4, [True, 4], [2 ** 31, 2 ** 31]):
            body = answer({"name": "logits", "datatype": "FP32", "shape": shape, "data": CANARIES})
            self.refused(response(body))
        self.refused(response(answer(tensor([], shape=[0, 4]))))
        # one row and a half
        self.refused(response(answer(tensor(CANARIES + CANARIES[:2], shape=[1.5, 4]))))
        self.refused(response(answer({"name": "logits", "datatype": "FP32", "data": CANARIES})))

    def test_too_many_rows(self):
        self.assertEqual(len(self.outputs(answer(tensor([0] * 4 * 1024)))["probabilities"]["data"]), 4096)
        self.refused(response(answer(tensor([0] * 4 * 1025))))

    def test_data_of_a_wrong_length_or_kind(self):
        for data in (CANARIES[:3], CANARIES + [0], [], None, [CANARIES], [[v] for v in CANARIES], "SECRET",
                     [str(v) for v in CANARIES], CANARIES[:3] + [None], CANARIES[:3] + [True], CANARIES[:3] + [{}],
                     {"1": CANARIES[0]}, CANARIES[0]):
            self.refused(response(answer(tensor(data if isinstance(data, list) else [], shape=[1, 4]) | {"data": data})))
        no_data = tensor(CANARIES)
        del no_data["data"]
        self.refused(response(answer(no_data)))
        self.refused(response(answer(no_data | {"parameters": {"shared_memory_region": "SECRET"}})))

    def test_numbers_that_are_none(self):
        for number in (b"NaN", b"Infinity", b"-Infinity", b"nan", b"-inf", b"1e999", b"-1e999", b"0x10", b"1e39", b"-1e39",
                       b"01", b"+1", b".5", b"1e", b"--1", b"1_0"):
            body = json.dumps(answer(tensor([77] + CANARIES[1:]))).encode().replace(b"[77,", b"[" + number + b",")
            status, _, text = self.send(response(body))
            self.assertEqual((number, status), (number, 502))

    def test_an_output_as_text_as_of_the_classification_extension(self):
        self.refused(response(answer(tensor(["3.14159:1:SECRET"] * 4, datatype="BYTES"))))
        for datatype in ("FP16", "BF16", "INT8", "fp32", "", None, 3):
            self.refused(response(answer(tensor(CANARIES, datatype=datatype))))

    def test_a_binary_tensor(self):
        head = json.dumps(answer({"name": "logits", "datatype": "FP32", "shape": [1, 4],
                                  "parameters": {"binary_data_size": 16}})).encode()
        raw = struct.pack("<4f", *CANARIES)
        self.refused(response(head + raw, f"Inference-Header-Content-Length: {len(head)}",
                              content_type="application/octet-stream"))
        self.refused(response(head + raw, f"Inference-Header-Content-Length: {len(head)}"))
        self.refused(response(json.dumps(GOOD).encode(), "inference-header-content-length: 5"))

    def test_a_compressed_body(self):
        body = json.dumps(GOOD).encode()
        self.refused(response(gzip.compress(body), "Content-Encoding: gzip"))
        self.refused(response(gzip.compress(body)))
        for encoding in ("gzip", "identity", "br", ""):
            self.refused(response(body, f"CONTENT-encoding: {encoding}x"))

    def test_another_content_type(self):
        for kind in ("text/plain", "text/event-stream", "application/jsonl", "multipart/mixed; boundary=x", None,
                     "application/octet-stream", "text/html; application/json"):
            self.refused(response(GOOD, content_type=kind))
        for kind in ("application/json", "Application/JSON; charset=utf-8"):
            self.assertEqual(self.send(response(answer(tensor([0] * 4)), content_type=kind))[0], 200)

    def test_another_status(self):
        for status, shown in (("500 SECRET", 502), ("201 Created", 502), ("206 Partial Content", 502),
                              ("301 Moved", 502), ("302 Found", 502), ("307 X", 502), ("304 Not Modified", 502),
                              ("400 SECRET", 400), ("401 X", 502), ("404 Not Found", 404), ("413 X", 502), ("418 X", 502),
                              ("429 X", 502), ("503 X", 503), ("504 X", 504), ("999 X", 502), ("204 No Content", 502)):
            # a client may follow where it is sent, and send its requests there, past nginx
            self.refused(response(GOOD, "Location: http://127.0.0.1/SECRET", "Retry-After: 3.14159", status=status,
                                  length=0 if status.startswith(("204", "304")) else None), status=shown)

    def test_an_interim_response(self):
        for first in (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: SECRET\r\n\r\n",
                      b"HTTP/1.1 102 Processing\r\n\r\n"):
            self.refused(first + response(GOOD), None)

    def test_another_protocol(self):
        switch = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n" + json.dumps(GOOD).encode()
        self.refused(switch, None)
        self.refused(switch, None, fields=("Upgrade: websocket",), status=400)
        self.assertEqual(len(self.server.requests), 1)

    def test_a_response_that_is_no_http(self):
        for body in (json.dumps(GOOD).encode(), b"HTTP/0.9 200\r\n\r\n" + json.dumps(GOOD).encode(),
                     b"HTTP/1.1 200 OK\r\nContent-Type: application/json\nX: \0SECRET\r\n\r\n" + json.dumps(GOOD).encode(),
                     b"HTTP/1.1 20 OK\r\n\r\n", b"\r\n\r\n", b""):
            self.refused(body, None)

    def test_a_header_that_steers_nginx(self):
        for field in ("X-Accel-Redirect: /chaff_upstream/v2/models/digits/infer", "X-Accel-Redirect: /chaff_refused",
                      "X-Accel-Buffering: no", "X-Accel-Charset: SECRET", "X-Accel-Limit-Rate: 1", "X-Accel-Expires: 100",
                      "Refresh: 0; url=SECRET", "Vary: *", "Trailer: X", "Connection: close, SECRET", "Keep-Alive: SECRET",
                      "X-Sendfile: /etc/passwd"):
            status, fields, text = self.send(response(answer(tensor([0] * 4)), field))
            self.assertEqual(status, 200, field)
            self.assertLess(set(fields), {"server", "date", "content-type", "content-length", "connection",
                                          "cache-control", "x-content-type-options", "x"})

    def test_trailers(self):
        body = json.dumps(answer(tensor([0] * 4))).encode()
        status, _, text = self.send(chunked(body, "Trailer: X-Logits", trailer=b"X-Logits: 3.14159\r\n"))
        self.assertEqual(status, 200)

    def test_a_body_that_ends_early(self):
        body = json.dumps(GOOD).encode()
        self.refused(response(body, length=len(body) + 10), None)
        self.refused(chunked(body)[:-5], None)
        self.refused(chunked(body)[:-40], None)
        self.refused(chunked(body).replace(b"0\r\n\r\n", b"zz\r\n\r\n"), None)
        self.refused(response(body, "Content-Length: 5"), None)

    def test_more_bytes_than_the_length_says_go_to_nobody(self):
        extra = response(GOOD)
        for _ in range(5):
            self.assertEqual(self.send(response(answer(tensor([0] * 4))) + extra)[0], 200)

    def test_a_response_over_the_limit(self):
        body = json.dumps(GOOD).encode()
        started = time.monotonic()
        self.refused(response(body + b" " * (9 << 20)))
        self.refused(chunked(body + b" " * (9 << 20), size=1 << 16))
        endless = [b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n", body, *[b" " * (1 << 20)] * 60]
        self.refused(*endless, None)
        # eight times the limit ends the connection without a byte
        self.server.respond = lambda head, body: endless + [b" " * (1 << 20)] * 500
        self.assertEqual(exchange(self.port, request("POST", INFER, QUERY)), b"")
        self.assertLess(time.monotonic() - started, 15)
        self.assertEqual(self.send(response(json.dumps(answer(tensor([0] * 4))).encode() + b" " * (7 << 20)))[0], 200)

    def test_a_head_over_the_limit(self):
        self.refused(response(GOOD, *[f"X-{i}: {'SECRET' * 100}" for i in range(100)]))

    def test_a_slow_or_absent_response(self):
        self.refused(6, response(GOOD), status=504)
        self.refused(None)
        self.refused(response(GOOD)[:40], None)

    def test_a_response_that_trickles_is_ended(self):
        started = time.monotonic()
        self.server.respond = lambda head, body: [response(GOOD, length=100000), *[0.5, b" "] * 40]
        self.assertEqual(exchange(self.port, request("POST", INFER, QUERY)), b"")
        self.assertLess(time.monotonic() - started, 15)

    def test_a_policy_that_answers_minus_infinity(self):
        self.refused(response(answer(tensor(CANARIES))), target="/v2/models/topped/infer")

    def test_a_row_that_the_defense_refuses(self):
        target = "/v2/models/posterior/infer"
        self.assertEqual(self.send(response(answer(tensor([0.25] * 4))), target=target)[0], 200)
        self.refused(response(answer(tensor(CANARIES))), target=target)
        self.refused(response(answer(tensor([0.25] * 4 + CANARIES))), target=target)

    def test_mutated_responses(self):
        rng = random.Random(20)
        body = json.dumps(answer(tensor(CANARIES * 2), tensor(CANARIES, "hidden"))).encode()
        seeds = [response(body, "Server: x"), chunked(body, size=40), response(body, status="302 Found"),
                 response(GOOD | {"parameters": {"SECRET": CANARIES}})]
        pieces = [b"\r\n", b"\r\n\r\n", b"\n", b"\0", b'"', b"[", b"]", b"{", b"}", b",", b"null", b"-", b"e9", b"\\u0000", b"1e39",
                  b"HTTP/1.1 200 OK\r\n", b"Content-Length: 20\r\n", b"Transfer-Encoding: chunked\r\n", b'"outputs":[],',
                  b'"name":"logits",', b'"shape":[1,4],', b"Content-Encoding: gzip\r\n", b"Connection: upgrade\r\n"]
        statuses = {}
        for _ in range(1500):
            # either the whole response, or the body, with a length that fits
            is_whole = rng.random() < 0.5
            data = rng.choice(seeds) if is_whole else body
            for _ in range(rng.choice((1, 1, 2, 5))):
                at = rng.randrange(len(data) + 1)
                kind = rng.randrange(4)
                until = min(len(data), at + rng.choice((1, 2, 10, 100)))
                data = (data[:at] + bytes([rng.randrange(256)]) + data[at + 1:] if kind == 0 else
                        data[:at] + rng.choice(pieces) + data[at:] if kind == 1 else
                        data[:at] + data[until:] if kind == 2 else data[:until] + data[at:until] + data[until:])
            data = data if is_whole else response(data)
            self.server.respond = lambda *request: [data, None]
            received = exchange(self.port, request("POST", INFER, QUERY))
            ((status, _, text),) = split(received)
            statuses[status] = statuses.get(status, 0) + 1
            # a digit that was changed makes another logit, whose answer is defended too; no answer is above 1
            for secret in SECRETS[:3] + SECRETS[4:]:
                self.assertNotIn(secret, received, data)
            if status == 200:
                (output,) = json.loads(text)["outputs"]
                self.assertEqual(output["name"], "probabilities", data)
                rows = [output["data"][i:i + 4] for i in range(0, len(output["data"]), 4)]
                self.assertTrue(all(abs(sum(row) - 1) < 1e-6 and min(row) >= 0 for row in rows), data)
            elif status == 502:
                self.assertEqual(text, BAD)
            else:
                self.assertEqual(list(json.loads(text)), ["error"])
        self.assertGreater(min(statuses.get(200, 0), statuses.get(502, 0)), 100, statuses)

    def test_the_log_has_no_value(self):
        self.refused(response(answer(tensor(CANARIES + [0]))))
        self.refused(response(b"[SECRET"))
        text = pathlib.Path(FOLDER, "error.log").read_bytes()
        self.assertIn(b"response refused: JSON", text)
        for secret in SECRETS:
            self.assertFalse([line for line in text.split(b"\n") if b"chaff" in line and secret in line.split(b", upstream")[0]])


class Requests(Gateway):
    def test_an_unknown_route_is_refused_and_never_reaches_the_model_server(self):
        for target in ("/", "/metrics", "/v1/models", "/v2/models", "/v2/models/digits/generate",
                       "/v2/models/digits/generate_stream", "/v2/models/digits/infer_stream", "/v2/repository/index",
                       "/v2/models/digits/stats", "/v2/models/digits/config", "/v2/models/digits/trace/setting",
                       "/v2/logging", "/v2/systemsharedmemory/status", "/v2/models/digits/explain",
                       "/v1/models/digits:predict", "/v2/models/other/infer", "/v2/models/digits/versions/x/infer",
                       "/v2/models/digits/versions/1234567890/infer", "/v2/models/digits/infer/", "/v2/models/digits/infer;a",
                       "/v2/models/digits%2finfer/infer", "/v2/models/%2e%2e/infer",
                       "/v2/models/../../metrics", "/chaff_upstream/v2/models/digits/infer", "/chaff_upstream/",
                       "/chaff_upstream", "/v2/health", "/V2/models/digits/infer", "/v2/models//infer", "/chaff_refused",
                       "/v2/models/digits/ready/x"):
            for method in ("GET", "POST"):
                self.refused(response(GOOD), target=target, method=method, body=QUERY if method == "POST" else b"", status=404)
        self.assertEqual(self.server.requests, [])

    def test_a_target_is_read_before_it_is_compared(self):
        for target in ("//v2/models/digits/infer", "/x/../v2/models/digits/infer", "/v2/models/%64igits/infer",
                       "/v2/./models/digits/infer?a=b", "http://x/v2/models/digits/infer"):
            self.server.requests.clear()
            self.outputs(answer(tensor([0] * 4)), target=target)
            self.assertIn(b"POST /v2/models/digits/infer ", self.server.requests[0][0])

    def test_another_method_is_refused(self):
        for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "X"):
            self.refused(response(GOOD), method=method, body=b"", status=405)
        for method in ("TRACE", "CONNECT"):
            self.assertIn(self.send(response(GOOD), method=method, body=b"")[0], (400, 405))
        self.assertEqual(self.server.requests, [])

    def test_head_has_no_length_of_an_answer(self):
        self.server.respond = lambda head, body: [response(GOOD)]
        for target in (INFER, "/v2/models/digits", "/v2/health/live"):
            received = exchange(self.port, request("HEAD", target))
            self.assertTrue(received.startswith(b"HTTP/1.1 405 "), received)
        self.assertEqual(self.server.requests, [])

    def test_binary_tensors_and_compressed_requests_are_refused(self):
        self.refused(fields=("Inference-Header-Content-Length: 10",), status=415)
        self.refused(fields=("Content-Encoding: gzip",), status=415)
        self.refused(fields=("Upgrade: h2c",), status=400)
        many = [f"X-{i}: y" for i in range(150)]
        self.refused(fields=(*many, "Upgrade: h2c"), status=400)
        self.refused(fields=(*many, "content-ENCODING: gzip"), status=415)
        self.assertEqual(self.server.requests, [])

    def test_a_body_over_the_limit_is_refused(self):
        self.refused(body=b" " * ((1 << 20) + 1), status=413)
        self.refused(body=b"", status=400)
        self.assertEqual(self.send(response(answer(tensor([0] * 4))), body=b" " * (1 << 20))[0], 200)

    def test_a_request_that_nginx_refuses_gets_json(self):
        for data, status in ((b"x\r\n\r\n", 400), (b"GET / HTTP/1.1\r\n\r\n", 400), (b"GET /" + b"a" * 10000, 414),
                             (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 40000 + b"\r\n\r\n", 400),
                             (b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
                             (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400)):
            received = exchange(self.port, data)
            got, fields, body = split(received)[0] if received.startswith(b"HTTP/1.1") else (0, {}, received)
            self.assertEqual(got, status, received)
            self.assertEqual(list(json.loads(body)), ["error"], received)

    def test_ranges_and_conditions_have_no_effect_on_bytes(self):
        whole = self.send(response(answer(tensor([1, 2, 3, 4]))))[2]
        for field in ("Range: bytes=0-9", "If-None-Match: *", "If-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT",
                      "If-Match: x", "If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT", "If-Range: x",
                      "Accept-Encoding: gzip", "Accept: application/octet-stream"):
            self.assertEqual(self.send(response(answer(tensor([1, 2, 3, 4]))), fields=(field,))[::2], (200, whole))

    def test_health_has_no_word_of_the_model_server(self):
        for target in ("/v2/health/live", "/v2/health/ready", "/v2/models/digits/ready", "/v2/models/digits/versions/2/ready"):
            self.assertEqual(self.send(response(GOOD), target=target, method="GET", body=b"")[::2], (200, b'{"ready":true}\n'))
            self.refused(response(GOOD, status="500 X"), target=target, method="GET", body=b"", status=503)

    def test_the_body_of_a_get_goes_nowhere(self):
        self.server.respond = lambda head, body: [response(GOOD)]
        smuggled = request("POST", "/metrics", QUERY)
        every = split(exchange(self.port, request("GET", "/v2/health/live", smuggled, last=False) + request("GET", "/v2")))
        self.assertEqual([status for status, _, _ in every], [200, 200])
        ((head, body),) = self.server.requests
        self.assertEqual(body, b"")
        self.assertTrue(head.startswith(b"GET /v2/health/live "), head)
        self.assertNotIn(b"content-length", head.lower())

    def test_metadata_names_what_clients_get(self):
        get = {"target": "/v2/models/digits", "method": "GET", "body": b""}
        body = {"name": "SECRET", "versions": ["SECRET"], "platform": "SECRET", "inputs": [tensor([1], "x", shape=[-1, 1])],
                "outputs": [tensor(CANARIES, shape=[-1, 4]), tensor(CANARIES, "hidden"), tensor([], "embedding", shape=[-1, 2])]}
        _, _, text = self.send(response(body), **get)
        self.assertEqual(json.loads(text), {
            "name": "digits", "platform": "chaff", "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 1]}],
            "outputs": [{"name": "probabilities", "datatype": "FP32", "shape": [-1, 4]},
                        {"name": "embedding", "datatype": "FP32", "shape": [-1, 2]}]})
        for bad in (GOOD, body | {"inputs": [{"name": "x", "datatype": 'U","a":', "shape": [1]}]}, body | {"inputs": [{"name": "x", "datatype": "SECRET1", "shape": [3.14159]}]}, [], "SECRET",
                    body | {"outputs": [tensor(CANARIES, shape=[3.14159])]}):
            self.refused(response(bad), **get)
        self.assertEqual(json.loads(self.send(target="/v2", method="GET", body=b"")[2])["name"], "chaff")


class Settings(unittest.TestCase):
    def test_wrong_settings_keep_nginx_from_starting(self):
        good = {"output": '"l"', "classes": "4", "defense": '"dcp"'}
        for change, words in (({"defense": '"dcpp"'}, "dcpp"), ({"defense": '"dcp(beta=-1)"'}, "beta"),
                              ({"policy": '"label=1"'}, "label"), ({"classes": "0"}, "classes"), ({"classes": "nil"}, "classes"),
                              ({"outputs": '"l"'}, "unknown setting"), ({"output": "nil"}, "output"),
                              ({"keep": '{ "l" }'}, "keeps l"), ({"rename": '"p"', "keep": '{ "p" }'}, "keeps p"),
                              ({"defense": "nil"}, "defense")):
            model = ", ".join(f"{key} = {value}" for key, value in (good | change).items())
            values = {"CHAFF_LIBRARY": LIBRARY, "MODELS": "{ m = { %s } }" % model, "MODEL_SERVERS": "server 127.0.0.1:1;"}
            with self.assertRaisesRegex(RuntimeError, words, msg=model), nginx(FOLDER + "_settings", values):
                pass


class Fleet(unittest.TestCase):
    def test_two_nodes_before_two_replicas_answer_with_the_same_bytes(self):
        logits = {}
        rng = random.Random(9)

        def respond(head, body):
            return [response(answer(tensor(logits[body])))]

        with ModelServer(respond) as one, ModelServer(respond) as two:
            values = {"CHAFF_LIBRARY": LIBRARY, "MODELS": MODELS, "WORKERS": 2,
                      "MODEL_SERVERS": f"server 127.0.0.1:{one.port}; server 127.0.0.1:{two.port};"}
            with nginx(FOLDER + "_1", values) as first, nginx(FOLDER + "_2", values) as second:
                for i in range(10):
                    body = json.dumps({"id": str(i)}).encode()
                    logits[body] = [as_f32(rng.gauss(0, 3)) for _ in range(8)]
                    answers = {split(exchange(port, request("POST", INFER, body)))[0][2]
                               for port in (first, second) * 4}
                    self.assertEqual(len(answers), 1)
                    self.assertIn(b"probabilities", answers.pop())
            self.assertGreater(min(len(one.requests), len(two.requests)), 20)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[4:], verbosity=1)
