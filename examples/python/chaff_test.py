# SPDX-License-Identifier: MIT
"""Tests chaff.py: chaff_test.py GOLDEN, the file of reference posteriors."""

import copy
import pickle
import subprocess
import sys
import threading
import tracemalloc
import unittest

import numpy

import chaff

golden = sys.argv.pop()


def softmax(z):
    e = numpy.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def dcp(z, beta=0.9, gamma=0.2, nu=1000.0, tau=None):
    """The formula of the paper with the authors' clamped odds, in float64."""
    p = softmax(z.astype(numpy.float64))
    log_odds = numpy.clip(numpy.log(p) - numpy.log1p(-p), numpy.log(1e-12), 0)
    r = beta * (1 / (1 + numpy.exp(-gamma * log_odds)) - 0.5)
    step = numpy.clip(nu * (p.max(axis=-1, keepdims=True) - (beta if tau is None else tau)), -700, 700)
    weights = numpy.clip(p - r / (1 + numpy.exp(step)), 0, None)
    return weights / weights.sum(axis=-1, keepdims=True)


def some_logits(*shape, dtype=numpy.float64):
    return numpy.random.default_rng(20260407).normal(0, 3, shape).astype(dtype)


class Values(unittest.TestCase):
    def test_formula_of_dcp_in_numpy(self):
        z = some_logits(200, 17)
        for text, expected in (("dcp(beta=1.2)", dcp(z, beta=1.2)), ("dcp(nu=3, tau=0.6)", dcp(z, nu=3, tau=0.6)),
                               ("none", softmax(z))):
            answer = chaff.Defense(text, "keep_label=false")(z)
            numpy.testing.assert_allclose(answer, expected, rtol=0, atol=1e-12)
            answer = chaff.Defense(text, "keep_label=false")(z.astype(numpy.float32))
            numpy.testing.assert_allclose(answer, expected, rtol=0, atol=5e-6)

    def test_golden_rows(self):
        compared = {}
        with open(golden) as file:
            lines = [line for line in file if line.strip() and not line.startswith("#")]
        for line in lines:
            _, name, parameters, _, logits, _, expected = line.rstrip("\n").split(";")
            if name not in ("softmax", "reverse_sigmoid", "dcp"):
                continue
            values = dict(each.split("=") for each in parameters.replace(",", " ").split())
            text = {"softmax": "none"}.get(name, name)
            if values:
                text += "(" + ", ".join(f"{key}={value}" for key, value in values.items()) + ")"
            z = numpy.array(logits.split(), numpy.float32)
            p_k = softmax(z.astype(numpy.float64)).max()
            near_step = name == "dcp" and abs(p_k - float(values["beta"])) <= 0.02
            answer = chaff.Defense(text, "keep_label=false")(z)
            numpy.testing.assert_allclose(answer, numpy.array(expected.split(), numpy.float32), rtol=0,
                                          atol=2e-5 if near_step else 2e-6, err_msg=line)
            compared[name] = compared.get(name, 0) + 1
        self.assertGreater(compared["softmax"], 50)
        self.assertGreater(compared["reverse_sigmoid"], 300)
        self.assertGreater(compared["dcp"], 600)


