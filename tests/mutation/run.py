#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Breaks the library in each of the ways in mutants.txt, one at a time, and runs the tests to see whether they notice.

A mutant's tests are compiled against a copy of the headers that is broken in that one place. It counts as caught if a
test fails, or does not end; one that does not compile is a fault of mutants.txt. The tests named with it are run
first, and all others only if those pass, so that a mutant that lives is one that no test notices.
"""

import argparse
import collections
import concurrent.futures
import hashlib
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import time

Mutant = collections.namedtuple("Mutant", "line header was is_now tests")


def read_mutants(path, include):
    """The mutants, each checked to name a place that occurs, and in one line alone."""
    mutants, header, tests, was = [], None, [], None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.startswith("#") or not line:
            continue
        if line.startswith("- "):
            was = line[2:]
            found = sum(was in text for text in (include / "chaff" / header).read_text().splitlines())
            if found != 1:
                sys.exit(f"{path}:{number}: in {found} lines of {header}: {was}")
        elif line.startswith("+"):
            mutants.append(Mutant(number - 1, header, was, line[2:], tests))
        else:
            header, _, names = line.partition(" : ")
            tests = names.split()
    return mutants


def absolute(text):
    return pathlib.Path(text).resolve()


class Bench:
    """Compiles tests and runs them, each with headers of its own."""

    def __init__(self, options):
        self.options = options
        self.tests = options.source / "tests"
        # what was caught stays so until the headers or that test change: a run that was cut off goes on from there
        self.caught = options.scratch / "caught"
        self.caught.mkdir(parents=True, exist_ok=True)
        self.common = hashlib.sha256(options.flags.encode() + options.compiler.encode())
        for path in sorted([*options.source.glob("include/**/*.h*"), *self.tests.glob("**/*.hpp")]):
            self.common.update(path.read_bytes())

    def program(self, name):
        """The source of a test and its flags: `path`, or `path:type` for the tests of one type."""
        path, _, element_type = name.partition(":")
        return self.tests / f"{path}.cpp", [f"-DCHAFF_ELEMENT_TYPE={element_type}"] if element_type else []

    def notices(self, name, headers, scratch):
        """Whether the test fails with these headers; raises if it does not compile."""
        source, flags = self.program(name)
        binary = scratch / name.replace("/", "_").replace(":", "_")
        command = [self.options.compiler, *shlex.split(self.options.flags), *flags, f"-I{headers}", f"-I{self.tests}",
                   f"-I{self.options.source / 'examples'}", f'-DCHAFF_TEST_DATA="{self.tests / "data"}"',
                   f'-DCHAFF_EXAMPLES="{self.options.source / "examples"}"', str(source), "-o", str(binary),
                   "-lgtest_main", "-lgtest", "-lrapidcheck", "-pthread"]
        compiled = subprocess.run(command, capture_output=True, text=True)
        if compiled.returncode != 0:
            raise RuntimeError(f"{name} does not compile:\n{compiled.stderr[:2000]}")
        try:
            ran = subprocess.run([binary, "--gtest_fail_fast", "--gtest_brief=1"], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, timeout=self.options.timeout, cwd=scratch)
            return ran.returncode != 0
        except subprocess.TimeoutExpired:
            return True
        finally:
            binary.unlink()

    def record(self, mutant, name):
        """Where it is kept that this test notices this mutant."""
        key = self.common.copy()
        key.update(self.program(name)[0].read_bytes())
        key.update(repr((mutant.header, mutant.was, mutant.is_now, name)).encode())
        return self.caught / key.hexdigest()

    def judge(self, mutant):
        """The name of the test that notices the mutant, or None."""
        others = [name for name in self.options.all_tests if name not in mutant.tests]
        for name in mutant.tests + others:
            if self.record(mutant, name).exists():
                return name
        scratch = self.options.scratch / f"mutant_{mutant.line}"
        shutil.rmtree(scratch, ignore_errors=True)
        shutil.copytree(self.options.source / "include", scratch / "include")
        broken = scratch / "include" / "chaff" / mutant.header
        broken.write_text(broken.read_text().replace(mutant.was, mutant.is_now, 1))
        try:
            for name in mutant.tests + others:
                if self.notices(name, scratch / "include", scratch):
                    self.record(mutant, name).touch()
                    return name
            return None
        finally:
            shutil.rmtree(scratch)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=absolute, required=True, help="the project")
    parser.add_argument("--check", action="store_true", help="only see that each mutant names one line of a header")
    parser.add_argument("--scratch", type=absolute, help="a folder for broken headers")
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--flags", default="", help="of the compiler")
    parser.add_argument("--tests", dest="all_tests", type=lambda text: text.split(";"), default=[])
    parser.add_argument("--every", type=int, default=1, help="take each n-th mutant alone")
    parser.add_argument("--only", default="", help="take the mutants of headers that begin so alone, a list with commas")
    parser.add_argument("--least", type=float, default=95, help="per cent that must be caught")
    parser.add_argument("--timeout", type=float, default=300, help="seconds for a test to end in")
    options = parser.parse_args()

    mutants = read_mutants(options.source / "tests" / "mutation" / "mutants.txt", options.source / "include")
    if options.check:
        return
    mutants = [each for each in mutants if each.header.startswith(tuple(options.only.split(",")))][::options.every]
    options.scratch.mkdir(parents=True, exist_ok=True)
    bench = Bench(options)
    begun = time.monotonic()
    lived, unfit = [], []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        # a test that fails with whole headers would notice anything
        named = sorted({name for each in mutants for name in each.tests})
        whole = options.source / "include"
        noticed = pool.map(lambda name: bench.notices(name, whole, options.scratch), named)
        if failing := [name for name, failed in zip(named, noticed) if failed]:
            sys.exit(f"with nothing broken these tests fail: {', '.join(failing)}")
        jobs = {pool.submit(bench.judge, each): each for each in mutants}
        for done, job in enumerate(concurrent.futures.as_completed(jobs), 1):
            mutant = jobs[job]
            where = f"{mutant.header}: {mutant.was} -> {mutant.is_now or 'nothing'}"
            left = (time.monotonic() - begun) / done * (len(jobs) - done)
            try:
                by = job.result()
                says = f"caught by {by}" if by else "LIVES"
                if by is None:
                    lived.append(where)
            except RuntimeError as error:
                unfit.append(f"{where}\n{error}")
                says = "DOES NOT COMPILE"
            print(f"{done} / {len(jobs)}, {left / 60:.0f} min left: {says}: {where}", flush=True)
    for each in unfit:
        print(f"no mutant: {each}")
    for each in lived:
        print(f"lives: {each}")
    caught = len(mutants) - len(lived) - len(unfit)
    share = 100 * caught / len(mutants)
    print(f"mutation: {caught} of {len(mutants)} mutants caught, {share:.1f} %, allowed is {options.least:g} % or more")
    sys.exit(0 if share >= options.least and not unfit else 1)


if __name__ == "__main__":
    main()
