"""Layers that move values: pooling, padding, reshaping, joining."""

from __future__ import annotations

import numpy as np
from tf_keras import layers

from tfopt.backend.shrinking.graph.call import Call
from tfopt.backend.shrinking.graph.labels import at_axis, reshaped
from tfopt.backend.shrinking.graph.rules.kernels import channel_axis
from tfopt.backend.shrinking.graph.rules.rule import Changes, Resized, Rule
from tfopt.backend.types import Array, Shape


def _spatial(call: Call) -> list[Array]:
    """Places are moved or summarized, each channel by itself."""
    axis = channel_axis(call.layer, len(call.shapes[0]))
    return [at_axis(call.along(axis), axis, len(call.output_shapes[0]))]


def _global_pooling(call: Call) -> list[Array]:
    rank = len(call.output_shapes[0])
    channels = call.along(channel_axis(call.layer, len(call.shapes[0])))
    return [at_axis(channels, channel_axis(call.layer, rank) if rank > 2 else 1, rank)]


def to_shape(call: Call, labels: Array, old: Shape, new: Shape) -> list[Array]:
    """Labels after a reshape."""
    found = reshaped(labels, old, new)
    if found is None:
        return call.unknown("reshapes it to a size that is not known before it runs")
    return [call.units.compressed(found)]


def _reshape(call: Call) -> list[Array]:
    found = to_shape(call, call.inputs[0], call.shapes[0], call.output_shapes[0])
    if id(call.layer) in call.trace.outputs:
        # One target shape for all calls.
        call.units.unite(call.trace.outputs[id(call.layer)][0], found[0])
    return found


def _flatten(call: Call) -> list[Array]:
    labels, shape = call.inputs[0], call.shapes[0]
    if channel_axis(call.layer, len(shape)) == 1 and len(shape) > 2:
        labels, shape = np.moveaxis(labels, 1, -1), (shape[0], *shape[2:], shape[1])
    return to_shape(call, labels, shape, call.output_shapes[0])


def _permute(call: Call) -> list[Array]:
    return [call.inputs[0].transpose((0, *call.layer.dims))]


def _repeat(call: Call) -> list[Array]:
    return [np.expand_dims(call.inputs[0], 1)]


def concatenated(call: Call, tensors: list[tuple[Array, Shape]], axis: int) -> list[Array]:
    """Labels of tensors behind each other along an axis."""
    axis %= len(call.output_shapes[0])
    labels = [call.units.compressed(one) for one, _ in tensors]
    others = tuple(np.broadcast_shapes(*(one.shape[:axis] + one.shape[axis + 1 :] for one in labels)))
    if all(one.shape[axis] == 1 for one in labels) and (np.prod(others) > 1 or not _known(tensors, axis)):
        for one in labels[1:]:
            call.units.unite(labels[0], one)
        return [np.broadcast_to(labels[0], (*others[:axis], 1, *others[axis:])).copy()]
    if not _known(tensors, axis):
        return call.unknown("joins tensors of open size")
    full = [
        np.broadcast_to(one, (*others[:axis], int(shape[axis] or 1), *others[axis:]))
        for one, (_, shape) in zip(labels, tensors, strict=True)
    ]
    return [np.concatenate(full, axis)]


def _known(tensors: list[tuple[Array, Shape]], axis: int) -> bool:
    return all(shape[axis] is not None for _, shape in tensors)


def _concatenate(call: Call) -> list[Array]:
    return concatenated(call, list(zip(call.inputs, call.shapes, strict=True)), call.layer.axis)


def _target_shape(resized: Resized) -> Changes:
    return {"target_shape": tuple(-1 if size is None else size for size in resized.after[0][1:])}


_SPATIAL = Rule(_spatial)
_GLOBAL = Rule(_global_pooling)

RULES = {
    **{
        getattr(layers, f"{kind}{rank}D"): _SPATIAL
        for rank in (1, 2, 3)
        for kind in ("MaxPooling", "AveragePooling", "ZeroPadding", "Cropping", "UpSampling")
    },
    **{getattr(layers, f"Global{kind}Pooling{rank}D"): _GLOBAL for rank in (1, 2, 3) for kind in ("Max", "Average")},
    layers.Resizing: _SPATIAL,
    layers.CenterCrop: _SPATIAL,
    layers.Flatten: Rule(_flatten),
    layers.Reshape: Rule(_reshape, _target_shape),
    layers.Permute: Rule(_permute),
    layers.RepeatVector: Rule(_repeat),
    layers.Concatenate: Rule(_concatenate),
}
