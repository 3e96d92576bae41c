"""Recurrent layers and causal convolutions that take their state and return it."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from tfopt.backend.compat.slice_update import dynamic_update_slice
from tfopt.backend.generation.step import EitherLayer, Step
from tfopt.backend.types import Nested
from tfopt.errors import ExportError


def recurrent(layer: EitherLayer, step: Step) -> Callable[..., Nested]:
    """`call` of LSTM, GRU, SimpleRNN and RNN, of tf_keras and Keras 3.

    Several positions are a loop over the cell, whose body TFLite runs as a graph of its own, weights shared with that
    of one position.
    """
    for key, reason in {
        "go_backwards": "it reads the sequence from its end",
        "stateful": "stateful=True keeps its state inside",
        "time_major": "time_major=True puts positions first",
    }.items():
        if getattr(layer, key, False):
            raise ExportError(reason, code="not_stepwise")

    def call(inputs: tf.Tensor, *args: object, initial_state: Nested = None, **others: object) -> Nested:
        if initial_state is not None or others.get("constants") is not None:
            raise ExportError("its first state comes from a different layer", code="not_stepwise")
        names, states = step.next_states([(1, size) for size in _sizes(layer.cell)])
        if step.length == 1:
            output, after = _cell(layer.cell, tf.reshape(inputs, (1, int(inputs.shape[-1]))), states)
            outputs = tf.expand_dims(output, 1)
        else:
            output, outputs, after = _loop(layer.cell, inputs, states)
        step.new.update(zip(names, after, strict=True))
        returned = outputs if layer.return_sequences else output
        return [returned, *after] if layer.return_state else returned

    return call


def _sizes(cell: EitherLayer) -> list[int]:
    sizes = tf.nest.flatten(cell.state_size)
    if not all(isinstance(size, int) for size in sizes) or "Conv" in type(cell).__name__:
        raise ExportError(f"the state of {type(cell).__name__} is no list of vectors", code="not_stepwise")
    return sizes


def _cell(cell: EitherLayer, inputs: tf.Tensor, states: list[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
    """The output of a cell at one position, and its new states in one list."""
    size = cell.state_size
    packed = tf.nest.pack_sequence_as(size, states) if isinstance(size, (list, tuple)) else states
    output, after = cell(inputs, packed)
    return output, tf.nest.flatten(after)


def _loop(
    cell: EitherLayer, inputs: tf.Tensor, states: list[tf.Tensor]
) -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor]]:
    """The last output, all outputs (1, length, units) and the states after it.

    Outputs are written into one tensor: a TensorArray of TensorFlow becomes operators that TFLite does not have.
    """
    length, width = int(inputs.shape[1]), int(inputs.shape[2])

    def at(position: int | tf.Tensor, states: list[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
        return _cell(cell, tf.reshape(tf.slice(inputs, [0, position, 0], [1, 1, width]), (1, width)), states)

    output, after = at(0, states)
    outputs = tf.concat([tf.expand_dims(output, 1), tf.zeros((1, length - 1, int(output.shape[-1])))], 1)

    def body(position: tf.Tensor, outputs: tf.Tensor, states: list[tf.Tensor]) -> tuple[object, ...]:
        output, after = at(position, states)
        return position + 1, dynamic_update_slice(outputs, tf.expand_dims(output, 1), [0, position, 0]), after

    _, outputs, after = tf.while_loop(lambda position, *_: position < length, body, (tf.constant(1), outputs, after))
    return tf.reshape(tf.slice(outputs, [0, length - 1, 0], [1, 1, -1]), output.shape), outputs, after


def causal_convolution(layer: EitherLayer, step: Step) -> Callable[..., tf.Tensor]:
    """`call` of Conv1D with padding="causal": the state is the inputs that the next outputs still see."""

    def call(inputs: tf.Tensor) -> tf.Tensor:
        seen = (layer.kernel_size[0] - 1) * layer.dilation_rate[0]
        width = int(inputs.shape[-1])
        joined = inputs
        if seen:
            (name,), (before,) = step.next_states([(1, seen, width)])
            joined = tf.concat([before, inputs], 1)
            step.new[name] = tf.slice(joined, [0, step.length, 0], [1, seen, width])
        outputs = tf.nn.conv1d(joined, layer.kernel, 1, "VALID", dilations=layer.dilation_rate[0])
        outputs = outputs + layer.bias if layer.use_bias else outputs
        return outputs if layer.activation is None else layer.activation(outputs)

    return call
