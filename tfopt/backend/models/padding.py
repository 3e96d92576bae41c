"""Whether a mean over the steps of a text has any step to count.

Keras divides by the number of steps that are no padding: an example of padding only is NaN from the first batch on.
"""

from __future__ import annotations

import numpy as np
import tf_keras

from tfopt.backend.data.arrays.reading import parts
from tfopt.backend.data.splits import Data
from tfopt.backend.graph.layers import leaf_layers, nodes
from tfopt.core.language.wording import counted
from tfopt.errors import StageError


def check_padding(model: tf_keras.Model, data: Data) -> None:
    """Looks for examples of padding only, where the model takes the mean over what is no padding.

    Args:
        model: built; its inputs have the names or the order of the data's.
        data: the examples.

    Raises:
        StageError: there are some.
    """
    if not any(isinstance(layer, tf_keras.layers.GlobalAveragePooling1D) for layer in leaf_layers(model)):
        return
    for name in _masked_inputs(model):
        for split, examples in (("training", data.train), ("validation", data.validation), ("test", data.test)):
            inputs = examples.inputs
            array = inputs.get(name) if isinstance(inputs, dict) else inputs
            if array is None:
                continue
            empty = sum(int(np.count_nonzero(~part.astype(bool).any(axis=-1))) for part in parts(array))
            if empty:
                are = "is" if empty == 1 else "are"
                raise StageError(
                    f"{counted(empty, f'{split} example')} of the input {name!r} {are} padding only (token 0): "
                    f"{model.name!r} takes the mean over the other tokens, of which there is none, and that is NaN.",
                    "Remove them, or let every example begin with a token other than 0.",
                    code="invalid_data",
                )


def _masked_inputs(model: tf_keras.Model) -> list[str]:
    """Inputs of token ids, of which 0 is masked: (examples, positions)."""
    found: dict[str, None] = {}
    for node in nodes(model):
        layer = getattr(node.layer, "wrapped", node.layer)
        if not (isinstance(layer, tf_keras.layers.Embedding) and layer.mask_zero):
            continue
        for tensor in node.keras_inputs:
            source = tensor._keras_history.layer
            if isinstance(source, tf_keras.layers.InputLayer) and source.name in model.input_names:
                found[source.name] = None
    return list(found)
