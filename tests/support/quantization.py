"""Tiny models on the digits, the script that a user of tfmot would write, and a look into a `.tflite` file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import tensorflow as tf
import tf_keras
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from sklearn.datasets import load_digits
from tf_keras import layers

from tfopt.backend.data.load import Data
from tfopt.backend.data.splits import Split
from tfopt.core.config.compile import Compile
from tfopt.core.config.traits import Trait
from tfopt.core.contracts.stage import StageContext
from tfopt.stages.qat import Qat

TRAIN, VALIDATION = slice(0, 1200), slice(1200, 1400)
TEST = slice(1400, None)
_KERNEL_OPERATORS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")
_LSTM_STATE = 18


@cache
def digits() -> tuple[np.ndarray, np.ndarray]:
    """All 1797 images, (8, 8, 1) in 0..1, and their labels."""
    images, labels = load_digits(return_X_y=True)
    return (images / 16).astype(np.float32).reshape(-1, 8, 8, 1), labels.astype(np.int32)


def training_images() -> np.ndarray:
    return digits()[0][TRAIN]


def train(model: tf_keras.Model, epochs: int, learning_rate: float = 2e-3) -> tf_keras.Model:
    """Plain Keras training on the training images."""
    images, labels = digits()
    tf_keras.utils.set_random_seed(3)
    model.compile(tf_keras.optimizers.Adam(learning_rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(images[TRAIN], labels[TRAIN], epochs=epochs, batch_size=64, verbose=0)
    return model


def accuracy(model: tf_keras.Model) -> float:
    """Share of test images that a Keras model gets right."""
    images, labels = digits()
    return float((model.predict(images[TEST], verbose=0).argmax(-1) == labels[TEST]).mean())


def normalization(name: str) -> layers.BatchNormalization:
    """Batch normalization whose statistics are ready after a few dozen steps."""
    return layers.BatchNormalization(momentum=0.8, name=name)


def separate_relu_model() -> tf_keras.Model:
    """Kernels with their ReLU in a layer of its own: the common way to write it, and the one that tfmot gets wrong."""
    return tf_keras.Sequential(
        [
            layers.InputLayer((8, 8, 1), name="image"),
            layers.Conv2D(8, 3, padding="same", name="first"),
            layers.ReLU(name="first_relu"),
            layers.Conv2D(16, 3, name="second"),
            layers.Activation("relu", name="second_relu"),
            layers.Flatten(name="flatten"),
            layers.Dense(32, name="hidden"),
            layers.ReLU(name="hidden_relu"),
            layers.Dense(10, activation="softmax", name="logits"),
        ],
        name="separate",
    )


def inner_relu_model() -> tf_keras.Model:
    """The same with the ReLU inside the layers."""
    return tf_keras.Sequential(
        [
            layers.InputLayer((8, 8, 1), name="image"),
            layers.Conv2D(8, 3, padding="same", activation="relu", name="first"),
            layers.Conv2D(16, 3, activation="relu", name="second"),
            layers.Flatten(name="flatten"),
            layers.Dense(32, activation="relu", name="hidden"),
            layers.Dense(10, activation="softmax", name="logits"),
        ],
        name="inner",
    )


def prune_by_magnitude(model: tf_keras.Model, sparsity: float) -> tf_keras.Model:
    """Sets the smallest weights of every kernel to zero, as a stripped pruned model has it."""
    for variable in model.trainable_variables:
        if variable.shape.rank >= 2:
            value = variable.numpy()
            value[np.abs(value) <= np.quantile(np.abs(value), sparsity)] = 0
            variable.assign(value)
    return model


def least_sparsity(model: tf_keras.Model) -> float:
    """Share of zeros of the kernel that has the fewest."""
    kernels = [variable.numpy() for variable in model.trainable_variables if variable.shape.rank >= 2]
    return min(float((kernel == 0).mean()) for kernel in kernels)


def context(work: Path, *traits: Trait, events: list | None = None) -> StageContext:
    """What a qat stage is given besides the model."""
    images, labels = digits()
    parts = [Split(images[part], labels[part]) for part in (TRAIN, VALIDATION, TEST)]
    return StageContext(
        data=Data(*parts, source="digits", num_classes=10),
        compile=Compile(),
        batch_size=64,
        seed=5,
        emit=(lambda event: None) if events is None else events.append,
        work=work / "work",
        logs=work / "logs",
        traits=frozenset(traits),
    )


def qat(epochs: int, **keys: object) -> Qat:
    """A qat stage."""
    return Qat.model_validate({"name": "qat", "epochs": epochs, "calibration": 128, "learning_rate": 1e-3, **keys})


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
        images, labels = digits()
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
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([image[None]] for image in examples[:64])
    converter.inference_input_type = tf.int8 if examples.dtype == np.float32 else tf.float32
    converter.inference_output_type = tf.int8
    return File(converter.convert())