class Arrays(unittest.TestCase):
    defense = chaff.Defense("dcp(beta=1.2)")

    def test_shape_and_type_are_kept(self):
        for dtype in (numpy.float32, numpy.float64):
            flat = some_logits(30, 7, dtype=dtype)
            expected = self.defense(flat)
            for shape in ((30, 7), (5, 6, 7), (2, 3, 5, 7), (1, 30, 1, 7)):
                answer = self.defense(flat.reshape(shape))
                self.assertEqual((answer.shape, answer.dtype), (shape, numpy.dtype(dtype)))
                self.assertEqual(answer.tobytes(), expected.tobytes())
            self.assertEqual(self.defense(flat[3]).tobytes(), expected[3].tobytes())
            self.assertEqual(self.defense(numpy.empty((0, 7), dtype)).shape, (0, 7))
        self.assertEqual(self.defense([[1.0, 2.0]]).shape, (1, 2))

    def test_any_memory_layout(self):
        z = some_logits(40, 9)
        expected = self.defense(z)
        views = {"Fortran": numpy.asfortranarray(z), "transposed": z.T.copy().T, "every second": numpy.repeat(z, 2, 0)[::2],
                 "columns": numpy.repeat(z, 2, 1)[:, ::2], "backwards": z[::-1].copy()[::-1],
                 "unaligned": numpy.frombuffer(b"x" + z.tobytes(), numpy.float64, offset=1).reshape(z.shape)}
        for name, view in views.items():
            before = view.tobytes()
            self.assertEqual(self.defense(view).tobytes(), expected.tobytes(), name)
            self.assertEqual(view.tobytes(), before, name)
        read_only = z.copy()
        read_only.flags.writeable = False
        self.assertEqual(self.defense(read_only).tobytes(), expected.tobytes())

    def test_out_and_in_place(self):
        z = some_logits(8, 5)
        expected = self.defense(z)
        out = numpy.full((8, 5), 7.0)
        self.assertIs(self.defense(z, out=out), out)
        self.assertEqual(out.tobytes(), expected.tobytes())
        self.assertIs(self.defense(z, out=z), z)
        self.assertEqual(z.tobytes(), expected.tobytes())

    def test_nothing_is_copied(self):
        z = some_logits(1000, 1000, dtype=numpy.float32)
        out = numpy.empty_like(z)
        tracemalloc.start()
        self.defense(z, out=out)
        self.defense(z, out=z)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        self.assertLess(peak, 100_000)

    def test_out_that_does_not_fit_is_refused(self):
        z = some_logits(4, 6)
        read_only = numpy.empty((4, 6))
        read_only.flags.writeable = False
        memory = numpy.zeros(40)
        for out in (numpy.empty((6, 4)), numpy.empty(24), numpy.empty((4, 6), numpy.float32), numpy.empty((4, 12))[:, ::2],
                    numpy.empty((6, 4)).T, read_only, [0.0] * 24):
            with self.assertRaises(ValueError):
                self.defense(z, out=out)
        with self.assertRaisesRegex(ValueError, "overlap in part"):
            self.defense(memory[:24].reshape(4, 6), out=memory[6:30].reshape(4, 6))

    def test_other_types_are_refused(self):
        for z in (numpy.zeros((2, 3), numpy.int64), numpy.zeros((2, 3), numpy.float16), numpy.zeros((2, 3), ">f4"),
                  numpy.zeros((2, 3), numpy.complex128), numpy.array(["a"]), numpy.array([None]),
                  numpy.ma.masked_array([1.0, 2.0], [True, False])):
            with self.assertRaises(TypeError):
                self.defense(z)

    def test_bad_rows_raise_and_leave_zeros(self):
        z = some_logits(4, 3)
        for bad in (numpy.nan, numpy.inf):
            z[2, 1] = bad
            out = numpy.full((4, 3), 7.0)
            with self.assertRaisesRegex(ValueError, "logit 1 of row 2 is"):
                self.defense(z, out=out)
            self.assertFalse(out.any())
        for z in (numpy.array(1.0), numpy.empty((3, 0)), numpy.empty(0)):
            with self.assertRaises(ValueError):
                self.defense(z)


class Texts(unittest.TestCase):
    def test_errors_say_where(self):
        for text, policy, words in (("dpc", "", "defense, position 0: read 'dpc'"), ("dcp", "max_l1=3", "policy, position 7"),
                                    ("dcp\0junk", "", "NUL"), ("dcp", "max_l1=1\0", "NUL"), ("mad", "", "surrogate"),
                                    ("dcp(beta=1\u0661)", "", "position")):
            with self.assertRaisesRegex(ValueError, words):
                chaff.Defense(text, policy)
        self.assertRegex(chaff.version(), r"^\d+\.\d+\.\d+ \(\w+\)$")

    def test_copies_and_pickles_answer_alike(self):
        z = some_logits(5, 4)
        defense = chaff.Defense("gated(always, random_vertex(key=000102030405060708090a0b0c0d0e0f))", "max_l1=0.5")
        for other in (pickle.loads(pickle.dumps(defense)), copy.deepcopy(defense), copy.copy(defense)):
            self.assertEqual(other(z).tobytes(), defense(z).tobytes())
        self.assertNotIn("0001", repr(defense))

    def test_threads_share_a_defense(self):
        z, defense = some_logits(300, 50), chaff.Defense("dcp | rounded(decimals=2)")
        expected, answers = defense(z).tobytes(), []
        threads = [threading.Thread(target=lambda: answers.append(defense(z).tobytes())) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        self.assertEqual(answers, [expected] * 8)

    def test_missing_library_is_an_import_error(self):
        run = subprocess.run([sys.executable, "-c", "import chaff"], env={"CHAFF_LIBRARY": "/nonexistent.so"},
                             cwd=sys.path[0], capture_output=True, text=True, timeout=60)
        self.assertIn("/nonexistent.so", run.stderr)


class Art(unittest.TestCase):
    def test_postprocessor_is_used_as_art_does(self):
        z = some_logits(6, 4, dtype=numpy.float32)
        before = z.copy()
        postprocessor = chaff.Postprocessor("dcp(beta=1.2)")
        self.assertEqual((postprocessor.apply_fit, postprocessor.apply_predict, postprocessor.is_fitted), (False, True, True))
        postprocessor.fit(preds=z)
        answer = postprocessor(preds=z)
        self.assertEqual(answer.tobytes(), chaff.Defense("dcp(beta=1.2)")(z).tobytes())
        self.assertEqual(z.tobytes(), before.tobytes())
        postprocessor.set_params(policy="input=probabilities")
        probabilities = softmax(z)
        self.assertEqual(postprocessor(probabilities).tobytes(),
                         chaff.Defense("dcp(beta=1.2)", "input=probabilities")(probabilities).tobytes())
        with self.assertRaises(ValueError):
            postprocessor.set_params(beta=1)


if __name__ == "__main__":
    unittest.main()
