"""The operators that a layer becomes in an int8 `.tflite` file, known before conversion.

Source: what the converter of TensorFlow 2.21 made of each layer (int8, calibrated, any number of examples per call),
one layer per file; the tests compare the table with the files of the models in the zoo. SHAPE, STRIDED_SLICE and PACK
are there because the number of examples is not fixed. QUANTIZE and DEQUANTIZE at the borders of a file are not listed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tf_keras
from tf_keras import layers

from tfopt.backend.types import Shape

Operators = tuple[str, ...]
Rule = Callable[[tf_keras.layers.Layer, Sequence[Shape]], "Operators | None"]

NO_BATCH: Operators = ("SHAPE", "STRIDED_SLICE", "PACK")
"""Operators that find the number of examples."""

FUNCTIONS: Mapping[str, Operators] = {
    "linear": (),
    "relu": ("RELU",),
    "relu6": ("RELU6",),
    "sigmoid": ("LOGISTIC",),
    "tanh": ("TANH",),
    "softmax": ("SOFTMAX",),
    "log_softmax": ("LOG_SOFTMAX",),
    "swish": ("LOGISTIC", "MUL"),
    "silu": ("LOGISTIC", "MUL"),
    "gelu": ("GELU",),
    "elu": ("ELU",),
    "exponential": ("EXP",),
    "hard_sigmoid": ("MUL", "ADD", "RELU", "MINIMUM"),
    "leaky_relu": ("LEAKY_RELU",),
    "mish": ("EXP", "ADD", "LOG", "TANH", "MUL"),
    "selu": ("EXP", "SUB", "MUL", "GREATER", "SELECT_V2"),
    "softplus": ("EXP", "ADD", "LOG"),
    "softsign": ("ABS", "ADD", "DIV"),
}
"""Activation functions, as operators of their own."""

_INSIDE = frozenset({"relu", "relu6"})
"""Functions that are part of the operator before them, but not of TRANSPOSE_CONV."""

TABLE: Mapping[type, Operators] = {
    # Arithmetic
    layers.Average: ("ADD", "MUL"),
    layers.Concatenate: ("CONCATENATION",),
    layers.Dot: ("BATCH_MATMUL",),
    layers.Maximum: ("MAXIMUM",),
    layers.Minimum: ("MINIMUM",),
    layers.Multiply: ("MUL",),
    layers.Subtract: ("SUB",),
    # Attention
    layers.Attention: ("BATCH_MATMUL", "SOFTMAX", "BATCH_MATMUL"),
    layers.AdditiveAttention: (
        "EXPAND_DIMS", "EXPAND_DIMS", "ADD", "TANH", "MUL", "SUM", "SOFTMAX", "BATCH_MATMUL",
    ),
    layers.MultiHeadAttention: (
        *("FULLY_CONNECTED", "RESHAPE", "TRANSPOSE") * 3, "BATCH_MATMUL", "SOFTMAX", "BATCH_MATMUL",
        "TRANSPOSE", "RESHAPE", "FULLY_CONNECTED",
    ),
    # Kernels
    layers.Conv3D: ("CONV_3D",),
    layers.Conv3DTranspose: ("CONV_3D_TRANSPOSE",),
    layers.EinsumDense: ("RESHAPE", "FULLY_CONNECTED"),
    layers.Embedding: ("GATHER",),
    layers.SimpleRNN: ("WHILE",),
    layers.GRU: ("WHILE",),
    layers.ConvLSTM1D: ("WHILE",),
    layers.ConvLSTM2D: ("WHILE",),
    layers.ConvLSTM3D: ("WHILE",),
    # Activations
    layers.ELU: ("ELU",),
    layers.LeakyReLU: ("LEAKY_RELU",),
    layers.PReLU: ("PRELU",),
    layers.Softmax: ("SOFTMAX",),
    layers.ThresholdedReLU: ("GREATER", "CAST", "MUL"),
    # Normalization
    layers.BatchNormalization: ("MUL", "ADD"),
    layers.LayerNormalization: (
        "SHAPE", "STRIDED_SLICE", "REDUCE_PROD", "PACK", "FILL", "RESHAPE", "TRANSPOSE", "MEAN", "SQUARED_DIFFERENCE",
        "RSQRT", "MUL", "SUB", "ADD",
    ),
    layers.UnitNormalization: ("L2_NORMALIZATION",),
    # Pooling and resizing
    layers.AveragePooling1D: ("EXPAND_DIMS", "AVERAGE_POOL_2D", "RESHAPE"),
    layers.AveragePooling2D: ("AVERAGE_POOL_2D",),
    layers.GlobalAveragePooling1D: ("MEAN",),
    layers.GlobalAveragePooling2D: ("MEAN",),
    layers.GlobalAveragePooling3D: ("MEAN",),
    layers.GlobalMaxPooling1D: ("REDUCE_MAX",),
    layers.GlobalMaxPooling2D: ("REDUCE_MAX",),
    layers.GlobalMaxPooling3D: ("REDUCE_MAX",),
    layers.MaxPooling1D: ("EXPAND_DIMS", "MAX_POOL_2D", "RESHAPE"),
    layers.MaxPooling2D: ("MAX_POOL_2D",),
    layers.UpSampling1D: ("SPLIT", "CONCATENATION"),
    layers.UpSampling3D: ("SPLIT", "CONCATENATION"),
    # Shapes
    layers.CenterCrop: (*NO_BATCH, "SLICE"),
    layers.Cropping1D: ("STRIDED_SLICE",),
    layers.Cropping2D: ("STRIDED_SLICE",),
    layers.Cropping3D: ("STRIDED_SLICE",),
    layers.Flatten: ("RESHAPE",),
    layers.Permute: ("TRANSPOSE",),
    layers.RepeatVector: ("EXPAND_DIMS", "TILE"),
    layers.Reshape: (*NO_BATCH, "RESHAPE"),
    layers.ZeroPadding1D: ("PAD",),
    layers.ZeroPadding2D: ("PAD",),
    layers.ZeroPadding3D: ("PAD",),
    # Preprocessing
    layers.Discretization: ("BUCKETIZE",),
    layers.Masking: ("NOT_EQUAL", "REDUCE_ANY", "CAST", "MUL"),
    layers.Normalization: ("SUB", "MUL"),
    layers.Resizing: ("RESIZE_BILINEAR",),
    # Only at work during training
    layers.ActivityRegularization: (),
    layers.AlphaDropout: (),
    layers.Dropout: (),
    layers.GaussianDropout: (),
    layers.GaussianNoise: (),
    layers.InputLayer: (),
    layers.RandomBrightness: (),
    layers.RandomContrast: (),
    layers.RandomCrop: (),
    layers.RandomFlip: (),
    layers.RandomHeight: (),
    layers.RandomRotation: (),
    layers.RandomTranslation: (),
    layers.RandomWidth: (),
    layers.RandomZoom: (),
    layers.SpatialDropout1D: (),
    layers.SpatialDropout2D: (),
    layers.SpatialDropout3D: (),
}  # fmt: skip
"""Layers whose operators do not depend on their settings."""


def operators(layer: tf_keras.layers.Layer, inputs: Sequence[Shape]) -> Operators | None:
    """The operators of a layer, in order; empty for a layer that leaves none.

    Args:
        layer: built, and alone in its operators: not folded into the layer before it.
        inputs: shapes of the tensors that it takes, with the batch axis.

    Returns:
        None for a layer of a type that is not in the table: what it becomes is only known after conversion.
    """
    if type(layer) in SETTINGS:
        return SETTINGS[type(layer)](layer, inputs)
    return TABLE.get(type(layer))


def function_operators(function: Any, into: bool = False) -> Operators | None:
    """The operators of an activation function.

    Args:
        function: what the `activation` of a layer holds.
        into: whether it directly follows an operator that can fuse a ReLU.
    """
    name = "linear" if function is None else getattr(function, "__name__", type(function).__name__)
    return () if into and name in _INSIDE else FUNCTIONS.get(name)


def _with_function(operators: Operators, layer: tf_keras.layers.Layer, into: bool = True) -> Operators | None:
    behind = function_operators(layer.activation, into)
    return None if behind is None else (*operators, *behind)


def _convolution(*kernels: str) -> Rule:
    def found(layer: tf_keras.layers.Layer, inputs: Sequence[Shape]) -> Operators | None:
        dilated = any(rate != 1 for rate in layer.dilation_rate)
        one_axis = len(layer.kernel_size) == 1
        middle = ("SPACE_TO_BATCH_ND", *kernels, "BATCH_TO_SPACE_ND") if dilated else kernels
        padded = ("PAD",) if layer.padding == "causal" else ()
        around = (*padded, "EXPAND_DIMS", *middle, "RESHAPE") if one_axis else middle
        return _with_function(around, layer)

    return found


def _transposed_convolution(layer: tf_keras.layers.Layer, inputs: Sequence[Shape]) -> Operators | None:
    if len(layer.kernel_size) == 1:
        size = (*NO_BATCH, "ADD", "CONCATENATION")
        return _with_function((*size, "EXPAND_DIMS", "TRANSPOSE_CONV", "SQUEEZE"), layer, into=False)
    return _with_function((*NO_BATCH, "TRANSPOSE_CONV"), layer, into=False)


def _dense(layer: tf_keras.layers.Layer, inputs: Sequence[Shape]) -> Operators | None:
    flat = len(inputs[0]) == 2
    size = ("SHAPE", "GATHER", "REDUCE_PROD", "PACK", "CONCATENATION")
    return _with_function(("FULLY_CONNECTED",) if flat else (*size, "RESHAPE", "FULLY_CONNECTED", "RESHAPE"), layer)


def _add(layer: tf_keras.layers.Layer, inputs: Sequence[Shape]) -> Operators | None:
    return ("ADD",) * (len(inputs) - 1)


def _relu(layer: tf_keras.layers.Layer, inputs: Sequence[Shape]) -> Operators | None:
    plain = not layer.threshold
    if plain and not layer.negative_slope and layer.max_value in (None, 6):
        return ("RELU",) if layer.max_value is None else ("RELU6",)
    return ("LEAKY_RELU",) if plain and layer.negative_slope and layer.max_value is None else None


def _up_sampling(layer: tf_keras.layers.Layer, inputs: Sequence[Shape]) -> Operators | None:
    kind = {"nearest": "RESIZE_NEAREST_NEIGHBOR", "bilinear": "RESIZE_BILINEAR"}.get(layer.interpolation)
    return None if kind is None else (kind,)


def _rescaling(layer: tf_keras.layers.Layer, inputs: Sequence[Shape]) -> Operators | None:
    return ("MUL", "ADD") if layer.offset else ("MUL",)


def _lstm(layer: tf_keras.layers.Layer, inputs: Sequence[Shape]) -> Operators | None:
    whole = ("UNIDIRECTIONAL_SEQUENCE_LSTM",)
    return whole if layer.return_sequences else (*whole, "STRIDED_SLICE")


def _bidirectional(layer: tf_keras.layers.Layer, inputs: Sequence[Shape]) -> Operators | None:
    inner = operators(layer.forward_layer, inputs)
    return None if inner is None else (*inner, "REVERSE_V2", *inner, "CONCATENATION")


def _time_distributed(layer: tf_keras.layers.Layer, inputs: Sequence[Shape]) -> Operators | None:
    inner = operators(layer.layer, [(shape[0], *shape[2:]) for shape in inputs])
    return None if inner is None else ("RESHAPE", *inner, "RESHAPE")


SETTINGS: Mapping[type, Rule] = {
    layers.Activation: lambda layer, inputs: function_operators(layer.activation),
    layers.Add: _add,
    layers.Bidirectional: _bidirectional,
    layers.Conv1D: _convolution("CONV_2D"),
    layers.Conv1DTranspose: _transposed_convolution,
    layers.Conv2D: _convolution("CONV_2D"),
    layers.Conv2DTranspose: _transposed_convolution,
    layers.Dense: _dense,
    layers.DepthwiseConv1D: _convolution("DEPTHWISE_CONV_2D"),
    layers.DepthwiseConv2D: _convolution("DEPTHWISE_CONV_2D"),
    layers.LSTM: _lstm,
    layers.ReLU: _relu,
    layers.Rescaling: _rescaling,
    layers.SeparableConv1D: _convolution("DEPTHWISE_CONV_2D", "CONV_2D"),
    layers.SeparableConv2D: _convolution("DEPTHWISE_CONV_2D", "CONV_2D"),
    layers.TimeDistributed: _time_distributed,
    layers.UpSampling2D: _up_sampling,
}
"""Layers whose operators depend on their settings."""
