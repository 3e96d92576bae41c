"""The audit reads the file's bytes: packed, sparse, per channel, several graphs, or broken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from tests.support.tflite_files.handmade_tflite import Graph, Tensor, write
from tfopt.backend.audit.tflite import audit_tflite
from tfopt.core.records.report import AuditRecord, TensorRecord
from tfopt.errors import ExportError

TYPES, OPERATORS = schema.TensorType, schema.BuiltinOperator


def dense_layer(weights: Tensor, activations: int = TYPES.INT8) -> Graph:
    tensors = [
        Tensor("serving_default_x:0", activations, [1, 4], scales=[0.5], zero_points=[-3]),
        weights,
        Tensor("net/head/BiasAdd", TYPES.INT32, [2], np.array([0, 7], np.int32)),
        Tensor("StatefulPartitionedCall:0", activations, [1, 2], scales=[0.25], zero_points=[5]),
    ]
    return Graph(tensors, [(OPERATORS.FULLY_CONNECTED, [0, 1, 2], [3])], [0], [3])


def kernel(audit: AuditRecord) -> TensorRecord:
    (found,) = [tensor for tensor in audit.tensors if tensor.role == "weight"]
    return found


def audited(tmp_path: Path, *graphs: Graph) -> AuditRecord:
    return audit_tflite(write(tmp_path / "made.tflite", *graphs), ["head"])


def test_zeros_are_values_at_the_zero_point_of_their_channel(tmp_path: Path) -> None:
    values = np.array([[3, 3, 3, 1], [0, 0, 9, 9]], np.int8)
    weights = Tensor("net/head/MatMul", TYPES.INT8, [2, 4], values, [0.1, 0.2], [3, 0])
    record = kernel(audited(tmp_path, dense_layer(weights)))
    assert record.sparsity == 5 / 8
    assert record.unique == 2
    assert (record.quantization, record.scales, record.bytes, record.layer) == ("per-channel", 2, 8, "head")


def test_eight_equal_scales_count_as_one(tmp_path: Path) -> None:
    weights = Tensor("net/head/MatMul", TYPES.INT8, [2, 4], np.ones((2, 4), np.int8), [0.1, 0.1], [0, 0])
    record = kernel(audited(tmp_path, dense_layer(weights)))
    assert (record.quantization, record.scales) == ("per-channel", 1)


def test_int4_is_unpacked_low_nibble_first(tmp_path: Path) -> None:
    packed = np.array([0x0F, 0x00, 0x71, 0x80], np.uint8)  # -1 0 | 0 0 | 1 7 | 0 -8
    weights = Tensor("net/head/MatMul", TYPES.INT4, [2, 4], packed, [0.1], [0])
    record = kernel(audited(tmp_path, dense_layer(weights)))
    assert (record.dtype, record.bytes, record.sparsity, record.unique) == ("int4", 4, 4 / 8, 5)


def test_int2_is_unpacked(tmp_path: Path) -> None:
    packed = np.array([0b11_10_01_00, 0], np.uint8)  # 0 1 -2 -1
    record = kernel(audited(tmp_path, dense_layer(Tensor("net/head/MatMul", TYPES.INT2, [2, 4], packed, [0.1], [0]))))
    assert (record.dtype, record.bytes, record.sparsity, record.unique) == ("int2", 2, 5 / 8, 4)


def sparse_rows(segments: list[int], indices: list[int]) -> schema.SparsityParametersT:
    """Rows dense, columns in compressed sparse rows."""
    rows, columns = schema.DimensionMetadataT(), schema.DimensionMetadataT()
    rows.format, rows.denseSize = schema.DimensionType.DENSE, 2
    columns.format = schema.DimensionType.SPARSE_CSR
    columns.arraySegmentsType = columns.arrayIndicesType = schema.SparseIndexVector.Uint8Vector
    columns.arraySegments, columns.arrayIndices = schema.Uint8VectorT(), schema.Uint8VectorT()
    columns.arraySegments.values, columns.arrayIndices.values = segments, indices
    made = schema.SparsityParametersT()
    made.traversalOrder, made.blockMap, made.dimMetadata = [0, 1], [], [rows, columns]
    return made


def test_sparse_encoding_is_undone_and_its_index_counts_as_bytes(tmp_path: Path) -> None:
    stored = np.array([5, 6, 0], np.int8)  # an explicit zero is a zero too
    weights = Tensor(
        "net/head/MatMul", TYPES.INT8, [2, 4], stored, [0.1], [0], sparsity=sparse_rows([0, 1, 3], [2, 0, 3])
    )
    record = kernel(audited(tmp_path, dense_layer(weights)))
    assert record.sparse_encoding
    assert record.shape == [2, 4]
    assert record.sparsity == 6 / 8
    assert record.bytes == 3 + 6


def test_a_sparse_encoding_outside_of_its_shape_is_malformed(tmp_path: Path) -> None:
    beyond = sparse_rows([0, 1, 3], [2, 0, 4])
    weights = Tensor("net/head/MatMul", TYPES.INT8, [2, 4], np.ones(3, np.int8), [0.1], [0], sparsity=beyond)
    with pytest.raises(
        ExportError, match=r"tensor 'net/head/MatMul': its sparse encoding puts values outside .*\(2, 4\)"
    ):
        audited(tmp_path, dense_layer(weights))


def test_a_scale_that_is_no_number_is_malformed(tmp_path: Path) -> None:
    weights = Tensor("net/head/MatMul", TYPES.INT8, [2, 4], np.ones((2, 4), np.int8), [float("nan"), 0.1], [0, 0])
    with pytest.raises(ExportError, match=r"a scale of tensor 'net/head/MatMul' is not a finite number"):
        audited(tmp_path, dense_layer(weights))


def test_control_characters_of_names_do_not_reach_a_terminal(tmp_path: Path) -> None:
    weights = Tensor("\x1b[31mhead\n", TYPES.INT8, [2, 4], np.ones((2, 4), np.int8), [0.1], [0])
    assert kernel(audited(tmp_path, dense_layer(weights))).name == "\ufffd[31mhead\ufffd"


def test_float_operators_of_every_graph_are_counted_and_named(tmp_path: Path) -> None:
    weights = Tensor("net/head/MatMul", TYPES.FLOAT32, [2, 4], np.ones((2, 4), np.float32))
    inner = Graph(
        [Tensor("while/x", TYPES.FLOAT32, [1]), Tensor("net/head/Exp", TYPES.FLOAT32, [1])], [(OPERATORS.EXP, [0], [1])]
    )
    audit = audited(tmp_path, dense_layer(weights, TYPES.FLOAT32), inner)
    assert audit.operators == {"EXP": 1, "FULLY_CONNECTED": 1}
    assert audit.float_operators == {"EXP": 1, "FULLY_CONNECTED": 1}
    assert audit.float_layers == ["head"]


def test_conversions_at_the_ports_are_no_float_operators(tmp_path: Path) -> None:
    tensors = [Tensor("x", TYPES.FLOAT32, [1]), Tensor("q", TYPES.INT8, [1]), Tensor("y", TYPES.FLOAT32, [1])]
    graph = Graph(tensors, [(OPERATORS.QUANTIZE, [0], [1]), (OPERATORS.DEQUANTIZE, [1], [2])], [0], [2])
    audit = audited(tmp_path, graph)
    assert audit.float_operators == {}
    assert [port.dtype for port in audit.inputs + audit.outputs] == ["float32", "float32"]


def test_a_weight_behind_dequantize_is_still_a_weight(tmp_path: Path) -> None:
    tensors = [
        Tensor("x", TYPES.FLOAT32, [1, 4]),
        Tensor("net/head/MatMul", TYPES.FLOAT16, [2, 4], np.zeros((2, 4), np.float16)),
        Tensor("w", TYPES.FLOAT32, [2, 4]),
        Tensor("y", TYPES.FLOAT32, [1, 2]),
    ]
    operators = [(OPERATORS.DEQUANTIZE, [1], [2]), (OPERATORS.FULLY_CONNECTED, [0, 2, -1], [3])]
    record = kernel(audited(tmp_path, Graph(tensors, operators, [0], [3])))
    assert (record.dtype, record.sparsity) == ("float16", 1.0)


def test_a_kernel_named_after_the_normalization_folded_into_it_belongs_to_its_layer(tmp_path: Path) -> None:
    tensors = [
        Tensor("x", TYPES.FLOAT32, [1, 4]),
        Tensor("net/norm/batchnorm/mul_1", TYPES.FLOAT32, [2, 4], np.zeros((2, 4), np.float32)),
        Tensor("net/act/Relu;net/norm/batchnorm/add_1", TYPES.FLOAT32, [2], np.ones(2, np.float32)),
        Tensor("net/head/MatMul;net/norm/batchnorm/mul_1;net/act/Relu", TYPES.FLOAT32, [1, 2]),
    ]
    graph = Graph(tensors, [(OPERATORS.FULLY_CONNECTED, [0, 1, 2], [3])], [0], [3])
    audit = audit_tflite(write(tmp_path / "made.tflite", graph), ["head", "norm", "act"])
    assert [(tensor.role, tensor.layer) for tensor in audit.tensors] == [("weight", "head"), ("bias", "head")]


def test_ports_carry_scale_and_zero_point(tmp_path: Path) -> None:
    weights = Tensor("net/head/MatMul", TYPES.INT8, [2, 4], np.ones((2, 4), np.int8), [0.1], [0])
    audit = audited(tmp_path, dense_layer(weights))
    assert [(port.name, port.dtype, port.scale, port.zero_point) for port in audit.inputs + audit.outputs] == [
        ("serving_default_x:0", "int8", 0.5, -3),
        ("StatefulPartitionedCall:0", "int8", 0.25, 5),
    ]


def test_without_layer_names_nothing_is_attributed(tmp_path: Path) -> None:
    weights = Tensor("net/head/MatMul", TYPES.INT8, [2, 4], np.ones((2, 4), np.int8), [0.1], [0])
    audit = audit_tflite(write(tmp_path / "made.tflite", dense_layer(weights)))
    assert {tensor.layer for tensor in audit.tensors} == {None}


def outcome(path: Path, content: bytes) -> AuditRecord | str:
    """The audit of a file with this content, or the message of the error that is ours; any other error passes."""
    path.write_bytes(content)
    try:
        return audit_tflite(path)
    except ExportError as error:
        return error.message


def test_a_truncated_file_is_malformed_wherever_it_ends(tmp_path: Path) -> None:
    weights = Tensor("net/head/MatMul", TYPES.INT8, [2, 4], np.ones((2, 4), np.int8), [0.1, 0.2], [0, 0])
    whole = write(tmp_path / "whole.tflite", dense_layer(weights)).read_bytes()
    broken = tmp_path / "broken.tflite"
    refused = sum(isinstance(outcome(broken, whole[:size]), str) for size in range(len(whole)))
    assert refused > 0.8 * len(whole)  # the builder's padding at the end may be missing


def test_flipped_bytes_never_crash_the_audit(tmp_path: Path) -> None:
    weights = Tensor("net/head/MatMul", TYPES.INT8, [2, 4], np.ones((2, 4), np.int8), [0.1, 0.2], [0, 0])
    whole = np.frombuffer(write(tmp_path / "whole.tflite", dense_layer(weights)).read_bytes(), np.uint8)
    broken = tmp_path / "broken.tflite"
    random = np.random.default_rng(5)
    read = 0
    for _ in range(600):
        damaged = whole.copy()
        places = random.integers(0, len(whole), size=random.integers(1, 6))
        damaged[places] = random.integers(0, 256, size=len(places))
        read += isinstance(outcome(broken, damaged.tobytes()), AuditRecord)
    assert 0 < read < 600


@pytest.mark.parametrize("content", [b"", b"TFL3", b"PK\x03\x04 not a model", bytes(64)])
def test_another_kind_of_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    with pytest.raises(ExportError, match=r"model\.tflite is not a \.tflite file"):
        audit_tflite(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"Cannot read .*gone\.tflite: No such file"):
        audit_tflite(tmp_path / "gone.tflite")
