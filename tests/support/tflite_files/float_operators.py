"""Float32 `.tflite` files with one operator that has weights, written by hand: no converter, no TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from tfopt.backend.tflite import flatbuffer
from tfopt.backend.tflite.changes import add_constant, operator_code

Weights = np.ndarray
_FLOAT, _INT = schema.TensorType.FLOAT32, schema.TensorType.INT32


def _options(name: str, **values: Any) -> tuple[int, Any]:
    made = getattr(schema, f"{name}T")()
    for key, value in values.items():
        setattr(made, key, value)
    return getattr(schema.BuiltinOptions, name), made


_STRIDES = {"strideH": 1, "strideW": 1}
_Shape = Callable[[Weights], Sequence[int]]
_OPERATORS: dict[str, tuple[int, tuple[int, Any], _Shape, _Shape]] = {
    "FULLY_CONNECTED": (
        schema.BuiltinOperator.FULLY_CONNECTED,
        _options("FullyConnectedOptions"),
        lambda w: [3, w.shape[1]],
        lambda w: [3, w.shape[0]],
    ),
    "CONV_2D": (
        schema.BuiltinOperator.CONV_2D,
        _options("Conv2DOptions", **_STRIDES, dilationHFactor=1, dilationWFactor=1),
        lambda w: [1, 5, 5, w.shape[3]],
        lambda w: [1, 5, 5, w.shape[0]],
    ),
    "DEPTHWISE_CONV_2D": (
        schema.BuiltinOperator.DEPTHWISE_CONV_2D,
        _options("DepthwiseConv2DOptions", **_STRIDES, depthMultiplier=1, dilationHFactor=1, dilationWFactor=1),
        lambda w: [1, 5, 5, w.shape[3]],
        lambda w: [1, 5, 5, w.shape[3]],
    ),
    "TRANSPOSE_CONV": (
        schema.BuiltinOperator.TRANSPOSE_CONV,
        _options("TransposeConvOptions", **_STRIDES),
        lambda w: [1, 5, 5, w.shape[3]],
        lambda w: [1, 5, 5, w.shape[0]],
    ),
    "BATCH_MATMUL": (
        schema.BuiltinOperator.BATCH_MATMUL,
        _options("BatchMatMulOptions", adjX=False, adjY=False),
        lambda w: [w.shape[0], 6, w.shape[1]],
        lambda w: [w.shape[0], 6, w.shape[2]],
    ),
    "EMBEDDING_LOOKUP": (
        schema.BuiltinOperator.GATHER,
        _options("GatherOptions", axis=0, batchDims=0),
        lambda w: [2, 3],
        lambda w: [2, 3, w.shape[1]],
    ),
}
"""Builtin code, options, shapes of input and output; EMBEDDING_LOOKUP begins as GATHER, as the converter writes it."""


def file_of(operator: str, weights: Weights, layer: str = "x") -> bytes:
    """A file with one operator, named after a Keras layer.

    Args:
        operator: TFLite's name of it.
        weights: float32, as TFLite stores them.
        layer: the name of the layer.
    """
    code, options, shape_in, shape_out = _OPERATORS[operator]
    file = flatbuffer.File(schema.ModelT())
    file.model.version, file.model.buffers, file.model.operatorCodes = 3, [schema.BufferT()], []
    graph = schema.SubGraphT()
    graph.tensors, file.model.subgraphs = [], [graph]
    is_table = operator == "EMBEDDING_LOOKUP"
    given = _tensor(graph, "given", shape_in(weights), _INT if is_table else _FLOAT)
    kernel = add_constant(file, graph, weights.astype(np.float32), f"model/{layer}/kernel")
    made = _tensor(graph, f"model/{layer}/{'embedding_lookup' if is_table else 'MatMul'}", shape_out(weights), _FLOAT)
    node = schema.OperatorT()
    node.opcodeIndex, node.outputs = operator_code(file, code, 1), [made]
    node.builtinOptionsType, node.builtinOptions = options
    channels = shape_out(weights)[-1]
    node.inputs = (
        [kernel, given]
        if is_table
        else [given, kernel, add_constant(file, graph, np.zeros(channels, np.float32), f"model/{layer}/bias")]
    )
    if operator == "BATCH_MATMUL":
        node.inputs = node.inputs[:2]
    if operator == "TRANSPOSE_CONV":
        sizes = add_constant(file, graph, np.asarray(shape_out(weights), np.int32), "sizes")
        node.inputs = [sizes, kernel, given]
    graph.operators, graph.inputs, graph.outputs = [node], [given], [made]
    file.model.signatureDefs = [_signature(given, made)]
    return flatbuffer.serialize(file)


def _tensor(graph: Any, name: str, shape: Sequence[int], dtype: int) -> int:
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.type, tensor.buffer = name, list(shape), dtype, 0
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1


def _signature(given: int, made: int) -> Any:
    signature = schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = "serving_default", 0
    signature.inputs, signature.outputs = [schema.TensorMapT()], [schema.TensorMapT()]
    signature.inputs[0].name, signature.inputs[0].tensorIndex = "given", given
    signature.outputs[0].name, signature.outputs[0].tensorIndex = "made", made
    return signature


def outputs(content: bytes, given: np.ndarray, kernels: OpResolverType) -> np.ndarray:
    """What a file computes of one input."""
    interpreter = Interpreter(model_content=content, experimental_op_resolver_type=kernels)
    made: np.ndarray = interpreter.get_signature_runner("serving_default")(given=given)["made"]
    return made


def example(content: bytes, seed: int = 0) -> np.ndarray:
    """A random input of a file."""
    details = Interpreter(model_content=content).get_signature_runner("serving_default").get_input_details()["given"]
    random = np.random.default_rng(seed)
    if details["dtype"] == np.int32:
        return random.integers(0, 8, details["shape"]).astype(np.int32)
    return random.normal(size=details["shape"]).astype(np.float32)
