"""How raw examples became inputs, for a bundle and for a SavedModel: from the source, or as the recipe says."""

from __future__ import annotations

import tf_keras

from tfopt.backend.data.arrays.reading import in_memory
from tfopt.backend.data.raw_inputs import RawInputs, declared
from tfopt.backend.data.splits import Data
from tfopt.backend.export.texts.tokenizing import tokenizing_mistake
from tfopt.core.config.files.normalization import Normalization


def raw_inputs(data: Data, normalization: Normalization | None) -> RawInputs | None:
    """What an app must do to raw examples; None where that is not known.

    Args:
        data: with what its source says.
        normalization: what the recipe says.
    """
    if data.raw is not None:
        return data.raw
    inputs = data.test.inputs
    if normalization is None or isinstance(inputs, dict):
        return None
    return declared(normalization.means, normalization.stds, in_memory(inputs, "The test examples"))


def normalization_mistake(
    model: tf_keras.Model, normalization: Normalization, data: Data | None, key: str
) -> str | None:
    """What is wrong with a normalization that a recipe gives, as a sentence; None where nothing is.

    Args:
        model: whose inputs were normalized.
        normalization: what the recipe says.
        data: of the recipe; None where it is not known.
        key: of the recipe, for the sentence.
    """
    names = list(model.input_names or ())
    if len(names) != 1:
        return f"{key} is for a model with one input; this one has {len(names)}: {', '.join(names)}."
    if data is not None and isinstance(data.test.inputs, dict):
        return f"{key} is for inputs in one array; those of {data.source} have names: {', '.join(data.test.inputs)}."
    (tensor,) = model.inputs
    if not tensor.dtype.is_floating:
        return f"{key}: the input {names[0]!r} takes whole numbers ({tensor.dtype.name}), which are not normalized."
    numbers = max(len(normalization.means), len(normalization.stds))
    channels = tensor.shape[-1]
    if numbers > 1 and numbers != channels:
        return f"{key} has {numbers} numbers, but the input {names[0]!r} has {channels} channels."
    if data is None or data.raw is None:
        return None
    known = (data.raw.mean, data.raw.std)
    if known != (normalization.means, normalization.stds):
        given = f"mean {_text(normalization.means)}, std {_text(normalization.stds)}"
        done = f"mean {_text(known[0])}, std {_text(known[1])}"
        return f"{key} is {given}, but the data source {data.source} normalizes with {done}. Leave the key out."
    return None


def preprocessing_mistake(model: tf_keras.Model, normalization: Normalization | None, data: Data | None) -> str | None:
    """Why preprocessing cannot be put into a SavedModel, as a sentence; None where it can.

    Args:
        model: of the recipe.
        normalization: what the recipe says about raw values; None where that is left to the data source.
        data: of the recipe; None where it is not known.
    """
    key = "export.saved_model.include_preprocessing"
    if normalization is not None:
        return normalization_mistake(model, normalization, data, key)
    if data is None or data.raw is not None:
        return None
    if data.text is not None:
        wrong = tokenizing_mistake(data)
        return None if wrong is None else f"{key}: {wrong}"
    return (
        f"{key}: the data source {data.source} does not say how it made inputs of raw examples. Give "
        f"{key}: {{mean: ..., std: ...}}, or leave it out."
    )


def _text(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:g}" for value in values)
