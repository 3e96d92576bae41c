"""SavedModels to `.tflite` files, in a child process: the converter can crash."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import dropwhile
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from tfopt.atomic import replacing
from tfopt.backend.export.files import cannot_write
from tfopt.backend.export.integers import loops, lstm_operator
from tfopt.backend.export.integers.float_rules import NOTHING, FloatRequest, PlainFloatRequest
from tfopt.backend.export.integers.integer_steps import kernels, quantize_well
from tfopt.backend.quantizer.layer_modes import NO_RULES, LayerModes, PlainLayerModes
from tfopt.backend.quantizer.quantize import quantize
from tfopt.backend.tflite import child_process, flatbuffer
from tfopt.core.claims.failures import Failure
from tfopt.core.config.files.tflite_variant import Variant

if TYPE_CHECKING:
    import tensorflow as tf

REFUSED, CRASHED = "conversion_failed", "process_crashed"
"""Codes of failures that a layer of the model causes."""

_UNKNOWN = re.compile(r"'tf\.(\w+)' op is neither a custom op nor a flex op")

Calibration = Mapping[str, str]
"""Path of the .npy file of training examples per input."""


@dataclass(frozen=True)
class Conversion:
    """One file to convert.

    Args:
        name: name of the variant.
        variant: its keys in the recipe.
        saved_model: folder of the SavedModel.
        target: where the file goes; it exists when the conversion is done.
        calibration: .npy file of training examples per input, for calibrated files.
        floats: layers that stay float in an int8 file because the recipe says so.
        layers: layers with a mode of their own by the rules of the recipe.
    """

    name: str
    variant: Variant
    saved_model: Path
    target: Path
    calibration: Mapping[str, Path]
    floats: FloatRequest = NOTHING
    layers: LayerModes = NO_RULES


def convert(conversions: Sequence[Conversion], started: Callable[[str], None]) -> dict[str, Failure]:
    """Converts all files in one child process; after a crash or an error, the rest in a new one.

    Args:
        conversions: the files to make.
        started: called with the name of every file before the first process starts.

    Returns:
        Why a conversion failed, by name, without those that worked.
    """
    failures: dict[str, Failure] = {}
    rest = list(conversions)
    for conversion in conversions:
        started(conversion.name)
    while rest:
        failure = _converted(rest)
        if failure is None:
            return failures
        rest = list(dropwhile(lambda conversion: conversion.target.exists(), rest))
        if rest:
            failures[rest.pop(0).name] = failure
    return failures


def _converted(conversions: Sequence[Conversion]) -> Failure | None:
    """Converts in a child process until all are done (None), or one fails."""
    try:
        child_process.call(
            "tfopt.backend.export.convert:convert_all",
            {"conversions": [_plain(conversion) for conversion in conversions]},
            libraries="tensorflow",
        )
    except child_process.ProcessFailed as failed:
        if "OSError" in failed.kinds:
            return Failure.of(cannot_write(conversions[0].target.parent, failed.reason))
        return Failure(_refusal(failed), REFUSED)
    except child_process.ProcessCrashed as crash:
        return Failure(f"the converter crashed with {crash.cause} ({crash})", CRASHED)
    return None


def fails(conversion: Conversion) -> bool:
    """Whether a conversion fails; what it writes is left in its folder."""
    return _converted([conversion]) is not None


def _refusal(failed: child_process.ProcessFailed) -> str:
    """Why the converter refused a model, as a sentence; for an operator that it cannot quantize, it gives no reason."""
    unknown = tuple(dict.fromkeys(_UNKNOWN.findall(failed.reason)))
    if unknown:
        return f"the converter refused it: TFLite has no operator for {', '.join(unknown)} of TensorFlow"
    text = _first_lines(failed.reason)
    if text:
        return f"the converter refused it: {failed.kinds[0]}: {text}"
    return (
        f"the converter refused it and gives no reason ({failed.kinds[0]} without a text); mostly a result that TFLite "
        "computes in float is given an integer scale"
    )


class PlainConversion(TypedDict):
    """The same in values that JSON has."""

    saved_model: str
    target: str
    variant: dict[str, object]
    calibration: dict[str, str]
    floats: PlainFloatRequest
    layers: PlainLayerModes


def _plain(conversion: Conversion) -> PlainConversion:
    return {
        "saved_model": str(conversion.saved_model),
        "target": str(conversion.target),
        "variant": conversion.variant.model_dump(mode="json"),
        "calibration": {name: str(path) for name, path in conversion.calibration.items()},
        "floats": conversion.floats.plain(),
        "layers": conversion.layers.plain(),
    }


def _first_lines(message: str) -> str:
    """The converter repeats its error once per location; the first lines say it."""
    return " ".join(line.strip() for line in message.splitlines()[:3] if line.strip())[:400]


def convert_all(conversions: list[PlainConversion]) -> None:
    """Runs in the child process of `convert`: a file appears only when it is complete."""
    for conversion in conversions:
        content = convert_one(
            conversion["saved_model"],
            Variant.model_validate(conversion["variant"]),
            conversion["calibration"],
            FloatRequest.of(conversion["floats"]),
            LayerModes.of(conversion["layers"]),
        )
        with replacing(Path(conversion["target"])) as part:
            part.write_bytes(content)


def convert_one(
    saved_model: str,
    variant: Variant,
    calibration: Calibration,
    floats: FloatRequest = NOTHING,
    layers: LayerModes = NO_RULES,
) -> bytes:
    """Converts one SavedModel in this process.

    `from_saved_model` is the route that keeps Keras layer names in tensor names and tfmot's learned ranges alike
    (compared with `model.export` and `model.save`: the same graphs). int8 always has a representative dataset, also
    after quantization-aware training: it gives a range to every tensor that training left without one, and leaves the
    learned ranges alone (no QUANTIZE pairs in the graph).
    """
    import tensorflow as tf

    if variant.engine == "quantizer":
        return quantize(_float32_file(saved_model), variant, layers, partial(_examples, calibration))
    converter = _converter(saved_model)
    CONVERTERS[variant.quantize](converter, variant, calibration)
    if variant.mode.calibrated:
        quantize_well(converter, saved_model, floats, layers, variant.calibrating)
    if variant.sparse:
        converter.optimizations = [*converter.optimizations, tf.lite.Optimize.EXPERIMENTAL_SPARSITY]
    content: bytes = converter.convert()
    return content


def _converter(saved_model: str) -> tf.lite.TFLiteConverter:
    import tensorflow as tf

    return tf.lite.TFLiteConverter.from_saved_model(saved_model, signature_keys=["serving_default"])


@lru_cache(maxsize=1)
def _float32_file(saved_model: str) -> bytes:
    """The float32 file of a SavedModel, made once for the files of all modes that the quantizer makes of it.

    What belongs to a recurrent layer has its name, which the converter drops.
    """
    file, variables = flatbuffer.parse(_converter(saved_model).convert()), kernels(saved_model)
    lstm_operator.name_results(file, variables)
    loops.name_loops(file, variables)
    return flatbuffer.serialize(file)


def _float32(converter: tf.lite.TFLiteConverter, variant: Variant, calibration: Calibration) -> None:
    """The converter's default: everything stays as it is."""


