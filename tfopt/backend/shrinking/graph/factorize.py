"""Kernels as products of two smaller ones: low rank by singular values, of which only the largest stay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeAlias

import numpy as np
import tf_keras
from tf_keras import layers

from tfopt.backend.compat.keras_graph import Node
from tfopt.backend.graph.layers import all_layers, layer_paths
from tfopt.backend.quantization.canonical.copying import copy_layer, copy_state
from tfopt.backend.shrinking.graph.replay import Replay
from tfopt.backend.shrinking.graph.types import Kept, Member, ShrinkGroup
from tfopt.backend.types import Array, Nested

Form: TypeAlias = Literal["rank", "spatial_rank"]
"""`rank`: inputs by outputs, so a convolution to few channels, then a 1x1 one (Zhang et al. 2015, arXiv:1505.06798);
`spatial_rank`: a column, then a row (Jaderberg et al. 2014, arXiv:1405.3866)."""

_COLON = ":"
_CONVOLUTIONS = (layers.Conv1D, layers.Conv2D, layers.Conv3D)


def rank_groups(model: tf_keras.Model) -> tuple[ShrinkGroup, ...]:
    """The kernels of a model that can be factorized: dense layers, and convolutions without groups.

    Args:
        model: functional, or a built Sequential.

    Returns:
        Groups of kind `rank`, named `<layer>:rank` and, for kernels of two places and more in both directions,
        `<layer>:spatial_rank` (no Keras layer has a name with a colon). A unit is a singular value; a kernel of `sizes`
        (rows, columns) has two factors of rank * (rows + columns) weights. Kernels that no rank makes smaller are left
        out.
    """
    found = []
    seen: set[int] = set()
    names = {layer.name for _, layer in layer_paths(model)}
    for path, layer in layer_paths(model):
        if id(layer) in seen:
            continue
        seen.add(id(layer))
        first = first_factor(layer.name)
        for form in _forms(layer):
            rows, columns = matrix_of(layer.get_weights()[0], form).shape
            if rows + columns >= rows * columns:
                continue
            fixed = None if layer.trainable else f"the layer {path!r} is frozen"
            if first in names:
                fixed = f"the model has a layer {first!r} already"
            members = (Member(path, 0, layer.kernel.shape.rank - 1, (), "produces"),)
            name = f"{path}{_COLON}{form}"
            found.append(ShrinkGroup(name, "rank", min(rows, columns), 1, members, (), fixed, (), (rows, columns)))
    return tuple(found)


def singular_values(model: tf_keras.Model, group: ShrinkGroup) -> Array:
    """The singular values of the kernel of a group of kind `rank`, the largest first."""
    (member,) = group.members
    layer = dict(layer_paths(model))[member.layer]
    return np.linalg.svd(matrix_of(layer.get_weights()[0], _form_of(group.name)), compute_uv=False)


def matrix_of(kernel: Array, form: Form) -> Array:
    """A kernel as a matrix: inputs by outputs, or columns with inputs by rows with outputs."""
    if form == "rank":
        return kernel.reshape(-1, kernel.shape[-1])
    height, width, inputs, outputs = kernel.shape
    return kernel.transpose(0, 2, 1, 3).reshape(height * inputs, width * outputs)


def factors(kernel: Array, form: Form, rank: int) -> tuple[Array, Array]:
    """The kernels of the two layers whose product is nearest to a kernel (Eckart, Young 1936)."""
    left, values, right = np.linalg.svd(matrix_of(kernel, form).astype(np.float64), full_matrices=False)
    rank = min(rank, len(values))
    scale = np.sqrt(values[:rank])
    first, second = left[:, :rank] * scale, scale[:, np.newaxis] * right[:rank]
    if form == "rank":
        ones = (1,) * (kernel.ndim - 2)
        shapes = (*kernel.shape[:-1], rank), (*ones, rank, kernel.shape[-1])
        return first.reshape(shapes[0]).astype(kernel.dtype), second.reshape(shapes[1]).astype(kernel.dtype)
    height, width, inputs, outputs = kernel.shape
    column = first.reshape(height, 1, inputs, rank)
    row = second.reshape(rank, width, outputs).transpose(1, 0, 2)[np.newaxis]
    return column.astype(kernel.dtype), row.astype(kernel.dtype)


def nearest(kernel: Array, form: Form, rank: int) -> Array:
    """The kernel of a rank that is nearest to a kernel, in its shape."""
    left, values, right = np.linalg.svd(matrix_of(kernel, form).astype(np.float64), full_matrices=False)
    product = (left[:, :rank] * values[:rank]) @ right[:rank]
    if form == "rank":
        return product.reshape(kernel.shape).astype(kernel.dtype)
    height, width, inputs, outputs = kernel.shape
    return product.reshape(height, inputs, width, outputs).transpose(0, 2, 1, 3).astype(kernel.dtype)


@dataclass(frozen=True)
class Factorization:
    """How one kernel is factorized."""

    form: Form
    rank: int


def factorizations(kept: Kept) -> dict[str, Factorization]:
    """What is kept of groups of kind `rank`, by path of the layer.

    Raises:
        ValueError: both forms of one layer.
    """
    found: dict[str, Factorization] = {}
    for name, indices in kept.items():
        if not is_rank(name):
            continue
        path = factorized_layer(name)
        if path in found:
            raise ValueError(f"The kernel of {path!r} can be factorized in one form only.")
        if not len(indices):
            raise ValueError(f"At least one unit of {name!r} has to stay.")
        found[path] = Factorization(_form_of(name), len(indices))
    return found


def factorized(model: tf_keras.Model, chosen: Mapping[str, Factorization]) -> tf_keras.Model:
    """The model with a layer `<name>_reduce` in front of each chosen one, and two small kernels for a large one.

    Args:
        model: functional, or a built Sequential.
        chosen: by path of the layer.

    Raises:
        ValueError: a path is unknown, or its layer cannot be factorized.
    """
    at_path = dict(layer_paths(model))
    for path, one in chosen.items():
        if path not in at_path or one.form not in _forms(at_path[path]):
            raise ValueError(f"The kernel of {path!r} cannot be factorized by {one.form}.")
    by_layer = {id(at_path[path]): one for path, one in chosen.items()}
    firsts: dict[int, layers.Layer] = {}
    olds: dict[int, layers.Layer] = {}

    def new_layer(layer: layers.Layer) -> layers.Layer:
        olds[id(layer)] = layer
        if id(layer) not in by_layer:
            return copy_layer(layer, layer.name)
        first, second = _pair(layer, by_layer[id(layer)])
        firsts[id(layer)] = first
        return second

    def call(node: Node, layer: layers.Layer, args: tuple[Nested, ...], kwargs: dict[str, Nested]) -> Nested:
        if id(node.layer) in firsts:
            return layer(firsts[id(node.layer)](args[0]), *args[1:], **kwargs)
        return layer(*args, **kwargs)

    replay = Replay(new_layer, call, lambda inside: any(id(layer) in by_layer for layer in all_layers(inside)))
    smaller = replay.model(model)
    for key, layer in olds.items():
        if key not in by_layer:
            if layer.weights:
                copy_state(layer, replay.layers[key])
            continue
        kernel, *bias = layer.get_weights()
        first, second = factors(kernel, by_layer[key].form, by_layer[key].rank)
        firsts[key].set_weights([first])
        replay.layers[key].set_weights([second, *bias])
    return smaller


def _pair(layer: layers.Layer, chosen: Factorization) -> tuple[layers.Layer, layers.Layer]:
    alone = {"use_bias": False, "activation": "linear", "activity_regularizer": None, "bias_regularizer": None}
    make = partial(copy_layer, layer)
    rank = min(chosen.rank, *matrix_of(layer.get_weights()[0], chosen.form).shape)
    name = first_factor(layer.name)
    if isinstance(layer, layers.Dense):
        return make(name, {**alone, "units": rank}), make(layer.name)
    alone["filters"] = rank
    if chosen.form == "rank":
        ones = (1,) * len(layer.kernel_size)
        plain = {"kernel_size": ones, "strides": ones, "dilation_rate": ones, "padding": "valid"}
        return make(name, alone), make(layer.name, plain)
    keys = ("kernel_size", "strides", "dilation_rate")
    column = {key: (getattr(layer, key)[0], 1) for key in keys}
    row = {key: (1, getattr(layer, key)[1]) for key in keys}
    return make(name, {**alone, **column}), make(layer.name, row)


def _forms(layer: layers.Layer) -> Iterator[Form]:
    if type(layer) is layers.Dense or (type(layer) in _CONVOLUTIONS and layer.groups == 1):
        yield "rank"
    if type(layer) is layers.Conv2D and layer.groups == 1 and min(layer.kernel_size) > 1:
        yield "spatial_rank"


def first_factor(layer: str) -> str:
    """Name of the layer in front of a factorized one, which keeps its name."""
    return f"{layer}_reduce"


def is_rank(group: str) -> bool:
    """Whether a name is that of a group of kind `rank`."""
    return _COLON in group


def factorized_layer(group: str) -> str:
    """Path of the layer of a group of kind `rank`."""
    return group.rpartition(_COLON)[0]


def _form_of(name: str) -> Form:
    return "spatial_rank" if name.endswith(f"{_COLON}spatial_rank") else "rank"
