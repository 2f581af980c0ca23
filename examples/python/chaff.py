# SPDX-License-Identifier: MIT
"""Defends a classifier's outputs against model stealing: libchaff for NumPy.

    import chaff
    defended = chaff.Defense("dcp(beta=1.2) | top_k(k=5)")(logits)

The text is that of chaff::parse_defense (chaff/any_defense.hpp). The library is the file that the environment variable
CHAFF_LIBRARY names, or else libchaff.so.0 where the system looks for libraries.
"""

import ctypes
import os
import weakref

import numpy

_library = ctypes.CDLL(os.environ.get("CHAFF_LIBRARY", "libchaff.so.0"))
_library.chaff_defense_create.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.POINTER(ctypes.c_void_p)]
_library.chaff_defense_destroy.argtypes = [ctypes.c_void_p]
_library.chaff_defense_destroy.restype = None
_library.chaff_last_error.restype = ctypes.c_char_p
_library.chaff_version.restype = ctypes.c_char_p
for _apply in (_library.chaff_apply_f32, _library.chaff_apply_f64):
    _apply.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_void_p]

_apply_of_type = {
    numpy.dtype(numpy.float32): _library.chaff_apply_f32,
    numpy.dtype(numpy.float64): _library.chaff_apply_f64,
}
_OUT_OF_MEMORY = 3


def version():
    """The library's version, and the instruction set that it was compiled for."""
    return _library.chaff_version().decode()


def _check(result):
    if result == _OUT_OF_MEMORY:
        raise MemoryError(_library.chaff_last_error().decode())
    if result != 0:
        raise ValueError(_library.chaff_last_error().decode())


def _encoded(text, what):
    if "\0" in text:
        raise ValueError(f"chaff: {what} has a NUL character")
    return text.encode()


class Defense:
    """A defense and its policy, each from text. Many threads may call one at once; calls run without the GIL.

    Raises ValueError for text that is wrong, with the position and what is allowed there. A pickle of a defense holds
    its text, and so the keys of its parts.
    """

    def __init__(self, defense, policy=""):
        self._text = (defense, policy)
        self._handle = ctypes.c_void_p()
        _check(_library.chaff_defense_create(
            _encoded(defense, "the defense"), _encoded(policy, "the policy"), ctypes.byref(self._handle)))
        weakref.finalize(self, _library.chaff_defense_destroy, self._handle)

    def __call__(self, logits, out=None):
        """Answers logits of shape (..., classes), in float32 or float64, as an array of the same shape and type.

        `out` is the array to write to: C-contiguous, of the same shape and type; it may be `logits` itself. Nothing is
        copied, except logits that are not C-contiguous or not aligned, which are copied once.
        Raises TypeError for another type, and ValueError for NaN, +inf, a row of only -inf, no classes, and an `out`
        that does not fit. `out` is then all zeros, where it fits.
        """
        if isinstance(logits, numpy.ma.MaskedArray):
            raise TypeError("chaff: a masked array hides its masked logits: fill them with -inf first")
        logits = numpy.require(logits, requirements=["C", "A"])
        apply = _apply_of_type.get(logits.dtype)
        if apply is None:
            raise TypeError(f"chaff: logits are float32 or float64, not {logits.dtype}")
        if logits.ndim == 0:
            raise ValueError("chaff: logits have an axis of classes, and a number has none")
        if out is None:
            out = numpy.empty(logits.shape, logits.dtype)
        elif not isinstance(out, numpy.ndarray) or out.dtype != logits.dtype or out.shape != logits.shape:
            raise ValueError(f"chaff: out must be an array of {logits.dtype} of shape {logits.shape}")
        elif not (out.flags.c_contiguous and out.flags.aligned and out.flags.writeable):
            raise ValueError("chaff: out must be C-contiguous, aligned and writeable")
        classes = logits.shape[-1]
        rows = logits.size // classes if classes else 0
        _check(apply(self._handle, logits.ctypes.data, rows, classes, out.ctypes.data))
        return out

    def __reduce__(self):
        return (Defense, self._text)


class Postprocessor:
    """A defense with the interface of the postprocessors of the Adversarial Robustness Toolbox (ART), for the argument
    `postprocessing_defences` of its classifiers. ART itself is not needed.

    The classifier's predictions must be logits, or `policy` must say what they are, such as "input=probabilities".
    """

    params = ["defense", "policy"]

    def __init__(self, defense="dcp", policy="", apply_fit=False, apply_predict=True):
        self._apply_fit = apply_fit
        self._apply_predict = apply_predict
        self.set_params(defense=defense, policy=policy)

    @property
    def is_fitted(self):
        return True

    @property
    def apply_fit(self):
        """Whether it is applied to predictions during training."""
        return self._apply_fit

    @property
    def apply_predict(self):
        """Whether it is applied to predictions."""
        return self._apply_predict

    def __call__(self, preds):
        """Answers predictions of shape (samples, classes), as a new array."""
        return self._defense(preds)

    def fit(self, preds, **kwargs):
        """Does nothing: there is nothing to fit."""

    def set_params(self, **kwargs):
        """Takes `defense` and `policy`, as the constructor does."""
        for name, value in kwargs.items():
            if name not in self.params:
                raise ValueError(f"chaff: {name} is no parameter, allowed are defense and policy")
            setattr(self, name, value)
        self._defense = Defense(self.defense, self.policy)
