# SPDX-License-Identifier: MIT
"""Makes an int8 victim of a float one: a TorchScript network with QNNPACK's int8 operators.

    quantise.py int8_ptq|int8_qat FLOAT INT8 [--epochs N] [--seed N]

FLOAT is a pickled dictionary of the lab's: the parameters and buffers, by name, of a LeNet or a ResNet-18, and the
images and labels that it was trained on. int8_ptq: post-training, ranges from 1,000 of the images. int8_qat: trained on
for some epochs with simulated quantisation first. The network in INT8 returns dequantised logits,
scale (q - zero_point); the two are its attributes.
"""

import argparse

import torch
from torch import nn
from torch.ao import quantization


def lenet(classes):
    """The lab's, but with each rectifier before the maximum, where it is made one with the convolution."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(16 * 4 * 4, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, classes))


def convolution(channels, out, size, stride=1):
    return nn.Conv2d(channels, out, size, stride, padding=size // 2, bias=False)


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions and a way past them."""

    def __init__(self, channels, out, stride):
        super().__init__()
        self.body = nn.Sequential(convolution(channels, out, 3, stride), nn.BatchNorm2d(out), nn.ReLU(),
                                  convolution(out, out, 3), nn.BatchNorm2d(out))
        self.past = None
        if channels != out or stride != 1:
            self.past = nn.Sequential(convolution(channels, out, 1, stride), nn.BatchNorm2d(out))
        self.sum = nn.quantized.FloatFunctional()

    def forward(self, x):
        return self.sum.add_relu(self.body(x), x if self.past is None else self.past(x))


def resnet18(classes):
    layers = [nn.Conv2d(1, 64, 7, 2, padding=5, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    channels = 64
    for out in (64, 128, 256, 512):
        layers += [ResidualBlock(channels, out, 1 if out == 64 else 2), ResidualBlock(out, out, 1)]
        channels = out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, classes))


class Victim(nn.Module):
    """The lab's network, its layers named as there, with the doors of quantisation."""

    def __init__(self, given):
        super().__init__()
        self.quant = quantization.QuantStub()
        # the last layer is number 11 of a LeNet, and number 14 of a ResNet-18
        self.layers = resnet18(len(given["14.bias"])) if "14.bias" in given else lenet(len(given["11.bias"]))
        self.layers.load_state_dict(given)

    def forward(self, x):
        return self.layers(self.quant(x))

    def fused(self):
        fuse = quantization.fuse_modules_qat if self.training else quantization.fuse_modules
        return fuse(self, list(fusible(self)))


def fusible(network):
    """The names of layers that quantisation makes one of: with weights, batch norm, rectifier."""
    for name, sequence in network.named_modules():
        group = []
        for number, layer in enumerate(sequence if isinstance(sequence, nn.Sequential) else []):
            if not isinstance(layer, (nn.BatchNorm2d, nn.ReLU)):
                if len(group) > 1:
                    yield group
                group = []
            group.append(f"{name}.{number}")
        if len(group) > 1:
            yield group


class Served(nn.Module):
    def __init__(self, network, scale, zero_point):
        super().__init__()
        self.network = network
        self.scale = scale
        self.zero_point = zero_point

    def forward(self, x):
        return self.network(x).dequantize()


def train(network, pixels, labels, epochs):
    steps = torch.optim.Adam(network.parameters(), 3e-4)
    for epoch in range(epochs):
        if 0 < epoch == epochs - 1:  # the ranges are settled
            network.apply(quantization.disable_observer)
        for some in torch.randperm(len(pixels)).split(64):
            steps.zero_grad()
            nn.functional.cross_entropy(network(pixels[some]), labels[some]).backward()
            steps.step()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["int8_ptq", "int8_qat"])
    parser.add_argument("given")
    parser.add_argument("made")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1, help="of the order of images in int8_qat")
    wanted = parser.parse_args()

    torch.manual_seed(wanted.seed)
    torch.set_num_threads(1)
    torch.backends.quantized.engine = "qnnpack"
    given = torch.load(wanted.given)
    pixels, labels = given.pop("pixels"), given.pop("labels")
    network = Victim(given)
    if wanted.kind == "int8_ptq":
        network.eval()
        network = network.fused()
        network.qconfig = quantization.get_default_qconfig("qnnpack")
        quantization.prepare(network, inplace=True)
        with torch.no_grad():
            network(pixels[:1000])
    else:
        network.train()
        network = network.fused()
        network.qconfig = quantization.get_default_qat_qconfig("qnnpack")
        quantization.prepare_qat(network, inplace=True)
        train(network, pixels, labels, wanted.epochs)
    network.eval()
    quantization.convert(network, inplace=True)
    last = network.layers[-1]
    with torch.no_grad():
        traced = torch.jit.trace(network, pixels[:2])
    torch.jit.script(Served(traced, float(last.scale), int(last.zero_point))).save(wanted.made)


if __name__ == "__main__":
    main()
