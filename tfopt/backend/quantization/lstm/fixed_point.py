"""Sigmoid and tanh of 16-bit integers as the kernels of TFLite's LSTM operator compute them, as tables.

The operator uses gemmlowp's fixed-point functions (`fixedpoint/fixedpoint.h`: a Taylor series of exp, factors for the
further bits, and three steps of Newton for the quotient), whose results are off by up to 12 units in the last place.
Here they are computed for all 65,536 arguments at once.
"""

from __future__ import annotations

import functools
import math
from typing import TypeAlias

import numpy as np

from tfopt.backend.types import Array

ONE = 2**15
"""What 1 is, of results: they have no integer bits."""
_LAST = ONE - 1
_NEWTON_STEPS = 3
_QUARTERS = range(-2, 5)
"""Powers of two from 1/4 on, whose exp is multiplied in where the argument has the bit."""
Raw: TypeAlias = Array
"""16-bit integers, held in 64."""


@functools.cache
def sigmoid(integer_bits: int) -> Array:
    """Results in units of 1/ONE for the arguments -2^15 to 2^15 - 1, which have `integer_bits` before the point."""
    given = np.arange(-ONE, ONE, dtype=np.int64)
    exponential = _exp(_negative(given), integer_bits)
    positive = _rescaled(_newton(exponential), 1)
    return np.where(given == 0, ONE // 2, np.where(given > 0, positive, _LAST - positive)).astype(np.int32)


@functools.cache
def tanh(integer_bits: int) -> Array:
    """As `sigmoid`."""
    given = np.arange(-ONE, ONE, dtype=np.int64)
    exponential = _exp(_negative(given), integer_bits + 1)
    positive = _rescaled(_newton(exponential) - ONE // 4, 2)
    return np.where(given == 0, 0, np.where(given > 0, positive, -positive)).astype(np.int32)


def _negative(given: Raw) -> Raw:
    return -np.abs(given)


def _exp(given: Raw, integer_bits: int) -> Raw:
    """Of values up to 0."""
    fraction = 15 - integer_bits
    quarter = 2 ** (fraction - 2)
    below = (given & (quarter - 1)) - quarter
    result = _exp_near_zero(_rescaled(below, integer_bits))
    remainder = below - given
    for power in _QUARTERS:
        if integer_bits > power:
            has_bit = (remainder & 2 ** (fraction + power)) != 0
            result = np.where(has_bit, _times(result, _constant(math.exp(-(2.0**power)))), result)
    if integer_bits > 5:
        result = np.where(given < -(2 ** (fraction + 5)), 0, result)
    return np.where(given == 0, _LAST, result)


def _exp_near_zero(given: Raw) -> Raw:
    """Of values from -1/4 to 0, by a Taylor series around -1/8."""
    constant = _constant(math.exp(-1 / 8))
    x = given + ONE // 8
    square = _times(x, x)
    cube = _times(square, x)
    fourth = _times(square, square)
    rest = _divided(_times(_divided(fourth, 2) + cube, _constant(1 / 3)) + square, 1)
    return _saturated(constant + _times(constant, x + rest))


def _newton(exponential: Raw) -> Raw:
    """2 / (1 + x) of x from 0 to 1, with two integer bits."""
    half = (exponential + _LAST + 1) // 2
    one = ONE // 4
    x = _constant(48 / 17 / 4) + _times(half, _constant(-32 / 17 / 4))
    for _ in range(_NEWTON_STEPS):
        x = x + _rescaled(_times(x, one - _times(half, x)), 2)
    return x


def _constant(value: float) -> int:
    """A number without integer bits: of 32 bits, rounded to 16."""
    return int(_divided(np.array(round(value * 2**31)), 16))


def _times(one: Raw | int, other: Raw | int) -> Raw:
    product = np.asarray(one * other)
    nudged = product + np.where(product >= 0, 2**14, 1 - 2**14)
    return _saturated(np.sign(nudged) * (np.abs(nudged) // ONE))


def _divided(value: Raw, power: int) -> Raw:
    """By a power of two, rounded to the nearest; halves away from zero."""
    if power == 0:
        return value
    mask = 2**power - 1
    return (value >> power) + ((value & mask) > (mask >> 1) + (value < 0))


def _rescaled(value: Raw, bits: int) -> Raw:
    return _saturated(value << bits)


def _saturated(value: Raw) -> Raw:
    return np.clip(value, -ONE, _LAST)
