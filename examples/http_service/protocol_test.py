# SPDX-License-Identifier: MIT
"""The Open Inference Protocol as its clients speak it: curl, and a small client in Python.

protocol_test.py HTTP_SERVICE WEIGHTS IMAGES
IMAGES is an idx3-ubyte file; the first rows of it are sent.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

from running import expect, fetch, service


class Client:
    """As much of the protocol as a client needs: what is there, and answers to images."""

    def __init__(self, address, model):
        self.model = f"{address}v2/models/{model}"
        self.address = address

    def get(self, url):
        with urllib.request.urlopen(url, timeout=10) as response:
            return json.load(response)

    def is_ready(self):
        return all(fetch(url)[0] == 200 for url in (self.address + "v2/health/live", self.address + "v2/health/ready",
                                                    self.model + "/ready"))

    def metadata(self):
        return self.get(self.model)

    def infer(self, images, **more):
        data = [pixel for image in images for pixel in image]
        body = {"inputs": [{"name": "image", "datatype": "UINT8", "shape": [len(images), 784], "data": data}], **more}
        request = urllib.request.Request(self.model + "/infer", json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)


def rows(answer):
    (output,) = answer["outputs"]
    count, classes = output["shape"]
    return [output["data"][i * classes:(i + 1) * classes] for i in range(count)]


def curl(*arguments):
    out = subprocess.run(["curl", "-s", "-m", "10", "-w", "\n%{http_code}", *arguments], check=True, capture_output=True,
                         text=True).stdout
    body, _, status = out.rpartition("\n")
    return int(status), body


def main():
    program, weights, file = sys.argv[1:]
    data = pathlib.Path(file).read_bytes()[16:]
    images = [data[784 * i:784 * (i + 1)] for i in range(20)]
    with service(program, weights) as address:
        client = Client(address, "fashion_mnist")
        expect(client.is_ready(), "the model is not ready")
        names = [output["name"] for output in client.metadata()["outputs"]]
        expect(names == ["probabilities"], f"outputs are {names}")
        batch = client.infer(images, id="all-20")
        expect(batch["id"] == "all-20", "the id is another one")
        for image, row in zip(images, rows(batch), strict=True):
            other = json.loads(fetch(address + "v1/classify", image)[2])["probabilities"]
            expect(row == other, f"the batch has {row}, the other route {other}")

        with tempfile.NamedTemporaryFile("w", suffix=".json") as body:
            json.dump({"inputs": [{"name": "image", "datatype": "UINT8", "shape": [1, 28, 28], "data": list(images[0])}]}, body)
            body.flush()
            route = address + "v2/models/fashion_mnist/infer"
            status, text = curl("--data-binary", "@" + body.name, route)
            expect(status == 200 and rows(json.loads(text)) == rows(batch)[:1], f"curl got {status} {text}")
            # chunked, compressed, by another method
            for arguments, wanted in ((("-H", "Transfer-Encoding: chunked", "--data-binary", "@" + body.name), 411),
                                      (("-H", "Content-Encoding: gzip", "--data-binary", "@" + body.name), 415),
                                      (("-X", "PUT", "--data-binary", "@" + body.name), 405), ((), 405),
                                      (("--data-binary", "{}"), 400)):
                status, text = curl(*arguments, route)
                expect(status == wanted and list(json.loads(text)) == ["error"], f"curl {arguments} got {status} {text}")
        status, text = curl(address + "v2/models/other")
        expect(status == 404 and list(json.loads(text)) == ["error"], f"another model: {status} {text}")
    print("20 images in a batch have the numbers of 20 queries of the other route")


if __name__ == "__main__":
    main()
