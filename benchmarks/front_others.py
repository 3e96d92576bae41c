"""A trained model through TensorFlow's converter and through the stock recipes of litert-quantizer, without tfopt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from front_table import Point

CALIBRATION = 256
"""Examples that the others calibrate with."""


def of_others(run: Any, data: dict[str, Any], work: Path) -> Iterator[Point]:
    """The trained model through the converter, as its guides say, and its float32 file through stock recipes.

    Args:
        run: of tfopt, with its model as `keras` and `float32.tflite`.
        data: the recipe's block.
        work: a folder for files.
    """
    from tfopt.backend.data.load import load
    from tfopt.core.config.data import DataConfig

    splits = load(DataConfig.model_validate(data))
    examples = splits.train.take(CALIBRATION, 0).inputs
    made = {f"converter {mode}": content for mode, content in _converted(run, examples).items()}
    float32 = (run.folder / "export" / "float32.tflite").read_bytes()
    made |= {f"quantizer {recipe}": content for recipe, content in _quantized(float32, examples).items()}
    for label, content in made.items():
        by, _, mode = label.partition(" ")
        if isinstance(content, str):
            print(f"{label}: {content}")
            continue
        file = work / f"{label.replace(' ', '-')}.tflite"
        file.write_bytes(content)
        accuracy = _accuracy(file, splits.test, work)
        if accuracy is not None:
            yield Point(by, mode, len(content), accuracy)


def _converted(run: Any, examples: np.ndarray) -> dict[str, bytes | str]:
    """TensorFlow's post-training quantization of the Keras model."""
    import tensorflow as tf
    import tf_keras

    model = tf_keras.models.load_model(run.folder / "export" / "model.keras", compile=False)
    fixed = tf_keras.Model(batch := tf_keras.Input(model.input_shape[1:], 1), model(batch))

    def representative() -> Iterator[list[np.ndarray]]:
        yield from ([example[np.newaxis]] for example in examples)

    def convert(mode: str) -> bytes:
        converter = tf.lite.TFLiteConverter.from_keras_model(fixed)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if mode == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if mode in ("int8", "int16x8"):
            converter.representative_dataset = representative
        if mode == "int16x8":
            sixteen = tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
            converter.target_spec.supported_ops = [sixteen]
        content: bytes = converter.convert()
        return content

    return {mode: _attempt(convert, mode) for mode in ("float16", "dynamic", "int8", "int16x8")}


def _quantized(float32: bytes, examples: np.ndarray) -> dict[str, bytes | str]:
    """Stock recipes of litert-quantizer on the float32 file."""
    from litert_quantizer import quantizer, recipe

    stock = {
        "dynamic_wi8": (recipe.dynamic_wi8_afp32, False),
        "dynamic_wi4": (recipe.dynamic_wi4_afp32, False),
        "weight_only_wi8": (recipe.weight_only_wi8_afp32, False),
        "weight_only_wi4": (recipe.weight_only_wi4_afp32, False),
        "static_wi8_ai8": (recipe.static_wi8_ai8, True),
        "static_wi8_ai16": (recipe.static_wi8_ai16, True),
    }

    def quantize(name: str) -> bytes:
        made, calibrated = stock[name]
        engine = quantizer.Quantizer(bytearray(float32), made())
        found = None
        if calibrated:
            (port,) = _input_names(float32)
            found = engine.calibrate({"serving_default": [{port: example[np.newaxis]} for example in examples]})
        return bytes(engine.quantize(found).quantized_model)

    return {name: _attempt(quantize, name) for name in stock}


def _attempt(make: Callable[[str], bytes], name: str) -> bytes | str:
    try:
        return make(name)
    except Exception as error:  # noqa: BLE001 -- code of others; what it cannot make is a row that is left out, and said
        return f"{type(error).__name__}: {error}".splitlines()[0]


def _input_names(content: bytes) -> list[str]:
    from tfopt.backend.tflite import flatbuffer

    return [flatbuffer.text(port.name) for port in flatbuffer.parse(content).model.signatureDefs[0].inputs]


def _accuracy(file: Path, test: Any, work: Path) -> float | None:
    """Share of right predictions; None, with the reason, for a file that does not run."""
    from tfopt.backend.tflite import predict
    from tfopt.backend.tflite.child_process import ProcessCrashed, ProcessFailed

    (name,) = _input_names(file.read_bytes())
    np.save(work / "test.npy", test.inputs)
    try:
        (outputs,) = predict.run_file(file, {name: work / "test.npy"}, work, 2).outputs.values()
    except (ProcessCrashed, ProcessFailed) as error:
        print(f"{file.name}: {error}")
        return None
    return float(np.mean(outputs.argmax(axis=-1) == test.targets))
