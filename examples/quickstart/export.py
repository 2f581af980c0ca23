# SPDX-License-Identifier: MIT
"""Exports the quickstart's network, from its weights.bin, for the runtimes of the other examples.

From the repository's root, on Debian 12:

    apt-get install -y python3-torch
    /usr/bin/python3 examples/quickstart/export.py

writes examples/opencv_dnn/network.onnx and examples/libtorch/network.pt, which are checked in. Both take N x 1 x 28 x 28
values in [0, 1] and return N x 10 logits.
"""

import pathlib

import numpy as np
import torch

from train import network

HERE = pathlib.Path(__file__).resolve().parent


def main():
    net = network().eval()
    weights = torch.from_numpy(np.fromfile(HERE / "weights.bin", dtype="<f4"))
    at = 0
    for parameter in net.parameters():
        parameter.data = weights[at:at + parameter.numel()].reshape(parameter.shape)
        at += parameter.numel()
    assert at == len(weights), "weights.bin holds another network"

    image = torch.zeros(1, 1, 28, 28)
    torch.onnx.export(net, image, HERE.parent / "opencv_dnn" / "network.onnx", input_names=["images"],
                      output_names=["logits"], dynamic_axes={"images": {0: "n"}, "logits": {0: "n"}}, opset_version=13)
    torch.jit.trace(net, image).save(str(HERE.parent / "libtorch" / "network.pt"))


if __name__ == "__main__":
    main()
