"""Layers that normalize: over examples, over channels, over groups of channels."""

from __future__ import annotations

import numpy as np
from tf_keras import layers

from tfopt.backend.shrinking.graph.call import Call
from tfopt.backend.shrinking.graph.labels import at_axis
from tfopt.backend.shrinking.graph.rules.rule import Changes, Resized, Rule
from tfopt.backend.types import Array


def _batch_normalization(call: Call) -> list[Array]:
    layer = call.layer
    axes = layer.axis if isinstance(layer.axis, list | tuple) else [layer.axis]
    if len(axes) != 1:
        return call.unknown("normalizes several axes")
    axis = axes[0] % len(call.shapes[0])
    channels = call.along(axis)
    for name in ("gamma", "beta", "moving_mean", "moving_variance"):
        if getattr(layer, name, None) is not None:
            call.use(getattr(layer, name), 0, channels, "follows")
    return [at_axis(channels, axis, len(call.shapes[0]))]


def _over_channels(call: Call) -> list[Array]:
    """Statistics over all units of a place: those of what is kept."""
    layer, rank = call.layer, len(call.shapes[0])
    axes = layer.axis if isinstance(layer.axis, list | tuple) else [layer.axis]
    if [axis % rank for axis in axes] != [rank - 1]:
        return call.unknown("normalizes over other axes than that of the channels")
    if _has_other_widths(call):
        return call.unknown("normalizes several tensors and has no weights")
    channels = call.along(rank - 1)
    for name in ("gamma", "beta"):
        if getattr(layer, name, None) is not None:
            call.use(getattr(layer, name), 0, channels, "follows")
    return [at_axis(channels, rank - 1, rank)]


def _has_other_widths(call: Call) -> bool:
    """Whether a layer without weights, so without one width, was called before; nothing under that call can change."""
    if call.layer.weights or id(call.layer) not in call.trace.outputs:
        return False
    call.fix(call.trace.outputs[id(call.layer)][0], "normalizes several tensors and has no weights")
    return True


def _group_normalization(call: Call) -> list[Array]:
    layer, rank = call.layer, len(call.shapes[0])
    axis = layer.axis % rank
    if _has_other_widths(call):
        return call.unknown("normalizes several tensors and has no weights")
    rows = call.along(axis).reshape(layer.groups, -1)
    channels = np.repeat(call.units.along(rows, 0, layer.groups), rows.shape[1])
    for name in ("gamma", "beta"):
        if getattr(layer, name, None) is not None:
            call.use(getattr(layer, name), 0, channels, "follows")
    return [at_axis(channels, axis, rank)]


def _groups(resized: Resized) -> Changes:
    axis = resized.layer.axis % len(resized.before[0])
    before, after = resized.before[0][axis], resized.after[0][axis]
    return {"groups": resized.layer.groups * after // before} if before and after else {}


def _unit(call: Call) -> list[Array]:
    call.fix(call.inputs[0], "normalizes over the units")
    return list(call.inputs)


RULES = {
    layers.BatchNormalization: Rule(_batch_normalization, visible=True),
    layers.LayerNormalization: Rule(_over_channels, visible=True, over_units=True),
    layers.GroupNormalization: Rule(_group_normalization, _groups, visible=True),
    layers.UnitNormalization: Rule(_unit),
}
