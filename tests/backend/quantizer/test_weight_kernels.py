"""The table of kernels is what LiteRT really computes: one operator at a time, against the same weights in float32."""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert.interpreter import OpResolverType

from tests.support.tflite_files.float_operators import example, file_of, outputs
from tfopt.backend.graph.layer_names import LayerNames
from tfopt.backend.quantizer.choices import Choice
from tfopt.backend.quantizer.edits import look_tables_up
from tfopt.backend.quantizer.engine import Engine
from tfopt.backend.quantizer.layer_modes import NO_RULES
from tfopt.backend.quantizer.operators import operators
from tfopt.backend.quantizer.quantize import quantize
from tfopt.backend.tflite import flatbuffer
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.files.weight_kernels import reason_no_kernel, stored_as
from tfopt.core.config.quantization_modes import MODES

XNNPACK, REFERENCE = OpResolverType.AUTO, OpResolverType.BUILTIN_REF
SHAPES = {
    "FULLY_CONNECTED": [(5, 64), (6, 33), (16, 128)],
    "CONV_2D": [(8, 3, 3, 6), (7, 1, 1, 5)],
    "DEPTHWISE_CONV_2D": [(1, 3, 3, 6)],
    "TRANSPOSE_CONV": [(4, 3, 3, 6)],
    "EMBEDDING_LOOKUP": [(8, 64), (8, 33), (8, 6)],
    "BATCH_MATMUL": [(2, 8, 5)],
}
FLOAT_MODES = [name for name, mode in MODES.items() if mode.engine == "quantizer" and not mode.integer_only]
ROUNDING = 0.06
"""Largest error of an output, in standard deviations, of operators that round their inputs to 8 bits."""


def stored(content: bytes) -> tuple[str, int, np.ndarray]:
    """Dtype, block size and values of the weights of a file."""
    file = flatbuffer.parse(content)
    graph = file.model.subgraphs[0]
    tensor = next(t for t in graph.tensors if flatbuffer.text(t.name).endswith("kernel"))
    values, blocks = file.values(tensor), flatbuffer.blocks(file, graph, tensor)
    assert values is not None
    dtype = flatbuffer.DTYPES[tensor.type]
    if blocks is not None:
        return dtype, blocks.size, values * blocks.spread(values.shape)
    if dtype == "float32":
        return dtype, 0, values
    shape = [-1 if axis == tensor.quantization.quantizedDimension else 1 for axis in range(values.ndim)]
    return dtype, 0, values * np.asarray(tensor.quantization.scale).reshape(shape)


def error(content: bytes, operator: str, kernels: OpResolverType) -> float:
    """Largest difference to a float file with the same weights, in standard deviations of its outputs."""
    twin = file_of(operator, stored(content)[2])
    given = example(twin)
    expected = outputs(twin, given, REFERENCE)
    return float(np.abs(outputs(content, given, kernels) - expected).max() / expected.std())


@pytest.mark.parametrize("name", FLOAT_MODES)
@pytest.mark.parametrize("operator", SHAPES)
def test_weights_are_stored_as_the_table_says_and_every_kernel_reads_them(operator: str, name: str) -> None:
    for shape in SHAPES[operator]:
        weights = np.random.default_rng(1).normal(size=shape).astype(np.float32)
        content = quantize(file_of(operator, weights), Variant(quantize=name), NO_RULES, lambda: iter(()))
        expected = stored_as(MODES[name], operator, shape[-1])
        assert expected is not None
        assert stored(content)[:2] == (expected.weights, expected.block), shape
        for kernels in (XNNPACK,) if expected.block else (XNNPACK, REFERENCE):
            assert error(content, operator, kernels) < ROUNDING, (shape, kernels)


@pytest.mark.parametrize(
    ("operator", "shape", "name"),
    [("CONV_2D", (8, 3, 3, 6), "int2"), ("EMBEDDING_LOOKUP", (8, 33), "int4"), ("EMBEDDING_LOOKUP", (8, 6), "int2")],
)
def test_what_the_table_leaves_out_is_wrong_on_every_kernel(operator: str, shape: tuple[int, ...], name: str) -> None:
    mode = MODES[name]
    assert reason_no_kernel(mode, operator, shape[-1]) is not None
    file = flatbuffer.parse(file_of(operator, np.random.default_rng(1).normal(size=shape)))
    look_tables_up(file, lambda graph, operator: True)
    engine = Engine(flatbuffer.serialize(file))
    engine.tell([Choice(each, mode) for each in operators(file, LayerNames(["x"])) if each.row], {})
    content = engine.quantize({})
    assert stored(content)[0] == mode.weights
    for kernels in (XNNPACK, REFERENCE):
        assert not error(content, operator, kernels) < ROUNDING


def test_the_reference_kernels_read_blocks_wrongly() -> None:
    weights = np.random.default_rng(1).normal(size=(16, 64)).astype(np.float32)
    content = quantize(
        file_of("FULLY_CONNECTED", weights), Variant(quantize="int4_block32"), NO_RULES, lambda: iter(())
    )
    assert error(content, "FULLY_CONNECTED", XNNPACK) < ROUNDING
    assert not error(content, "FULLY_CONNECTED", REFERENCE) < ROUNDING
