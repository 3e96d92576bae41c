"""A quantized model, and its files."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.compat.tfmot_quantization import QuantizeLayer
from tfopt.backend.models import build as models
from tfopt.backend.quantization.canonical import canonicalize
from tfopt.backend.quantization.canonical.weights import leaf
from tfopt.backend.quantization.float_fallback import original_float_layers
from tfopt.backend.quantization.lstm.simulated import simulated_lstms
from tfopt.backend.quantization.weight_constraints import WeightConstraints
from tfopt.backend.quantization.wrapping import wrap, wrappers
from tfopt.backend.types import Nested
from tfopt.core.config.quantization import Quantization, QuantizeRule
from tfopt.errors import StoreError

_SETTINGS = "quantization.json"
_RANGES = "ranges.npz"
_FLOAT_MODEL = "float_model"
_WEIGHTS = ("kernel", "depthwise_kernel", "embeddings", "table", "factors")
_FORMAT = 3
_WITH_WEIGHT_RANGES = (1, 2)
"""Formats that also have ranges of weights, 1 of kernels and 2 of tables, which now follow from the weights."""


@dataclass(frozen=True)
class Quantized:
    """A model after quantization-aware training.

    Args:
        model: the model that simulates 8 bits, with tfmot's wrappers; it is converted and evaluated.
        float_model: the original architecture and layer names with the float weights as trained.
        quantization: which layers are not simulated.
        constraints: what the weights keep in further training.
        original_names: by name of a layer that `model` simulates, without tfmot's prefix, the layer of `float_model`
            that it computes.
        float_layers: why a layer of `float_model` computes in float in the file, by name.
    """

    model: tf_keras.Model
    float_model: tf_keras.Model
    quantization: Quantization
    constraints: WeightConstraints
    original_names: Mapping[str, str]
    float_layers: Mapping[str, str]


def save_quantized(quantized: Quantized, folder: Path) -> None:
    """Writes a quantized model: the float model, and the ranges and settings from which the wrappers are rebuilt.

    tf_keras cannot read tfmot's wrappers back from `.keras` (`Layer 'quantize_layer' expected 5 variables, but
    received 3`), and from `.h5` and SavedModel it does so without the masks: one more epoch reduces the sparsity from
    0.75 to 0.07.

    Args:
        quantized: the model to write.
        folder: exists, and is empty.
    """
    (folder / _FLOAT_MODEL).mkdir()
    models.save_model(quantized.float_model, folder / _FLOAT_MODEL)
    np.savez(folder / _RANGES, **{name: range_.numpy() for name, range_ in _ranges(quantized.model).items()})
    settings = {
        "format": _FORMAT,
        "quantization": quantized.quantization.model_dump(mode="json", include={*Quantization.model_fields}),
        "preserve": asdict(quantized.constraints),
    }
    (folder / _SETTINGS).write_text(json.dumps(settings, indent=1), encoding="utf-8")


def load_quantized(folder: Path) -> Quantized:
    """Reads the files of `save_quantized`; outputs are the same, as are zeros and clusters in further training.

    Raises:
        StoreError: the files are of a different format, or do not belong together.
    """
    settings = json.loads((folder / _SETTINGS).read_text(encoding="utf-8"))
    if settings.get("format") not in (_FORMAT, *_WITH_WEIGHT_RANGES):
        raise StoreError(
            f"{folder / _SETTINGS} is of format {settings.get('format')!r}. Expected {_FORMAT}.",
            "Run the recipe again with --fresh.",
            code="invalid_record",
        )
    quantization = Quantization.model_validate(settings["quantization"])
    constraints = WeightConstraints(**settings["preserve"])
    float_model = models.load_model(folder / _FLOAT_MODEL)
    canonical = canonicalize(float_model)
    model = wrap(canonical, quantization, constraints)
    ranges = _ranges(model)
    with np.load(folder / _RANGES) as stored:
        names = set(stored.files)
        if settings["format"] in _WITH_WEIGHT_RANGES:
            names = {name for name in names if name in ranges or not _is_of_weight(name)}
        if names != set(ranges):
            odd = ", ".join(sorted(names ^ set(ranges)))
            raise StoreError(
                f"{folder / _RANGES} does not fit the model in the same folder: {odd} is in one of the two only.",
                "Run the recipe again with --fresh.",
                code="invalid_record",
            )
        for name, range_ in ranges.items():
            range_.assign(stored[name])
    return Quantized(
        model, float_model, quantization, constraints, canonical.original_names, original_float_layers(canonical)
    )


def skipping(quantization: Quantization, names: Collection[str]) -> Quantization:
    """The keys of a stage that does not simulate some layers, by their names in the float model."""
    rules = tuple(QuantizeRule(match=re.escape(name), skip=True) for name in names)
    return quantization.model_copy(update={"layers": (*quantization.layers, *rules)})


def without_simulation(quantized: Quantized, names: Collection[str]) -> tf_keras.Model:
    """The model that simulates 8 bits, with the learned ranges, but for some layers of the float model.

    Args:
        quantized: a trained model; it is not changed.
        names: the layers that become float.
    """
    keys = skipping(quantized.quantization, names)
    model = wrap(canonicalize(quantized.float_model), keys, quantized.constraints)
    learned = _ranges(quantized.model)
    for name, range_ in _ranges(model).items():
        range_.assign(learned[name])
    return model


def ranges_note(quantized: Quantized) -> dict[str, Nested]:
    """The ranges that training learned in addition to the weights, to be stored with the float model.

    Returns:
        JSON values: a sentence, and by Keras layer the lowest and highest value of each range.
    """
    ranges: dict[str, dict[str, Nested]] = {}
    for name, range_ in _ranges(quantized.model).items():
        layer, _, variable = name.rpartition(".")
        own = layer.removeprefix("quant_")
        ranges.setdefault(quantized.original_names.get(own, own), {})[variable] = np.asarray(range_.numpy()).tolist()
    return {
        "schema": 1,
        "about": "Ranges that quantization-aware training learned, for 8 bits. The weights of this model are the float "
        "weights as trained; nothing in it is rounded.",
        "ranges": ranges,
    }


def is_quantized(folder: Path) -> bool:
    """Whether a folder contains the files of `save_quantized`."""
    return (folder / _SETTINGS).is_file()


def _is_of_weight(name: str) -> bool:
    """Whether a stored range is one of a layer's weight: `quant_conv.kernel_min`, `quant_conv.depthwise_kernel_max`."""
    return name.rpartition(".")[2] in {f"{weight}_{end}" for weight in _WEIGHTS for end in ("min", "max")}


def _ranges(model: tf_keras.Model) -> dict[str, tf.Variable]:
    """The state of a wrapped model in addition to the weights of the float model, by layer and name."""
    layers = [
        *wrappers(model),
        *simulated_lstms(model),
        *(layer for layer in model.layers if isinstance(layer, QuantizeLayer)),
    ]
    return {
        f"{layer.name}.{leaf(variable)}": variable
        for layer in layers
        for variable in layer.weights
        if leaf(variable).endswith(("_min", "_max"))
    }
