# SPDX-License-Identifier: MIT
"""Trains the quickstart's classifier and writes its weights, and the sample of test images, that are checked in.

From the repository's root, on Debian 12 (about 5 minutes on two cores):

    apt-get install -y python3-torch dataset-fashion-mnist
    /usr/bin/python3 examples/quickstart/train.py

writes examples/quickstart/weights.bin, examples/data/images.idx3-ubyte and examples/data/labels.idx1-ubyte, and prints
the accuracy on all 10,000 test images.

The network, all float32 (conv: 3 x 3, zero padding of 1; pool: 2 x 2 maximum):

    28 x 28 x 1 -> conv 16 -> relu -> pool -> conv 32 -> relu -> pool -> dense 32 -> relu -> dense 10 -> logits

weights.bin holds, little-endian and in this order, each weight and then its bias, in PyTorch's row-major layout:
conv1 (16, 1, 3, 3), conv2 (32, 16, 3, 3), dense1 (32, 32 * 7 * 7), dense2 (10, 32).
"""

import argparse
import gzip
import pathlib

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

HERE = pathlib.Path(__file__).resolve().parent
SAMPLE = 1000


def read_idx(path, header):
    with gzip.open(path, "rb") as file:
        return np.frombuffer(file.read(), dtype=np.uint8, offset=header)


def load(folder, part):
    images = read_idx(folder / f"{part}-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28)
    labels = read_idx(folder / f"{part}-labels-idx1-ubyte.gz", 8)
    return images, labels


def network():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.3), nn.Linear(32 * 7 * 7, 32), nn.ReLU(), nn.Linear(32, 10))


def to_input(images):
    return torch.from_numpy(images.astype(np.float32) / 255.0)


def augmented(batch, generator):
    """Mirrors about half of the images and moves each by up to one pixel."""
    flip = torch.rand(len(batch), generator=generator) < 0.5
    batch = torch.where(flip[:, None, None, None], batch.flip(3), batch)
    dy, dx = torch.randint(-1, 2, (2,), generator=generator).tolist()
    return torch.roll(batch, shifts=(dy, dx), dims=(2, 3))


def accuracy(net, images, labels):
    net.eval()
    with torch.no_grad():
        right = sum((net(x).argmax(1) == y).sum().item() for x, y in zip(images.split(500), labels.split(500)))
    net.train()
    return right / len(labels)


def write_idx(path, array):
    header = bytes([0, 0, 8, array.ndim]) + b"".join(int(n).to_bytes(4, "big") for n in array.shape)
    path.write_bytes(header + array.tobytes())


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--data", type=pathlib.Path, default=pathlib.Path("/usr/share/datasets/fashion-mnist"))
    options.add_argument("--epochs", type=int, default=14)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--threads", type=int, default=2, help="the weights depend on it in their last digits")
    options = options.parse_args()

    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    generator = torch.Generator().manual_seed(options.seed)

    train_images, train_labels = load(options.data, "train")
    test_images, test_labels = load(options.data, "t10k")
    x, y = to_input(train_images), torch.from_numpy(train_labels.astype(np.int64))
    test_x, test_y = to_input(test_images), torch.from_numpy(test_labels.astype(np.int64))

    net = network()
    optimizer = torch.optim.Adam(net.parameters())
    batch, steps = 128, len(x) // 128
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=options.epochs * steps)
    for epoch in range(options.epochs):
        order = torch.randperm(len(x), generator=generator)
        for i in range(steps):
            picked = order[i * batch:(i + 1) * batch]
            loss = F.cross_entropy(net(augmented(x[picked], generator)), y[picked])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        print(f"epoch {epoch + 1}/{options.epochs}: {100 * accuracy(net, test_x, test_y):.2f} % of test images",
              flush=True)

    weights = np.concatenate([p.detach().numpy().astype("<f4").ravel() for p in net.parameters()])
    (HERE / "weights.bin").write_bytes(weights.tobytes())
    data = HERE.parent / "data"
    data.mkdir(exist_ok=True)
    write_idx(data / "images.idx3-ubyte", test_images[:SAMPLE, 0])
    write_idx(data / "labels.idx1-ubyte", test_labels[:SAMPLE])
    print(f"{weights.nbytes} bytes of weights")


if __name__ == "__main__":
    main()
