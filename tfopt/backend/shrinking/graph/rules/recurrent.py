"""Recurrent layers: a unit is its gates, its state and its output."""

from __future__ import annotations

import numpy as np
from tf_keras import layers

from tfopt.backend.shrinking.graph.call import Call
from tfopt.backend.shrinking.graph.labels import at_axis
from tfopt.backend.shrinking.graph.rules.rule import Changes, Resized, Rule
from tfopt.backend.types import Array

_GATES = {layers.LSTM: 4, layers.GRU: 3, layers.SimpleRNN: 1}


def _recurrent(call: Call) -> list[Array]:
    layer = call.layer
    # tf_keras hands states that a model gives on as further inputs.
    states = call.inputs[1:]
    if call.others() or any(len(shape) != 2 for shape in call.shapes[1:]):
        return call.unknown("starts from a state that it is given")
    cell, gates = layer.cell, _GATES[type(layer)]
    call.use(cell.kernel, 0, call.along(2), "consumes")
    units = call.produced(cell.kernel, 1, layer.units, "width")
    of_gates = np.tile(units, gates)
    call.use(cell.kernel, 1, of_gates, "produces")
    call.use(cell.recurrent_kernel, 0, units, "consumes")
    call.use(cell.recurrent_kernel, 1, of_gates, "produces")
    if cell.bias is not None:
        call.use(cell.bias, len(cell.bias.shape) - 1, of_gates, "produces")
    for number in range(1, len(states) + 1):
        call.units.unite(call.along(1, number), units)
    for function in (cell.activation, getattr(cell, "recurrent_activation", None)):
        call.through(function, units)
    return [at_axis(units, -1, len(shape)) for shape in call.output_shapes]


def _units(resized: Resized) -> Changes:
    return {"units": resized.shape_of(resized.layer.cell.recurrent_kernel)[0]}


RULES = {kind: Rule(_recurrent, _units, visible=True) for kind in _GATES}
