"""Layers that compute each value from the values at the same position: activations, sums, products."""

from __future__ import annotations

import numpy as np
from tf_keras import layers

from tfopt.backend.shrinking.graph.call import Call
from tfopt.backend.shrinking.graph.rules.rule import Rule
from tfopt.backend.types import Array


def same(call: Call) -> list[Array]:
    """Labels of the one input are those of the output."""
    return list(call.inputs)


def merged(call: Call) -> list[Array]:
    """Units at the same position of all inputs go together."""
    tensors = list(zip(call.inputs, call.shapes, strict=True))
    return [call.units.merged(tensors, call.output_shapes[0], f"{call.path!r} uses one value of it for many units")]


def _activation(call: Call) -> list[Array]:
    call.through(call.layer.activation, call.inputs[0])
    return same(call)


def _prelu(call: Call) -> list[Array]:
    shape, alpha = call.shapes[0], call.layer.alpha
    for axis in range(1, len(shape)):
        if alpha.shape[axis - 1] > 1 and call.inputs[0].shape[axis] > 1:
            call.use(alpha, axis - 1, call.along(axis), "follows")
    return same(call)


def _rescaling(call: Call) -> list[Array]:
    if np.size(call.layer.scale) > 1 or np.size(call.layer.offset) > 1:
        call.fix(call.inputs[0], "scales each channel by a constant")
    return same(call)


def _softmax(call: Call) -> list[Array]:
    axes = call.layer.axis if isinstance(call.layer.axis, list | tuple) else [call.layer.axis]
    labels = call.units.compressed(call.inputs[0])
    if any(labels.shape[axis] > 1 for axis in axes):
        call.fix(labels, "normalizes over the units")
    return same(call)


_SAME = Rule(same, visible=True)
_MERGED = Rule(merged)

RULES = {
    layers.Activation: Rule(_activation, visible=True),
    layers.ReLU: _SAME,
    layers.LeakyReLU: _SAME,
    layers.ELU: _SAME,
    layers.ThresholdedReLU: _SAME,
    layers.PReLU: Rule(_prelu, visible=True),
    layers.Softmax: Rule(_softmax),
    layers.Rescaling: Rule(_rescaling),
    layers.Identity: Rule(same),
    layers.Dropout: Rule(same),
    layers.AlphaDropout: Rule(same),
    layers.SpatialDropout1D: Rule(same),
    layers.SpatialDropout2D: Rule(same),
    layers.SpatialDropout3D: Rule(same),
    layers.GaussianNoise: Rule(same),
    layers.GaussianDropout: Rule(same),
    layers.ActivityRegularization: Rule(same),
    layers.Add: _MERGED,
    layers.Subtract: _MERGED,
    layers.Multiply: _MERGED,
    layers.Average: _MERGED,
    layers.Maximum: _MERGED,
    layers.Minimum: _MERGED,
}
