"""The two steps of the converter's int8 quantizer, calibrate and quantize, with work between them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

import tensorflow as tf
from tensorflow.lite.python.convert import mlir_quantize
from tensorflow.lite.python.optimize.calibrator import Calibrator, add_intermediate_tensors

if TYPE_CHECKING:
    from google.protobuf.message import Message

__all__ = ["quantize_in_steps"]


def quantize_in_steps(
    converter: tf.lite.TFLiteConverter,
    prepare: Callable[[bytes], bytes],
    annotate: Callable[[bytes], tuple[bytes, Collection[str]]],
    finish: Callable[[bytes], bytes],
) -> None:
    """Makes an int8 conversion call three functions; without them it is the conversion that TensorFlow does.

    Args:
        converter: of a SavedModel, with a representative dataset and set for int8.
        prepare: gets the float file, returns the one to calibrate.
        annotate: gets the calibrated file, whose tensors have ranges; returns the one to quantize, and the names of
            tensors whose operators stay float.
        finish: gets the int8 file, returns the one to write.
    """

    def quantize(
        content: bytes, input_type: tf.DType, output_type: tf.DType,
        _activations: object, _bias: object, _allow_float: object,
        variables: bool, debug_options: Message,
    ) -> bytes:  # fmt: skip
        calibrator = Calibrator(prepare(add_intermediate_tensors(content)), [], [])
        calibrated = calibrator.calibrate(converter.representative_dataset.input_gen)
        annotated, floats = annotate(calibrated)
        quantized = mlir_quantize(
            annotated,
            converter._experimental_disable_per_channel,
            input_data_type=input_type,
            output_data_type=output_type,
            denylisted_nodes=sorted(floats) or None,
            enable_variable_quantization=variables,
            disable_per_channel_for_dense_layers=converter._experimental_disable_per_channel_quantization_for_dense_layers,
            debug_options_str=debug_options.SerializeToString(),
        )
        return finish(quantized)

    converter._quantize = quantize
