"""The objects of a `.tflite`. Numbers in a row are Any: None, a list or a NumPy array, as they were read or set."""

from typing import Any

class BufferT:
    data: Any  # bytes in a row
    offset: int
    size: int

class QuantizationParametersT:
    scale: Any
    zeroPoint: Any
    min: Any
    max: Any
    quantizedDimension: int
    detailsType: int
    details: Any

class TensorT:
    name: Any  # bytes, as it was read; str, as it was set
    type: int
    shape: Any
    shapeSignature: Any
    buffer: int
    isVariable: bool
    hasRank: bool
    quantization: Any  # QuantizationParametersT, or None
    sparsity: Any

class OperatorT:
    opcodeIndex: int
    inputs: Any
    outputs: Any
    intermediates: Any
    builtinOptions: Any
    builtinOptionsType: int
    builtinOptions2: Any
    customOptions: Any

class SubGraphT:
    name: Any
    tensors: list[TensorT]
    operators: list[OperatorT]
    inputs: Any
    outputs: Any

class OperatorCodeT:
    builtinCode: int
    deprecatedBuiltinCode: int
    customCode: Any
    version: int

class ModelT:
    subgraphs: list[SubGraphT]
    buffers: list[BufferT]
    operatorCodes: list[OperatorCodeT]
    signatureDefs: Any
    metadata: Any
    metadataBuffer: Any

def __getattr__(name: str) -> Any: ...
