"""Hashes of numbers by their exact value, whatever type holds them.

A number is q·2^e, where q is a fraction with odd numerator and divisor, so that q has a residue modulo 2^128. The hash
is made of this residue and the exponent. So 5 has one hash as an integer, a double and a decimal, and the decimal 0.1
has a hash that no double has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataops_platform.warehouse.row_hash.mix import constant, key, mix, weight

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dataops_platform.warehouse.row_hash.mix import Words

    Integers = NDArray[np.int64]

_LOW_HALF = 2**32 - 1
_MANTISSA = 2**52 - 1
_BIAS = 1075  # of a double's exponent when its mantissa is read as an integer
_NOT_FINITE = 0x7FF


def hash_integers(values: Integers, kind: str = "number", scale: int = 0) -> Words:
    """Return the hashes of values·10^-scale."""
    zeros = _trailing_zeros(values.view("u8"))
    return _hashed((values >> zeros).view("u8"), (values >> 63).view("u8"), zeros, kind, scale)


def hash_wide_integers(low: Words, high: Integers, scale: int = 0) -> Words:
    """Return the hashes of (high·2^64 + low)·10^-scale."""
    import numpy as np

    if (high == low.view("i8") >> 63).all():  # the usual case: all values fit into 64 bits
        return hash_integers(low.view("i8"), scale=scale)
    zeros = np.where(low != 0, _trailing_zeros(low), 64 + _trailing_zeros(high.view("u8")))
    short, long = np.minimum(zeros, 63), np.clip(zeros - 64, 0, 63)
    from_low = low >> short.view("u8")
    from_high = high.view("u8") << 1 << (63 - short).view("u8")
    odd = np.where(zeros < 64, from_low | from_high, (high >> long).view("u8"))
    return _hashed(odd, (high >> short).view("u8"), zeros, "number", scale)


def hash_floats(values: NDArray[np.float64]) -> Words:
    """Return the hashes of doubles. -0.0 is 0, and NaN is one value whatever its bits."""
    import numpy as np

    bits: Words = (values + 0.0).view("u8")
    biased = (bits >> 52) & _NOT_FINITE
    mantissa = (bits & _MANTISSA) | (biased != 0).astype("u8") << 52
    zeros = _trailing_zeros(mantissa)
    sign: Words = np.negative(bits >> 63)  # all bits of a negative number, none of another
    odd = ((mantissa >> zeros.view("u8")) ^ sign) - sign
    exponent = np.maximum(biased, 1).view("i8") + zeros - _BIAS
    found = _hashed(odd, sign, exponent, "number", 0)
    not_finite = biased == _NOT_FINITE
    if not_finite.any():
        found[not_finite & (sign == 0)] = constant("number", "infinity")
        found[not_finite & (sign != 0)] = constant("number", "-infinity")
        found[np.isnan(values)] = constant("number", "nan")
    return found


def _trailing_zeros(words: Words) -> Integers:
    """Return the number of trailing zero bits of each word: 64 for zero."""
    import numpy as np

    zeros: Integers = np.bitwise_count(~words & (words - 1)).astype("i8")
    return zeros


def _hashed(low: Words, high: Words, exponent: Integers, kind: str, scale: int) -> Words:
    """Return the hashes of (high·2^64 + low)·2^exponent·10^-scale, where `low` is odd, or both are 0."""
    if scale:
        fives = pow(5, -scale, 2**128)
        high = _upper_product(low, fives % 2**64) + low * (fives >> 64) + high * (fives % 2**64)
        low = low * (fives % 2**64)
    exponent = (exponent - scale) * (low != 0)
    words = low + high * weight("high") + exponent.view("u8") * weight("exponent")
    words += key(kind)
    return mix(words)


def _upper_product(words: Words, factor: int) -> Words:
    """Return the upper 64 bits of the 128-bit products."""
    low, high = words & _LOW_HALF, words >> 32
    across = high * (factor & _LOW_HALF) + (low * (factor & _LOW_HALF) >> 32)
    middle = low * (factor >> 32) + (across & _LOW_HALF)
    upper: Words = high * (factor >> 32) + (across >> 32) + (middle >> 32)
    return upper
