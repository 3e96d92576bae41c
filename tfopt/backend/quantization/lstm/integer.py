"""The states that TFLite's integer LSTM operator computes, to the last bit but for the rounding of float32.

Inside of a step the operator has 16 bits (`lstm_eval.cc` of TFLite, `8x8_16`): the two products of a gate are rounded
to units of 2^-12, each by a multiplier and a shift, which round one after the other; the functions of the gates are
those of `fixed_point`; the cell has a power of two as its scale. Each is much finer than the 8 bits of a state,
but without them 2 to 7 % of the states of a layer are one step off, and of stacked layers a quarter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf
from tf_keras import backend, layers

from tfopt.backend.quantization.lstm import fixed_point
from tfopt.backend.quantization.quantizers import LARGEST_INTEGER, STEPS, Ranges

CELL_MARGIN = 2.0
"""How much larger than in training a cell may be."""
CELL_SCALES = (2.0**-13, 2.0**-9)
"""Limits of the scale of a cell: a range of 4, and one of 64, the largest that the kernel accepts. 16 bits leave
steps of 0.0001 to 0.002, finer than the 8 bits of the result."""
_GATES = 4
_UNIT = 2.0**-12
"""Of what goes into the function of a gate."""
_INTEGER_BITS = 3
"""Before the point of such a number, in 16 bits."""
_CELL_BITS = range(2, 7)
"""The same of a cell, from the smallest scale to the largest."""
_LOWEST, _HIGHEST = -(2.0**15), 2.0**15 - 1


def states(
    inputs: tf.Tensor,
    cell: layers.LSTMCell,
    go_backwards: bool,
    rounded: Callable[[tf.Tensor], tf.Tensor],
    state_range: Ranges,
    cell_range: Ranges,
    input_range: Ranges | None,
) -> tf.Tensor:
    """The states of all steps, before they are rounded to 8 bits: (examples, steps, units).

    Args:
        inputs: rounded to 8 bits: (examples, steps, channels).
        cell: built, with kernels that are not rounded.
        go_backwards: of the layer.
        rounded: rounds a state.
        state_range: with which it does.
        cell_range: of the cell.
        input_range: with which the inputs are rounded; None where it is not known.
    """
    kernel, kernel_scales = _integers(cell.kernel)
    recurrent, recurrent_scales = _integers(cell.recurrent_kernel)
    scales = None if input_range is None else kernel_scales * _step(input_range)
    state_scales = recurrent_scales * _step(state_range)
    cell_scale = _cell_scale(cell_range)
    sigmoid, tanh = (tf.constant(table(_INTEGER_BITS), tf.float32) for table in (fixed_point.sigmoid, fixed_point.tanh))
    bits = tf.cast(tf.round(_log2(cell_scale)), tf.int32) + 15 - _CELL_BITS[0]
    of_cell = tf.gather(tf.constant(np.stack([fixed_point.tanh(b) for b in _CELL_BITS]), tf.float32), bits)
    one = float(fixed_point.ONE)

    def step(given: tf.Tensor, before: Sequence[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
        state, cells = before
        gates = _saturated(given + _units(tf.matmul(state, recurrent * recurrent_scales), state_scales))
        into, forget, new, out = tf.split(gates, _GATES, axis=-1)
        kept = _nearest(_looked_up(sigmoid, forget) * cells / one)
        added = _nearest(_looked_up(sigmoid, into) * _looked_up(tanh, new) / (one * one * cell_scale))
        cells = _saturated(kept + added)
        state = _looked_up(sigmoid, out) * _looked_up(of_cell, cells) / (one * one)
        return state, [rounded(state), cells]

    bias = cell.bias if scales is None else _nearest(cell.bias / scales) * scales
    given = _saturated(_units(tf.tensordot(inputs, kernel * kernel_scales, 1) + bias, scales))
    units = recurrent.shape[0]
    given = tf.ensure_shape(given, [*inputs.shape[:2], _GATES * units])
    zeros = tf.zeros([tf.shape(inputs)[0], units], inputs.dtype)
    _, found, _ = backend.rnn(step, given, [zeros, zeros], go_backwards=go_backwards)
    return found


def _integers(kernel: tf.Variable) -> tuple[tf.Tensor, tf.Tensor]:
    """A kernel in 8 bits, and the scale of each of its columns: that of the gate."""
    values = tf.convert_to_tensor(kernel)
    units = values.shape[-1] // _GATES
    gates = tf.reshape(values, [-1, _GATES, units])
    largest = tf.reduce_max(tf.abs(gates), axis=[0, 2])
    scales = tf.repeat(tf.where(largest > 0, largest, tf.ones_like(largest)) / LARGEST_INTEGER, units)
    return tf.round(values / scales), scales


def _step(ranges: Ranges) -> tf.Tensor:
    width = ranges["max_var"] - ranges["min_var"]
    return tf.where(width > 0, width, tf.ones_like(width)) / STEPS


def _cell_scale(ranges: Ranges) -> tf.Tensor:
    largest = CELL_MARGIN * tf.maximum(-ranges["min_var"], ranges["max_var"])
    return tf.clip_by_value(2.0 ** tf.math.ceil(_log2(largest)) / fixed_point.ONE, *CELL_SCALES)


def _units(values: tf.Tensor, scales: tf.Tensor | None) -> tf.Tensor:
    """Sums of products as integers: rounded first to the power of two that the shift divides by, then to the unit."""
    units = values / _UNIT
    if scales is None:
        return _nearest(units)
    finer = tf.minimum(2.0 ** (tf.math.floor(_log2(scales / _UNIT)) + 1), 1.0)
    return _nearest(_nearest(units / finer) * finer)


def _nearest(values: tf.Tensor) -> tf.Tensor:
    """Halves away from zero."""
    return tf.sign(values) * tf.floor(tf.abs(values) + 0.5)


def _saturated(values: tf.Tensor) -> tf.Tensor:
    return tf.clip_by_value(values, _LOWEST, _HIGHEST)


def _looked_up(table: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    return tf.gather(table, tf.cast(values - _LOWEST, tf.int32))


def _log2(values: tf.Tensor) -> tf.Tensor:
    return tf.math.log(values) / np.log(2.0).astype(np.float32)
