"""An LSTM that rounds as TFLite's integer operator does: its kernels once, its state at every step.

The operator has one scale for each of the eight kernels of its gates, one for its state, which is that of its result,
and 16 bits inside of a step. These are much finer than the result: training leaves them out, inference computes them as
the operator does (`integer`). The converter makes the operator of a function of tf_keras alone, so where a
file is made the layer computes as its base class does, in float.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import tensorflow as tf
import tf_keras
from tf_keras import backend, layers

from tfopt.backend.devices import replicas
from tfopt.backend.graph.connections import Graph
from tfopt.backend.quantization.canonical.lstm_scales import is_lstm_operator
from tfopt.backend.quantization.canonical.weights import leaf, named
from tfopt.backend.quantization.in_file import in_file
from tfopt.backend.quantization.lstm import integer
from tfopt.backend.quantization.quantizers import (
    ActivationQuantizer,
    InputQuantizer,
    KernelQuantizer,
    Observing,
    Ranges,
)
from tfopt.backend.types import Nested

RANGE = "rounded_state"
"""Begins the names of the two variables that hold the range of the state."""
CELL = "rounded_cell"
"""Begins the names of those with the range of the cell."""
_GATES = 4
_LARGEST = 8.0
"""Of what goes into the function of a gate: the operator has 16 bits for -8 to 8."""


class SimulatedLSTM(layers.LSTM):
    """An LSTM whose kernels and state are rounded; also in inference, but not where a file is made (`as_operators`)."""

    def build(self, input_shape: Sequence[int | None]) -> None:
        super().build(input_shape)
        self.quantizer = ActivationQuantizer()
        self.cell_quantizer = InputQuantizer()
        shape = tf.TensorShape([None, self.units])
        self.ranges: Ranges = self.quantizer.build(shape, RANGE, self)
        self.cell_ranges: Ranges = self.cell_quantizer.build(shape, CELL, self)
        # A function: tf_keras would take the variables of the layer before for its own.
        self.input_range: Callable[[], Ranges | None] = lambda: None

    def call(
        self,
        inputs: tf.Tensor,
        mask: tf.Tensor | None = None,
        training: bool | None = None,
        initial_state: Nested = None,
    ) -> tf.Tensor:
        if in_file():
            return super().call(inputs, mask=mask, training=training, initial_state=initial_state)
        training = bool(backend.learning_phase()) if training is None else training
        self.reset_dropout_mask()
        dropped = self.get_dropout_mask_for_cell(inputs, training, count=_GATES)
        if dropped is not None:
            inputs = inputs * dropped[0]
        if training or self.quantizer.observing:
            states, cells = self._steps(inputs)
            for quantizer, values, ranges in (
                (self.quantizer, states, self.ranges),
                (self.cell_quantizer, cells, self.cell_ranges),
            ):
                if training:
                    _follow(quantizer, values, ranges)
                else:
                    quantizer(values, False, ranges)
        else:
            states = integer.states(
                inputs, self.cell, self.go_backwards, self._rounded, self.ranges, self.cell_ranges, self.input_range()
            )
        rounded = self._rounded(states)
        return rounded if self.return_sequences else rounded[:, -1]

    def _steps(self, inputs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The states and cells of all steps, before they are rounded: (examples, steps, units)."""
        kernel, recurrent = (_rounded_gates(weight) for weight in (self.cell.kernel, self.cell.recurrent_kernel))

        def step(given: tf.Tensor, states: Sequence[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
            state, cell = states
            gates = given + tf.matmul(state, recurrent)
            into, forget, new, out = tf.split(tf.clip_by_value(gates, -_LARGEST, _LARGEST), _GATES, axis=-1)
            cell = tf.sigmoid(forget) * cell + tf.sigmoid(into) * tf.tanh(new)
            state = tf.sigmoid(out) * tf.tanh(cell)
            return tf.concat([state, cell], -1), [self._rounded(state), cell]

        zeros = tf.zeros([tf.shape(inputs)[0], self.units], inputs.dtype)
        given = tf.tensordot(inputs, kernel, 1) + self.cell.bias
        given = tf.ensure_shape(given, [*inputs.shape[:2], _GATES * self.units])
        _, both, _ = backend.rnn(step, given, [zeros, zeros], go_backwards=self.go_backwards)
        states, cells = tf.split(both, 2, axis=-1)
        return states, cells

    def _rounded(self, state: tf.Tensor) -> tf.Tensor:
        if self.quantizer.observing:
            return state
        return tf.quantization.fake_quant_with_min_max_vars(state, self.ranges["min_var"], self.ranges["max_var"])


def can_be_simulated(graph: Graph, name: str) -> bool:
    """Whether a layer becomes TFLite's LSTM operator, and is called once, with nothing but a sequence."""
    layer = graph.layers[name]
    return (
        is_lstm_operator(layer)
        and not (layer.return_state or layer.stateful or layer.time_major or layer.activity_regularizer)
        and not (graph.is_masked(name) or graph.is_shared(name))
        and len(graph.producers(name)) == 1
        and not any(node.call_kwargs.get("initial_state") is not None for node in layer._inbound_nodes)
    )


def simulated(layer: layers.LSTM) -> SimulatedLSTM:
    """A copy of a built layer, with its weights, that rounds; its ranges are still to be set."""
    made = SimulatedLSTM.from_config(layer.get_config())
    made.build(layer.input_shape)
    values = named(layer)
    for variable in made.cell.weights:
        variable.assign(values[leaf(variable)])
    return made


def simulated_lstms(model: tf_keras.Model) -> Iterator[SimulatedLSTM]:
    """All layers of a wrapped model that round as the LSTM operator does."""
    return (layer for layer in model.layers if isinstance(layer, SimulatedLSTM))


def _follow(quantizer: Observing, values: tf.Tensor, ranges: Ranges) -> None:
    """Changes a range by that of a batch; zero stays in it."""
    low, high = replicas.extremes(values) if replicas.inside() else (tf.reduce_min(values), tf.reduce_max(values))
    quantizer.follow(ranges, tf.minimum(low, 0.0), tf.maximum(high, 0.0))


def _rounded_gates(kernel: tf.Variable) -> tf.Tensor:
    """A kernel with a scale for each of its four gates, as in the file; the gradient is that of no rounding."""
    values = tf.convert_to_tensor(kernel)
    gates = tf.reshape(values, [*values.shape[:-1], _GATES, -1])
    rounded = tf.reshape(KernelQuantizer(1).rounded(gates), values.shape)
    return values + tf.stop_gradient(rounded - values)
