"""The way back of a model that came from Keras 3: its own architecture with the weights of its optimized twin."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.bridge.equivalence import equal, random_inputs
from tfopt.backend.bridge.functionalize import functional
from tfopt.backend.bridge.layer_wrapper import foreign
from tfopt.backend.bridge.weight_mapping import pairing
from tfopt.catalog.guard import guarded
from tfopt.errors import StageError


def put_back(origin: keras.Model, model: tf_keras.Model) -> keras.Model:
    """A copy of a Keras 3 model with the weights that its tf_keras twin has by now; `origin` is not changed.

    Args:
        origin: the Keras 3 model that `model` was made from.
        model: what `to_tf_keras` made of it, since trained, pruned, clustered, saved and loaded; free of wrappers.

    Returns:
        A functional or sequential Keras 3 model, not compiled, whose answers are those of `model`.

    Raises:
        StageError: the layers of the two do not belong together any more, or their answers differ.
    """
    copy = _copy(functional(origin))
    for variable, value in pairing(copy, model):
        variable.assign(value.numpy())
    for layer in copy._flatten_layers():
        # What a Normalization computes with is derived from its weights.
        if isinstance(layer, keras.layers.Normalization) and layer.input_mean is None:
            layer.finalize_state()
    check_answers(copy, model)
    return copy


def check_answers(made: keras.Model, model: tf_keras.Model) -> None:
    """Compares the answers of a Keras 3 model and the tf_keras model that it was made from, on random inputs.

    Raises:
        StageError: they differ; says by how much.
    """
    inputs = random_inputs(made)

    def answers(one: Any, struct: Any) -> list[np.ndarray]:
        packed = keras.tree.pack_sequence_as(struct, [keras.ops.convert_to_tensor(values) for values in inputs])
        return [np.asarray(values) for values in tf.nest.flatten(one(packed, training=False))]

    expected = guarded(lambda: answers(model, model.input), f"Running {model.name!r} on random inputs")
    # A Sequential of Keras 3 has no structure of inputs: it takes one.
    struct = made.inputs[0] if isinstance(made, keras.Sequential) else made._inputs_struct
    found = guarded(lambda: answers(made, struct), f"Running the Keras 3 model of {model.name!r}")
    for port, one, other in zip(model.output_names, expected, found, strict=True):
        if not equal(one, other):
            distance = (
                np.max(np.abs(one.astype(np.float64) - other.astype(np.float64)))
                if one.shape == other.shape
                else "shape"
            )
            raise StageError(
                f"The Keras 3 model made of {model.name!r} answers differently at its output {port!r}, by {distance}. "
                "This is a mistake in tfopt's bridge.",
                "Please report the model.",
                code="not_equivalent",
            )


def foreign_code(model: keras.Model) -> dict[str, Any]:
    """Classes and functions from outside Keras that a Keras 3 model is made of, by the names Keras knows them by."""
    config = guarded(
        lambda: keras.saving.serialize_keras_object(model),
        f"Reading the configuration of the Keras 3 model {model.name!r}",
    )
    config.pop("compile_config", None)
    return {
        name: code for label, registered, code in foreign(config) if code is not None for name in (label, registered)
    }


def _copy(model: keras.Model) -> keras.Model:
    """The same model once more, through a file: the only way that carries vocabularies too."""
    with tempfile.TemporaryDirectory(prefix="tfopt-origin-") as folder:
        path = Path(folder, "origin.keras")
        guarded(lambda: model.save(path), f"Copying the Keras 3 model {model.name!r}")
        # Its own code, which ran when it was built: nothing of a stranger is allowed here.
        return guarded(
            lambda: keras.models.load_model(path, custom_objects=foreign_code(model), compile=False, safe_mode=False),
            f"Copying the Keras 3 model {model.name!r}",
        )
