"""Files of litert-quantizer: rules by layer, algorithms, int16x8; written by hand, without TensorFlow."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import OpResolverType

from tests.support.tflite_files.float_operators import example, file_of, outputs
from tfopt.backend.quantizer.edits import read_shapes_of_integers
from tfopt.backend.quantizer.layer_modes import LayerModes
from tfopt.backend.quantizer.quantize import quantize
from tfopt.backend.tflite import flatbuffer
from tfopt.backend.tflite.changes import operator_code
from tfopt.core.config.files.tflite_variant import Variant

WEIGHTS = np.random.default_rng(3).normal(size=(16, 64)).astype(np.float32)
DENSE = file_of("FULLY_CONNECTED", WEIGHTS)
TABLE = file_of("EMBEDDING_LOOKUP", WEIGHTS)
EXAMPLES = [example(DENSE, seed) for seed in range(8)]
REFERENCE = OpResolverType.BUILTIN_REF


def examples() -> Iterator[Mapping[str, np.ndarray]]:
    return ({"given": given} for given in EXAMPLES)


def layers(**modes: str) -> LayerModes:
    return LayerModes(modes, ("x",))


def error(content: bytes, of: bytes) -> float:
    """Root mean square difference to the float file, in standard deviations of its outputs."""
    given = example(of, 99)
    expected = outputs(of, given, REFERENCE)
    return float(np.sqrt(np.mean((outputs(content, given, REFERENCE) - expected) ** 2)) / expected.std())


def dtypes(content: bytes) -> dict[str, tuple[str, str]]:
    """Dtype of the weights and of the result, by operator."""
    file = flatbuffer.parse(content)
    graph = file.model.subgraphs[0]
    kernel = next(t for t in graph.tensors if flatbuffer.text(t.name).endswith("kernel"))
    return {
        file.operator_name(operator): (
            flatbuffer.DTYPES[kernel.type],
            flatbuffer.DTYPES[graph.tensors[operator.outputs[0]].type],
        )
        for operator in graph.operators
    }


def test_int16x8_computes_in_16_bits_and_has_float_or_int16_ports() -> None:
    content = quantize(DENSE, Variant(quantize="int16x8"), layers(), examples)
    assert dtypes(content)["FULLY_CONNECTED"] == ("int8", "int16")
    assert {"QUANTIZE", "DEQUANTIZE"} <= set(dtypes(content))
    assert error(content, DENSE) < 0.02
    inside = quantize(DENSE, Variant(quantize="int16x8", io="int16"), layers(), examples)
    assert set(dtypes(inside)) == {"FULLY_CONNECTED"}


def test_a_product_with_constant_weights_stays_float_in_an_int16x8_file() -> None:
    product = file_of("BATCH_MATMUL", np.random.default_rng(4).normal(size=(2, 8, 5)))
    given = [{"given": example(product, seed)} for seed in range(4)]
    content = quantize(product, Variant(quantize="int16x8"), layers(), lambda: iter(given))
    assert dtypes(content) == {"BATCH_MATMUL": ("int8", "float32")}
    assert error(content, product) < 0.05


def test_a_rule_keeps_a_layer_float_in_an_int16x8_file() -> None:
    content = quantize(DENSE, Variant(quantize="int16x8"), layers(x="none"), examples)
    assert dtypes(content) == {"FULLY_CONNECTED": ("float32", "float32")}


def test_a_rule_gives_a_layer_of_an_int16x8_file_int4_weights() -> None:
    content = quantize(DENSE, Variant(quantize="int16x8"), layers(x="int4"), examples)
    assert dtypes(content)["FULLY_CONNECTED"] == ("int4", "int16")
    assert 0.02 < error(content, DENSE) < 0.2


def test_a_table_is_looked_up_where_it_has_small_weights_only() -> None:
    given = [{"given": example(TABLE, seed)} for seed in range(4)]
    plain = quantize(TABLE, Variant(quantize="int16x8"), layers(), lambda: iter(given))
    assert dtypes(plain)["GATHER"] == ("int16", "int16")
    small = quantize(TABLE, Variant(quantize="int16x8"), layers(x="int4"), lambda: iter(given))
    assert dtypes(small)["EMBEDDING_LOOKUP"] == ("int4", "float32")
    assert error(small, TABLE) < 0.2


def test_rules_mix_modes_with_float_activations() -> None:
    assert dtypes(quantize(DENSE, Variant(), layers(x="int4"), examples))["FULLY_CONNECTED"][0] == "int4"
    assert (
        dtypes(quantize(DENSE, Variant(quantize="int4"), layers(x="none"), examples))["FULLY_CONNECTED"][0] == "float32"
    )
    half = quantize(DENSE, Variant(), layers(x="float16"), examples)
    assert dtypes(half)["FULLY_CONNECTED"][0] == "float16"
    assert error(half, DENSE) < 0.001


@pytest.mark.parametrize("mode", ["int4", "int4_block32", "int2"])
def test_gptq_rounds_better_than_the_largest_weight_does(mode: str) -> None:
    """Compared on XNNPACK, since the other kernels do not know blocks."""

    def squared(algorithm: str) -> float:
        content = quantize(DENSE, Variant(quantize=mode, algorithm=algorithm), layers(), examples)
        differences = [
            outputs(content, given, OpResolverType.AUTO) - outputs(DENSE, given, REFERENCE) for given in EXAMPLES
        ]
        return float(np.mean(np.square(differences)))

    assert squared("gptq") < squared("min_max")


def test_a_rotation_takes_any_number_of_examples_and_is_no_weight() -> None:
    file = flatbuffer.parse(DENSE)
    for tensor in file.model.subgraphs[0].tensors[:1]:
        tensor.shapeSignature = [-1, 64]
    content = quantize(flatbuffer.serialize(file), Variant(quantize="int4", algorithm="hadamard"), layers(), examples)
    given = np.random.default_rng(1).normal(size=(7, 64)).astype(np.float32)
    expected = given @ WEIGHTS.T
    found = outputs(content, given, REFERENCE)
    assert found.shape == expected.shape
    assert np.sqrt(np.mean((found - expected) ** 2)) < 0.3 * expected.std()


def test_symmetric_rounding_keeps_every_zero() -> None:
    weights = WEIGHTS * (np.random.default_rng(1).random(WEIGHTS.shape) < 0.5)
    for mode in ("int4", "int4_block32", "int2", "weight_only_int8"):
        file = flatbuffer.parse(
            quantize(file_of("FULLY_CONNECTED", weights), Variant(quantize=mode), layers(), examples)
        )
        kernel = next(t for t in file.model.subgraphs[0].tensors if flatbuffer.text(t.name).endswith("kernel"))
        assert np.all(np.asarray(file.values(kernel))[weights == 0] == 0), mode


def test_a_shape_is_read_from_the_integers() -> None:
    """litert-quantizer makes floats of them first, as in front of each transposed convolution of any batch size."""
    file = flatbuffer.parse(quantize(DENSE, Variant(quantize="int16x8"), layers(), examples))
    (graph,) = file.model.subgraphs
    last = graph.operators[-1]
    assert file.operator_name(last) == "DEQUANTIZE"
    integers, floats = last.inputs[0], len(graph.tensors)
    for dtype in (schema.TensorType.FLOAT32, schema.TensorType.INT32):
        tensor = copy.deepcopy(graph.tensors[last.outputs[0]])
        tensor.type = dtype
        graph.tensors.append(tensor)
    again, shape = copy.deepcopy(last), copy.deepcopy(last)
    again.outputs, shape.inputs, shape.outputs = [floats], [floats], [floats + 1]
    shape.opcodeIndex = operator_code(file, schema.BuiltinOperator.SHAPE, 1)
    graph.operators += [again, shape]
    before = len(graph.operators)

    read_shapes_of_integers(file)

    assert [int(index) for index in shape.inputs] == [integers]
    assert len(graph.operators) == before - 1
    assert any(one is last for one in graph.operators)
