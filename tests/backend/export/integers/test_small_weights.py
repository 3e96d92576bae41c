"""int4 weights of a layer in an int8 file: written by hand, without TensorFlow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import OpResolverType

from tests.support.tflite_files.float_operators import example, file_of, outputs
from tests.support.tflite_files.handmade_tflite import Graph, Tensor, write
from tfopt.backend.export.integers.small_weights import shrink
from tfopt.backend.graph.layer_names import LayerNames
from tfopt.backend.quantizer.choices import Choice
from tfopt.backend.quantizer.engine import Engine
from tfopt.backend.quantizer.layer_modes import LayerModes
from tfopt.backend.quantizer.operators import operators
from tfopt.backend.quantizer.ranges import activations
from tfopt.backend.tflite import flatbuffer
from tfopt.core.config.quantization_modes import MODES

INT8 = replace(MODES["int16x8"], activations="int8")
SHAPES = {"FULLY_CONNECTED": (16, 65), "CONV_2D": (8, 3, 3, 5), "EMBEDDING_LOOKUP": (8, 64)}


def int8_file(content: bytes) -> flatbuffer.File:
    """What the converter would make of a float file with one operator."""
    file = flatbuffer.parse(content)
    engine = Engine(content)
    engine.tell([Choice(operator, INT8) for operator in operators(file, LayerNames(["x"]))], {})
    examples = [{"given": example(content, seed)} for seed in range(8)]
    return flatbuffer.parse(engine.quantize(activations(file, examples)))


@pytest.mark.parametrize("operator", SHAPES)
def test_weights_become_int4_and_the_file_computes_nearly_the_same(operator: str) -> None:
    content = file_of(operator, np.random.default_rng(2).normal(size=SHAPES[operator]))
    file = int8_file(content)
    before = flatbuffer.serialize(file)
    shrink(file, LayerModes({"x": "int4"}, ("x",)))
    after = flatbuffer.serialize(file)
    graph = file.model.subgraphs[0]
    kernel = next(t for t in graph.tensors if flatbuffer.text(t.name).endswith("kernel"))
    assert flatbuffer.DTYPES[kernel.type] == "int4"
    given = example(content, 50)
    expected = outputs(content, given, OpResolverType.BUILTIN_REF)
    for kernels in (OpResolverType.AUTO, OpResolverType.BUILTIN_REF):
        difference = outputs(after, given, kernels) - expected
        assert np.sqrt(np.mean(np.square(difference))) < 0.2 * expected.std()
    reads = {file.operator_name(each): each for each in graph.operators}
    if operator == "EMBEDDING_LOOKUP":
        assert flatbuffer.DTYPES[graph.tensors[reads[operator].outputs[0]].type] == "float32"
        assert "GATHER" not in reads
    else:
        assert flatbuffer.DTYPES[graph.tensors[reads[operator].outputs[0]].type] == "int8"
        assert len(after) < len(before)


def test_other_layers_and_weights_without_a_kernel_stay() -> None:
    file = int8_file(file_of("EMBEDDING_LOOKUP", np.random.default_rng(2).normal(size=(8, 33))))
    before = flatbuffer.serialize(file)
    shrink(file, LayerModes({"x": "int4"}, ("x",)))
    assert flatbuffer.serialize(file) == before  # a row of 33 values does not begin at a byte
    dense = int8_file(file_of("FULLY_CONNECTED", np.random.default_rng(2).normal(size=(16, 64))))
    before = flatbuffer.serialize(dense)
    shrink(dense, LayerModes({"y": "int4"}, ("x", "y")))
    assert flatbuffer.serialize(dense) == before


def test_a_kernel_of_two_operators_is_rounded_once_and_both_biases_follow(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    integers, wide = schema.TensorType.INT8, schema.TensorType.INT32
    scales, finer = [0.02] * 8, [0.002] * 8
    kernel = Tensor("model/x/MatMul", integers, (8, 16), rng.integers(-127, 128, (8, 16), np.int8), scales, [0] * 8)
    biases = [Tensor(f"b{n}", wide, (8,), rng.integers(-5000, 5000, 8, np.int32), finer, [0] * 8) for n in (1, 2)]
    ports = [
        Tensor(name, integers, (1, size), None, [0.1], [0])
        for name, size in (("i", 16), ("model/x/a", 8), ("model/x/b", 8))
    ]
    product = schema.BuiltinOperator.FULLY_CONNECTED
    graph = Graph([kernel, *biases, *ports], [(product, [3, 0, 1], [4]), (product, [3, 0, 2], [5])], [3], [4, 5])
    file = flatbuffer.read(write(tmp_path / "twice.tflite", graph))
    before = [np.asarray(bias.data) * 0.002 for bias in biases]
    shrink(file, LayerModes({"x": "int4"}, ("x",)))
    tensors = file.model.subgraphs[0].tensors
    assert flatbuffer.DTYPES[tensors[0].type] == "int4"
    for tensor, real in zip(tensors[1:3], before, strict=True):
        assert np.allclose(tensor.quantization.scale, np.asarray(tensors[0].quantization.scale) * 0.1, rtol=1e-5)
        assert np.allclose(np.asarray(file.values(tensor)) * np.asarray(tensor.quantization.scale), real, atol=0.04)
