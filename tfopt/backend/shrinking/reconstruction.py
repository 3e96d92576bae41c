"""The weights of a narrowed layer, solved again so that its outputs are as before.

He, Zhang and Sun, "Channel Pruning for Accelerating Very Deep Neural Networks" (2017), arXiv:1707.06168: least squares
between the outputs of the layer in the model before and what the channels that stay can say of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf
import tf_keras
from tf_keras import layers

from tfopt.backend.data.batches import evaluation_batches
from tfopt.backend.data.splits import Split
from tfopt.backend.shrinking.graph.factorize import factorizations
from tfopt.backend.shrinking.graph.types import Kept, ShrinkGroup, ShrinkGroups
from tfopt.backend.types import Array

_ROWS = 8192
"""Examples and places from which one layer is solved."""
_MOST_WEIGHTS = 3072
"""Inputs of one output up to which a layer is solved: the time rises with the third power."""
_RIDGE = 1e-3
"""How strongly the weights are held where they are, as a share of the mean square of the inputs."""
_BATCH = 64


def reconstruct(
    dense: tf_keras.Model, narrow: tf_keras.Model, groups: ShrinkGroups, kept: Kept, calibration: Split, seed: int
) -> tuple[str, ...]:
    """Solves the kernels of convolutions and dense layers that read removed units, and the second factors of factorized
    kernels, in place, in the order of the model.

    Args:
        dense: the model before.
        narrow: the model after removal; layers have the same names.
        groups: of the dense model.
        kept: the units that stay.
        calibration: training examples.
        seed: of the choice of places.

    Returns:
        Names of the layers that were solved.
    """
    solved = []
    for name in _readers(narrow, groups, kept):
        before, after = dense.get_layer(name), narrow.get_layer(name)
        weights = int(np.prod(after.kernel.shape[:-1]))
        if weights > _MOST_WEIGHTS:
            continue
        inputs = _rows(narrow, after, calibration, seed)
        wanted = _rows(dense, before, calibration, seed) @ before.kernel.numpy().reshape(-1, before.kernel.shape[-1])
        wanted = wanted[:, _stay(groups, kept, name, before, len(before.kernel.shape) - 1)]
        if len(inputs) < weights // 4:
            continue
        kernel, shift = _solved(inputs, wanted, after.kernel.numpy().reshape(weights, -1), bias=after.use_bias)
        after.kernel.assign(kernel.reshape(after.kernel.shape))
        if after.use_bias:
            after.bias.assign_add(shift)
        solved.append(name)
    return tuple(solved)


def put_back(
    model: tf_keras.Model, narrow: tf_keras.Model, groups: ShrinkGroups, kept: Kept, names: Sequence[str]
) -> None:
    """Gives layers of the model at full size the weights that their narrowed twins were given.

    Args:
        model: at full size; what belongs to removed units stays as it is.
        narrow: without these units.
        groups: of the model.
        kept: the units that stay.
        names: of the layers.
    """
    for name in names:
        layer, solved = model.get_layer(name), narrow.get_layer(name)
        axes = len(layer.kernel.shape)
        rows, columns = (_stay(groups, kept, name, layer, axis) for axis in (axes - 2, axes - 1))
        kernel = layer.kernel.numpy()
        kernel[..., np.asarray(rows)[:, np.newaxis], np.asarray(columns)] = solved.kernel.numpy()
        layer.kernel.assign(kernel)
        if layer.use_bias:
            bias = layer.bias.numpy()
            bias[columns] = solved.bias.numpy()
            layer.bias.assign(bias)


def _readers(narrow: tf_keras.Model, groups: ShrinkGroups, kept: Kept) -> Iterator[str]:
    """Layers of the top level whose kernel reads units of a narrowed group, or was factorized."""
    changed = [group for group in groups.groups if len(kept.get(group.name, range(group.units))) < group.units]
    reading = {member.layer for group in changed for member in group.of_role("consumes")} | set(factorizations(kept))
    for layer in narrow.layers:
        if layer.name in reading and _can_be_solved(layer):
            yield layer.name


def _can_be_solved(layer: tf_keras.layers.Layer) -> bool:
    if len(layer._inbound_nodes) != 1 or not layer.trainable:
        return False
    if type(layer) is layers.Dense:
        return True
    return type(layer) is layers.Conv2D and layer.groups == 1 and layer.data_format == "channels_last"


def _rows(model: tf_keras.Model, layer: tf_keras.layers.Layer, calibration: Split, seed: int) -> Array:
    """What the outputs of a layer are computed from: (rows, weights of one output), float64."""
    reader = tf_keras.Model(model.inputs, layer.input)
    share = np.random.default_rng(seed)
    per_batch = max(1, _ROWS * _BATCH // max(len(calibration), _BATCH))
    found = []
    for inputs, _ in evaluation_batches(calibration, _BATCH):
        values = reader(inputs, training=False)
        rows = _patches(values, layer)
        taken = share.permutation(len(rows))[:per_batch]
        found.append(rows[taken])
    return np.concatenate(found).astype(np.float64)


def _patches(values: tf.Tensor, layer: tf_keras.layers.Layer) -> Array:
    if isinstance(layer, layers.Dense):
        flat: Array = tf.reshape(values, (-1, values.shape[-1])).numpy()
        return flat
    patches = tf.image.extract_patches(
        values,
        sizes=(1, *layer.kernel_size, 1),
        strides=(1, *layer.strides, 1),
        rates=(1, *layer.dilation_rate, 1),
        padding=layer.padding.upper(),
    )
    result: Array = tf.reshape(patches, (-1, patches.shape[-1])).numpy()
    return result


def _stay(groups: ShrinkGroups, kept: Kept, name: str, before: tf_keras.layers.Layer, axis: int) -> list[int]:
    """Positions along an axis of the kernel of a layer that stay."""
    index = next(i for i, weight in enumerate(before.weights) if weight is before.kernel)
    gone = {
        position
        for group in groups.groups
        if group.kind != "rank"
        for member in group.members
        if (member.layer, member.weight, member.axis) == (name, index, axis)
        for unit in _removed(group, kept)
        for position in member.positions[unit]
    }
    return [position for position in range(before.kernel.shape[axis]) if position not in gone]


def _removed(group: ShrinkGroup, kept: Kept) -> set[int]:
    return set(range(group.units)) - set(kept.get(group.name, range(group.units)))


def _solved(inputs: Array, wanted: Array, start: Array, *, bias: bool) -> tuple[Array, Array]:
    """Ridge regression towards the weights as they are; returns the kernel, and what to add to the bias."""
    mean_in = inputs.mean(axis=0) if bias else np.zeros(inputs.shape[1])
    mean_out = wanted.mean(axis=0) if bias else np.zeros(wanted.shape[1])
    centered, target = inputs - mean_in, wanted - mean_out
    square = centered.T @ centered / len(inputs)
    ridge = _RIDGE * float(np.trace(square)) / len(square) + 1e-12
    held = square + ridge * np.eye(len(square))
    kernel = np.linalg.solve(held, centered.T @ target / len(inputs) + ridge * start)
    return kernel, mean_out - mean_in @ kernel