def _float16(converter: tf.lite.TFLiteConverter, variant: Variant, calibration: Calibration) -> None:
    import tensorflow as tf

    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]


def _dynamic_range(converter: tf.lite.TFLiteConverter, variant: Variant, calibration: Calibration) -> None:
    import tensorflow as tf

    converter.optimizations = [tf.lite.Optimize.DEFAULT]


def _full_integer(converter: tf.lite.TFLiteConverter, variant: Variant, calibration: Calibration) -> None:
    import tensorflow as tf

    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = tf.lite.RepresentativeDataset(lambda: _examples(calibration))
    converter.inference_input_type = tf.dtypes.as_dtype(variant.input_type)
    converter.inference_output_type = tf.dtypes.as_dtype(variant.output_type)
    one_scale = variant.dense_per_channel is False
    converter._experimental_disable_per_channel_quantization_for_dense_layers = one_scale


CONVERTERS: Mapping[str, Callable[[tf.lite.TFLiteConverter, Variant, Calibration], None]] = {
    "none": _float32,
    "float16": _float16,
    "dynamic": _dynamic_range,
    "int8": _full_integer,
}
"""The function that sets a `tf.lite.TFLiteConverter`, for each mode of `tfopt.core.config.quantization_modes` whose
engine that is."""


def _examples(calibration: Calibration) -> Iterator[dict[str, np.ndarray]]:
    arrays = {name: np.load(path, mmap_mode="r") for name, path in calibration.items()}
    for index in range(len(next(iter(arrays.values())))):
        yield {name: values[index : index + 1] for name, values in arrays.items()}
