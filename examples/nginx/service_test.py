# SPDX-License-Identifier: MIT
"""nginx in front of two replicas of the example http_service, which serve their undefended logits to it alone.

service_test.py LIBCHAFF EXPECTED HTTP_SERVICE WEIGHTS IMAGES FOLDER
"""

import json
import pathlib
import sys

from gateway import as_f32, expected, nginx
from running import expect, fetch, service  # the other example's; gateway says where it is

DEFENSE, POLICY = "dcp(beta=1.2, tau=0.95)", "label_margin=0.01"
FLAG = "--serve-undefended-logits-to-a-trusted-gateway"
INFER = "v2/models/fashion_mnist/infer"


def main():
    library, program, server, weights, file, folder = sys.argv[1:]
    data = pathlib.Path(file).read_bytes()[16:]
    images = [list(data[784 * i:784 * (i + 1)]) for i in range(32)]
    query = json.dumps({"id": "q1", "inputs": [{"name": "image", "datatype": "UINT8", "shape": [32, 28, 28],
                                                "data": sum(images, [])}]}).encode()
    with service(server, weights, FLAG) as first, service(server, weights, FLAG) as second:
        values = {"CHAFF_LIBRARY": library,
                  "MODELS": '{ fashion_mnist = { output = "logits", rename = "probabilities", classes = 10, defense = "%s", '
                            'policy = "%s" } }' % (DEFENSE, POLICY),
                  "MODEL_SERVERS": "".join(f"server {address[7:-1]}; " for address in (first, second))}
        with nginx(folder, values) as port:
            entry = f"http://127.0.0.1:{port}/"
            status, _, text = fetch(first + INFER, query)
            expect(status == 200, f"the model server answered {status}")
            logits = next(output for output in json.loads(text)["outputs"] if output["name"] == "logits")["data"]
            reference = expected(program, "f32", 10, DEFENSE, POLICY, [as_f32(v) for v in logits])

            answers = {fetch(entry + INFER, query)[2] for _ in range(8)}
            expect(len(answers) == 1, f"{len(answers)} different answers to one query")
            answer = json.loads(answers.pop())
            expect(answer["id"] == "q1" and len(answer["outputs"]) == 1, "not the probabilities alone")
            expect([as_f32(v) for v in answer["outputs"][0]["data"]] == reference, "not what chaff::apply_rows says")
            each = [int(fetch(address + "metrics")[2].split(b"\nchaff_queries_total ")[1].split()[0])
                    for address in (first, second)]
            expect(sum(each) == 9 * 32 and min(each) >= 3 * 32, f"the replicas answered {each} images")

            metadata = json.loads(fetch(entry + "v2/models/fashion_mnist")[2])
            expect([output["name"] for output in metadata["outputs"]] == ["probabilities"], f"metadata is {metadata}")
            for path in ("v2/health/live", "v2/health/ready", "v2/models/fashion_mnist/ready"):
                expect(fetch(entry + path)[0] == 200, f"{path} is not ready")
            for path, body, reference in (("v1/classify", bytes(784), 404), ("metrics", None, 404), ("", None, 404),
                                       (INFER, b"{}", 400), (INFER, b"x" * (2 << 20), 413)):
                status, _, text = fetch(entry + path, body)
                expect(status == reference and list(json.loads(text)) == ["error"], f"/{path}: {status} {text}")
    print(f"32 images through two replicas ({each[0]} and {each[1]} images) have the bits of chaff::apply_rows")


if __name__ == "__main__":
    main()
