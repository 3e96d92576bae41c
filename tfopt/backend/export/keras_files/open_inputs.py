"""Sizes of the axes that a model leaves open, from the data."""

from __future__ import annotations

from collections.abc import Mapping

import tf_keras

from tfopt.backend.types import Shape


def open_inputs(model: tf_keras.Model, example: Shape | Mapping[str, Shape] | None) -> dict[str, Shape]:
    """The inputs of a model with open axes besides the batch, with the sizes that the data has there.

    Args:
        model: a float model.
        example: shape of one example of the data, by input name where there are several; None where there are none.
    """
    if example is None or not model.inputs:
        return {}
    given = example if isinstance(example, Mapping) else {model.input_names[0]: example}
    return {
        name: tuple(given[name])
        for name, tensor in zip(model.input_names, model.inputs, strict=True)
        if name in given and None in tensor.shape[1:] and len(given[name]) == len(tensor.shape) - 1
    }
