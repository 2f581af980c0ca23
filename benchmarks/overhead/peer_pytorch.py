# SPDX-License-Identifier: MIT
"""The published formula of DCP in PyTorch, on one thread, beside chaff on the same shapes, by turns.

peer_pytorch.py OVERHEAD_PROGRAM [CSV]

Prints the ratio for each shape, and appends PyTorch's figures to the CSV. The formula is that of arXiv 2309.01838:
p = softmax(z), r = beta (sigmoid(gamma logit p) - 1/2), alpha = 1 / (1 + exp(nu (max p - beta))), y = p - alpha r, y / sum y,
with p / (1 - p) clamped to [1e-12, 1 - 1e-12].
"""
import csv
import statistics
import subprocess
import sys
import tempfile
import time

import torch

BETA, GAMMA, NU = 0.9, 0.2, 1000.0
SHAPES = [(1, 10), (64, 10), (1, 100), (1, 1000), (64, 1000), (1, 21843), (1, 131072)]
AIMS = {(1, 10): 100, (64, 1000): 4}
TURNS = 7


def defended(logits):
    p = torch.softmax(logits, dim=1)
    odds = torch.clamp(p / (1 - p), 1e-12, 1 - 1e-12)
    r = BETA * (torch.sigmoid(GAMMA * torch.log(odds)) - 0.5)
    alpha = torch.sigmoid(-NU * (p.max(dim=1, keepdim=True).values - BETA))
    y = p - alpha * r
    return y / y.sum(dim=1, keepdim=True)


def nanoseconds(call, seconds=0.1):
    call()
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 5:
        start = time.perf_counter_ns()
        call()
        times.append(time.perf_counter_ns() - start)
    return statistics.median(times)


def nanoseconds_of_chaff(program, rows, classes):
    with tempfile.NamedTemporaryFile("r", suffix=".csv") as file:
        name = f"^dcp/open/float/K:{classes}/rows:{rows}/"  # what follows is how long it is to run
        subprocess.run([program, "--csv", file.name, f"--benchmark_filter={name}"], check=True, capture_output=True)
        return float(list(csv.reader(file, delimiter=";"))[0][2])


def main():
    program = sys.argv[1]
    torch.set_num_threads(1)
    torch.manual_seed(1)
    print(f"\nPyTorch {torch.__version__}, one thread, gate open       chaff ns   PyTorch ns    times  aim")
    lines = []
    for rows, classes in SHAPES:
        logits = 2 * torch.randn(rows, classes)
        logits[:, 0] = logits[:, 1] = logits.max(dim=1).values  # two alike: none has more than half, the gate is open
        softmax = nanoseconds(lambda: torch.softmax(logits, dim=1))
        ours, theirs = [], []
        with torch.no_grad():
            for _ in range(TURNS):
                theirs.append(nanoseconds(lambda: defended(logits)))
                ours.append(nanoseconds_of_chaff(program, rows, classes))
        times = statistics.median(t / o for t, o in zip(theirs, ours))
        aim = AIMS.get((rows, classes), "")
        print(f"{rows:4} x {classes:<6} {'':30} {statistics.median(ours):10.0f} {statistics.median(theirs):12.0f} "
              f"{times:8.1f}  {aim} {'missed' if aim and times < aim else ''}")
        ns = statistics.median(theirs)
        lines.append(f"PyTorch {torch.__version__};PyTorch dcp/open/float/K:{classes}/rows:{rows};{ns:.1f};"
                     f"{ns / (rows * classes):.4f};{ns / softmax:.3f};")
    if len(sys.argv) > 2:
        with open(sys.argv[2], "a", encoding="utf-8") as file:
            file.write("# of PyTorch, ratio is to PyTorch's own softmax\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
