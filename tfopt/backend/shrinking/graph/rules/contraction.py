"""Sums of products over axes: `EinsumDense`, and products of two tensors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from tf_keras import layers

from tfopt.backend.shrinking.graph.call import Call
from tfopt.backend.shrinking.graph.rules.rule import Changes, Resized, Rule
from tfopt.backend.types import Array


def contracted(call: Call, operands: Sequence[tuple[Array, str]], output: str) -> Array:
    """Labels of a product of tensors.

    Args:
        call: for its units.
        operands: labels of each tensor, and a letter for each of its axes, as of `tf.einsum`.
        output: letters of the result.
    """
    arrays = [_aligned(_without_sums(call, labels, letters, output), output) for labels, letters in operands]
    arrays = [call.units.compressed(one) for one in arrays]
    for axis, letter in enumerate(output):
        sharing = [
            one for one, (_, letters) in zip(arrays, operands, strict=True) if letter in letters and one.shape[axis] > 1
        ]
        for one, (_, letters) in zip(arrays, operands, strict=True):
            if sharing and letter in letters:
                call.units.unite(sharing[0], one)
    varying = [one for one in arrays if one.size > 1]
    if not varying:
        return arrays[0]
    first = varying[0]
    for other in varying[1:]:
        left, right = np.broadcast_arrays(call.units.roots(first), call.units.roots(other))
        if not np.array_equal(left, right):
            call.fix(first, "multiplies it with another tensor")
            call.fix(other, "multiplies it with another tensor")
    return first


def _without_sums(call: Call, labels: Array, letters: str, output: str) -> tuple[Array, str]:
    """Labels of a tensor along the axes that the result has, too."""
    labels = call.units.compressed(labels)
    for axis in reversed(range(labels.ndim)):
        if letters[axis] in output:
            continue
        if labels.shape[axis] > 1:
            first = labels.take([0], axis)
            if labels.size == labels.shape[axis]:
                # Products of what is left cannot be told from products of zeros in the twin.
                call.fix(labels, "multiplies it with another tensor, and adds up")
            call.units.unite(first, labels)
        labels = labels.take(0, axis)
        letters = letters[:axis] + letters[axis + 1 :]
    return labels, letters


def _aligned(tensor: tuple[Array, str], output: str) -> Array:
    labels, letters = tensor
    order = [letters.index(letter) for letter in output if letter in letters]
    shape = iter(labels.transpose(order).shape)
    return labels.transpose(order).reshape([next(shape) if letter in letters else 1 for letter in output])


def _einsum_dense(call: Call) -> list[Array]:
    layer = call.layer
    left, output = layer.equation.replace(" ", "").split("->")
    inputs, kernel = left.split(",")
    rank = len(call.shapes[0])
    if "..." in inputs:
        dots = "ABCDEFGH"[: rank - len(inputs.replace("...", ""))]
        inputs, output = inputs.replace("...", dots), output.replace("...", dots)
    made = [letter for letter in kernel if letter in output and letter not in inputs]
    if any(letter in inputs and letter in output for letter in kernel) or not made:
        return call.unknown("has a kernel for each place")
    sizes = dict(zip(kernel, layer.kernel.shape, strict=True))
    read = call.units.compressed(call.inputs[0])
    for axis, letter in enumerate(inputs):
        if letter not in kernel:
            call.units.unite(read.take([0], axis), read)
            read = read.take([0], axis)
    shape = dict(zip(inputs, read.shape, strict=True))
    order = [inputs.index(letter) for letter in kernel if letter in inputs]
    others = [axis for axis in range(rank) if axis not in order]
    read = read.transpose([*others, *order]).reshape([shape.get(letter, 1) for letter in kernel])
    call.use_all(layer.kernel, read, "consumes", 0)
    count = int(np.prod([sizes[letter] for letter in made]))
    units = call.produced(layer.kernel, kernel.index(made[0]), count, "heads" if len(made) > 1 else "width")
    cube = units.reshape([sizes[letter] for letter in made])
    call.use_all(layer.kernel, _aligned((cube, "".join(made)), kernel), "produces", 1)
    labels = _aligned((cube, "".join(made)), output)
    if layer.bias is not None:
        call.use_all(layer.bias, labels.reshape(labels.shape[-len(layer.bias.shape) :]), "produces", 0)
    call.through(layer.activation, labels)
    return [labels]


def _output_shape(resized: Resized) -> Changes:
    output = resized.layer.equation.replace(" ", "").split("->")[1]
    # Without an ellipsis, the batch is the first letter; axes under an ellipsis are not part of the key.
    named = len(output.replace("...", "")) - (0 if "..." in output else 1)
    return {} if resized.before == resized.after else {"output_shape": tuple(resized.after[0][-named:])}


RULES = {layers.EinsumDense: Rule(_einsum_dense, _output_shape, visible=True)}
