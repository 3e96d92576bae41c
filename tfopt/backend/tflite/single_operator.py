"""Each operator of a file as a file of its own, and the values that it gets when the whole file runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from ai_edge_litert.tools import flatbuffer_utils

from tfopt.backend.tflite import flatbuffer
from tfopt.backend.tflite import interpreter as litert
from tfopt.backend.tflite.interpreter import TensorDetails
from tfopt.backend.types import Array


def intermediate(path: str, inputs: Mapping[str, Array], examples: int) -> Iterator[dict[int, Array]]:
    """Per example, every tensor of a file by its position, on the built-in kernels.

    Args:
        path: a `.tflite` file that runs.
        inputs: real values (examples, ...) per input name.
        examples: how many of them to run.
    """
    interpreter = Interpreter(
        model_path=path,
        experimental_op_resolver_type=litert.RESOLVERS["builtin"],
        experimental_preserve_all_tensors=True,
    )
    keys = list(interpreter.get_signature_list())
    details = (
        interpreter.get_signature_runner(keys[0]).get_input_details()
        if keys
        else {one["name"]: one for one in interpreter.get_input_details()}
    )
    for index in range(min(examples, len(next(iter(inputs.values()))))):
        for name, values in inputs.items():
            interpreter.resize_tensor_input(details[name]["index"], values[index : index + 1].shape)
        interpreter.allocate_tensors()
        interpreter.reset_all_variables()
        for name, values in inputs.items():
            one = details[name]
            value = litert.quantized(values[index : index + 1], one["dtype"], *one["quantization"])
            interpreter.set_tensor(one["index"], value)
        interpreter.invoke()
        found = {one["index"]: _value(interpreter, one) for one in interpreter.get_tensor_details()}
        yield {index: array for index, array in found.items() if array is not None}


def _value(interpreter: Interpreter, details: TensorDetails) -> Array | None:
    try:
        return np.array(interpreter.get_tensor(details["index"]))
    except ValueError:  # never computed
        return None


def dynamic_inputs(file: flatbuffer.File, graph: schema.SubGraphT, operator: schema.OperatorT) -> list[int]:
    """Positions of the tensors that an operator reads and that are computed while the file runs."""
    indices = [int(index) for index in operator.inputs if index >= 0]
    return [
        index
        for index in dict.fromkeys(indices)
        if file.raw(graph.tensors[index]) is None and not graph.tensors[index].isVariable
    ]


def alone(file: flatbuffer.File, graph: schema.SubGraphT, operator: schema.OperatorT, taken: list[int]) -> bytes:
    """A file of one operator, without the weights of all others."""
    model = file.model
    kept = (graph.operators, graph.inputs, graph.outputs, model.buffers, model.signatureDefs, model.metadata)
    codes, code = model.operatorCodes, operator.opcodeIndex
    used = {graph.tensors[index].buffer for index in operator.inputs if index >= 0}
    try:
        graph.operators, graph.inputs, graph.outputs = [operator], taken, list(operator.outputs)
        model.signatureDefs, model.metadata = None, None
        if len(model.subgraphs) == 1:
            model.buffers = [b if i in used else schema.BufferT() for i, b in enumerate(model.buffers)]
            # Kernels that lack an operator refuse a file that only names it.
            model.operatorCodes, operator.opcodeIndex = [codes[code]], 0
        return bytes(flatbuffer_utils.convert_object_to_bytearray(model))
    finally:
        graph.operators, graph.inputs, graph.outputs = kept[:3]
        model.buffers, model.signatureDefs, model.metadata = kept[3:]
        model.operatorCodes, operator.opcodeIndex = codes, code
