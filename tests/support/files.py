"""A look into a `.tflite` file, and the scripts that make one without tfopt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf
import tf_keras
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from tests.support.converting import converter_of
from tests.support.digits import TEST, digit_arrays, training_images

_KERNEL_OPERATORS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")
_LSTM_STATE = 18


@dataclass(frozen=True)
class Kernel:
    """A kernel in a `.tflite` file."""

    operator: str
    dtype: str
    sparsity: float
    scales: np.ndarray


class File:
    """A `.tflite` file, run with LiteRT's reference kernels, so that every operator shows.

    Args:
        content: its bytes.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self._interpreter = Interpreter(
            model_content=content, experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        )
        self._interpreter.allocate_tensors()
        self._tensors = {detail["index"]: detail for detail in self._interpreter.get_tensor_details()}
        self.operators = [operator["op_name"] for operator in self._interpreter._get_ops_details()]

    @property
    def float_operators(self) -> list[str]:
        """Operators, other than conversions, that read or write floats."""
        return [
            operator["op_name"]
            for operator in self._interpreter._get_ops_details()
            if operator["op_name"] not in ("QUANTIZE", "DEQUANTIZE")
            and any(
                self._tensors[index]["dtype"] == np.float32
                for index in (*operator["inputs"], *operator["outputs"])
                if index >= 0
            )
        ]

    @property
    def kernels(self) -> list[Kernel]:
        """The kernels, in the order of the graph."""
        found = []
        for operator in self._interpreter._get_ops_details():
            if operator["op_name"] in _KERNEL_OPERATORS:
                tensor = self._tensors[operator["inputs"][1]]
                values = self._interpreter.get_tensor(tensor["index"])
                scales = tensor["quantization_parameters"]["scales"]
                zeros = float((values == 0).mean())
                found.append(Kernel(operator["op_name"], np.dtype(tensor["dtype"]).name, zeros, scales))
        return found

    @property
    def values(self) -> list[np.ndarray]:
        """The values of the kernels, in the order of `kernels`."""
        return [
            self._interpreter.get_tensor(operator["inputs"][1])
            for operator in self._interpreter._get_ops_details()
            if operator["op_name"] in _KERNEL_OPERATORS
        ]

    @property
    def lstm_scales(self) -> list[tuple[tuple[float, int], tuple[float, int]]]:
        """Scale and zero point of the state and of the result of each LSTM operator."""
        return [
            (self._tensors[operator["inputs"][_LSTM_STATE]]["quantization"], self._tensors[result]["quantization"])
            for operator in self._interpreter._get_ops_details()
            if operator["op_name"] == "UNIDIRECTIONAL_SEQUENCE_LSTM"
            for result in operator["outputs"]
        ]

    def accuracy(self) -> float:
        """Share of test images that the file gets right."""
        images, labels = digit_arrays()
        interpreter = Interpreter(model_content=self.content)
        given, result = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
        interpreter.resize_tensor_input(given["index"], (len(labels[TEST]), *given["shape"][1:]))
        interpreter.allocate_tensors()
        inputs = images[TEST]
        if given["dtype"] == np.int8:
            scale, zero = given["quantization"]
            inputs = np.clip(np.round(inputs / scale + zero), -128, 127).astype(np.int8)
        interpreter.set_tensor(given["index"], inputs)
        interpreter.invoke()
        return float((interpreter.get_tensor(result["index"]).argmax(-1) == labels[TEST]).mean())


def naive_file(model: tf_keras.Model, optimize: bool = True) -> File:
    """The file that tfmot's guide makes: no representative dataset."""
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if optimize:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return File(converter.convert())


def int8_file(model: tf_keras.Model, images: np.ndarray | None = None) -> File:
    """The file that tfopt's int8 export makes: always with a representative dataset, integers in and out."""
    examples = training_images() if images is None else images
    converter = converter_of(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([image[None]] for image in examples[:64])
    converter.inference_input_type = tf.int8 if examples.dtype == np.float32 else tf.float32
    converter.inference_output_type = tf.int8
    return File(converter.convert())
