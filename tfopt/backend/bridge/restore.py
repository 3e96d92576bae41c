"""Back to Keras 3: the architecture that a model began with, with the weights of the optimized tf_keras model."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import keras
import tf_keras

from tfopt.backend.bridge.custom_code import CustomCode, custom_parts, prefer
from tfopt.backend.bridge.equivalence import output_difference
from tfopt.backend.bridge.reading.float32 import in_float32
from tfopt.backend.bridge.reading.functionalize import functional, of_sizes, sizes_of
from tfopt.backend.bridge.reading.own_constructors import made_from, with_names
from tfopt.backend.bridge.weight_mapping import variable_pairs
from tfopt.backend.compat.keras_3 import all_layers
from tfopt.backend.equivalence import random_inputs
from tfopt.catalog.guard import guarded
from tfopt.errors import StageError


def restore_keras3(origin: keras.Model, model: tf_keras.Model) -> keras.Model:
    """A copy of a Keras 3 model with the weights that its tf_keras counterpart has by now; `origin` is not changed.

    Args:
        origin: the Keras 3 model that `model` was made from.
        model: what `to_tf_keras` made of it, since trained, pruned, clustered, saved and loaded; free of wrappers.

    Returns:
        A functional or sequential Keras 3 model, not compiled, whose outputs are those of `model`.

    Raises:
        StageError: the layers of the two do not belong together any more, or their outputs differ.
    """
    copy = _copy(functional(origin))
    # The counterpart may have sizes that the model of Keras 3 leaves open.
    for variable, value in variable_pairs(of_sizes(copy, sizes_of(model)), model):
        variable.assign(value.numpy())
    for layer in all_layers(copy):
        # What a Normalization computes with is derived from its weights.
        if isinstance(layer, keras.layers.Normalization) and layer.input_mean is None:
            layer.finalize_state()
    # In mixed precision it gives other outputs, by the rounding of its policies.
    check_outputs(in_float32(copy), model)
    return copy


def check_outputs(converted: keras.Model, model: tf_keras.Model) -> None:
    """Compares the outputs of a Keras 3 model and the tf_keras model that it was made from, on random inputs.

    Raises:
        StageError: they differ; says by how much.
    """
    if differing := output_difference(model, converted, random_inputs(model)):
        raise StageError(
            f"The Keras 3 model made of {model.name!r} differs at its output "
            f"{model.output_names[differing.index]!r}, by {differing.described}. This is a mistake in tfopt's bridge.",
            "Please report the model.",
            code="not_equivalent",
        )


def custom_code(model: keras.Model) -> dict[str, CustomCode]:
    """Classes and functions from outside Keras that a Keras 3 model is made of, by their names in Keras."""
    config = guarded(
        lambda: keras.saving.serialize_keras_object(model),
        f"Reading the configuration of the Keras 3 model {model.name!r}",
    )
    config.pop("compile_config", None)
    return {
        name: code
        for label, registered, code in custom_parts(config)
        if code is not None
        for name in (label, registered)
    }


def _copy(model: keras.Model) -> keras.Model:
    """A copy of the model, through a file: the only way that keeps vocabularies, too."""
    with tempfile.TemporaryDirectory(prefix="tfopt-origin-") as folder:
        path = Path(folder, "origin.keras")
        with with_names(model):
            guarded(lambda: model.save(path), f"Copying the Keras 3 model {model.name!r}")
        objects = custom_code(model)
        prefer(objects)
        with warnings.catch_warnings():
            # A layer without `build` is built when the graph calls it, which is before its weights are read.
            warnings.filterwarnings("ignore", r"`build\(\)` was called on layer", UserWarning)
            # Its own code, which ran when it was built: nothing of a stranger is allowed here.
            with made_from(objects):
                return guarded(
                    lambda: keras.models.load_model(path, compile=False, safe_mode=False),
                    f"Copying the Keras 3 model {model.name!r}",
                )
