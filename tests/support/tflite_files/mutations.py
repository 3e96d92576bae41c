"""Hostile `.tflite` files by the thousand: a well-formed file with a fault in its tree, its offsets or its bytes.

Files are tried in forks of one child process that has LiteRT loaded, each with limits: a crash or a hang costs a fork.
"""

from __future__ import annotations

import copy
import json
import os
import signal
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

SECONDS, MEMORY = 20, 2 << 30
_ABSURD = (0, 1, -1, 2, 7, 127, 255, 256, 65_535, 2**24, 2**31 - 1, -(2**31), 99, 10**6)
_WORDS = (0, 1, 4, 0x7F, 0xFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFC, 0x01000000)


def base() -> Any:
    """A file with a fully connected layer of sparse weights, a per-channel one, a loop and a signature."""
    model = schema.ModelT()
    model.version, model.description = 3, "base"
    model.buffers, model.operatorCodes, model.subgraphs = [schema.BufferT()], [], []
    types, codes = schema.TensorType, schema.BuiltinOperator
    sparse = schema.SparsityParametersT()
    rows, columns = schema.DimensionMetadataT(), schema.DimensionMetadataT()
    rows.format, rows.denseSize, columns.format = schema.DimensionType.DENSE, 2, schema.DimensionType.SPARSE_CSR
    columns.arraySegmentsType = columns.arrayIndicesType = schema.SparseIndexVector.Uint8Vector
    columns.arraySegments, columns.arrayIndices = schema.Uint8VectorT(), schema.Uint8VectorT()
    columns.arraySegments.values, columns.arrayIndices.values = [0, 1, 3], [2, 0, 3]
    sparse.traversalOrder, sparse.blockMap, sparse.dimMetadata = [0, 1], [], [rows, columns]
    connected, loop = schema.FullyConnectedOptionsT(), schema.WhileOptionsT()
    loop.condSubgraphIndex, loop.bodySubgraphIndex = 1, 2
    f32 = types.FLOAT32
    main = _graph(
        model,
        [
            ("x", f32, [1, 4], None),
            ("net/head/MatMul", f32, [2, 4], np.array([5, 6, 7], np.float32)),
            ("dense", f32, [2, 4], None),
            ("net/head/BiasAdd", f32, [2], np.ones(2, np.float32)),
            ("h", f32, [1, 2], None),
            ("i", types.INT32, [], np.int32(0)),
            ("i_out", types.INT32, [], None),
            ("y", f32, [1, 2], None),
            ("kernel", types.INT8, [3, 2], np.arange(6, dtype=np.int8)),
            ("z", f32, [1, 3], None),
        ],
        [
            (codes.DENSIFY, [1], [2], schema.DensifyOptionsT(), schema.BuiltinOptions.DensifyOptions),
            (codes.FULLY_CONNECTED, [0, 2, 3], [4], connected, schema.BuiltinOptions.FullyConnectedOptions),
            (codes.WHILE, [5, 4], [6, 7], loop, schema.BuiltinOptions.WhileOptions),
            (codes.FULLY_CONNECTED, [7, 8, -1], [9], copy.copy(connected), schema.BuiltinOptions.FullyConnectedOptions),
        ],
        [0],
        [9],
    )
    main.tensors[1].sparsity = sparse
    main.tensors[8].quantization = schema.QuantizationParametersT()
    main.tensors[8].quantization.scale, main.tensors[8].quantization.zeroPoint = [0.1, 0.2, 0.3], [0, 0, 0]
    less, add = (
        (schema.LessOptionsT(), schema.BuiltinOptions.LessOptions),
        (schema.AddOptionsT(), schema.BuiltinOptions.AddOptions),
    )
    counter = [("i", types.INT32, [], None), ("v", f32, [1, 2], None), ("three", types.INT32, [], np.int32(3))]
    _graph(model, [*counter, ("go", types.BOOL, [], None)], [(codes.LESS, [0, 2], [3], *less)], [0, 1], [3])
    one = [*counter[:2], ("one", types.INT32, [], np.int32(1)), ("j", types.INT32, [], None)]
    _graph(model, one, [(codes.ADD, [0, 2], [3], *add)], [0, 1], [3, 1])
    signature = schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = b"serving_default", 0
    signature.inputs, signature.outputs = [_port("x", 0)], [_port("z", 9)]
    model.signatureDefs = [signature]
    return model


def _port(name: str, index: int) -> Any:
    port = schema.TensorMapT()
    port.name, port.tensorIndex = name.encode(), index
    return port


def _graph(model: Any, tensors: Any, operators: Any, inputs: list[int], outputs: list[int]) -> Any:
    graph = schema.SubGraphT()
    graph.tensors, graph.operators, graph.inputs, graph.outputs = [], [], inputs, outputs
    for name, dtype, shape, data in tensors:
        tensor = schema.TensorT()
        tensor.name, tensor.type, tensor.shape, tensor.buffer = name.encode(), dtype, shape, 0
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(data.tobytes(), np.uint8)
            tensor.buffer = len(model.buffers)
            model.buffers.append(buffer)
        graph.tensors.append(tensor)
    for code, reads, writes, options, kind in operators:
        operator, named = schema.OperatorT(), schema.OperatorCodeT()
        named.builtinCode, named.deprecatedBuiltinCode, named.version = code, min(code, 127), 1
        operator.opcodeIndex, operator.inputs, operator.outputs = len(model.operatorCodes), reads, writes
        operator.builtinOptions, operator.builtinOptionsType = options, kind
        model.operatorCodes.append(named)
        graph.operators.append(operator)
    model.subgraphs.append(graph)
    return graph


def packed(model: Any) -> bytes:
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def mutants(number: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """Contents of hostile files, each with what was done to it; the same for the same seed."""
    random = np.random.default_rng(seed)
    whole = packed(base())
    kinds: list[Callable[[np.random.Generator, bytes], bytes]] = [
        _field, _field, _field, _structure, _structure, _word, _word, _flip, _cut
    ]  # fmt: skip
    made = 0
    while made < number:
        kind = kinds[made % len(kinds)]
        try:
            content = kind(random, whole)
        except (struct.error, TypeError, AttributeError, ValueError, OverflowError, IndexError, AssertionError):
            continue  # flatbuffers cannot write such a value
        yield kind.__name__.lstrip("_"), content
        made += 1


def _tables(item: Any) -> Iterator[Any]:
    """Every table of a tree."""
    if type(item).__module__ == schema.__name__:
        yield item
        for value in vars(item).values():
            for each in value if isinstance(value, list) else [value]:
                yield from _tables(each)


def _field(random: np.random.Generator, whole: bytes) -> bytes:
    """One to three fields of any table have an absurd value."""
    model = base()
    for _ in range(random.integers(1, 4)):
        tables = [table for table in _tables(model) if vars(table)]
        table = tables[random.integers(len(tables))]
        name = list(vars(table))[random.integers(len(vars(table)))]
        setattr(table, name, _absurd(random, getattr(table, name)))
    return packed(model)


def _absurd(random: np.random.Generator, value: Any) -> Any:
    number = _ABSURD[random.integers(len(_ABSURD))]
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | np.integer):
        return number
    if isinstance(value, float):
        return [float("nan"), float("inf"), -1.0, 0.0, 1e300][random.integers(5)]
    if isinstance(value, bytes | str):
        return [b"", b"\xff\xfe\x00bad", b"a" * 70_000, b"\x1b[31mred\x1b[0m\n"][random.integers(4)]
    if isinstance(value, np.ndarray):
        return [value[: len(value) // 2], np.tile(value, 3), None][random.integers(3)]
    if isinstance(value, list) and value:
        changed = [*value]
        at = random.integers(len(changed))
        if isinstance(changed[at], int | float | np.number):
            changed[at] = _absurd(random, changed[at])
        return [changed, changed[:-1], changed * 3, [], None][random.integers(5)]
    return None


def _structure(random: np.random.Generator, whole: bytes) -> bytes:
    """Indices that lead nowhere or in a circle, shapes that no memory holds."""
    model = base()
    graph = model.subgraphs[random.integers(len(model.subgraphs))]
    operator = graph.operators[random.integers(len(graph.operators))]
    tensor = graph.tensors[random.integers(len(graph.tensors))]
    number = _ABSURD[random.integers(len(_ABSURD))]
    loop = model.subgraphs[0].operators[2].builtinOptions
    choice = random.integers(14)
    if choice == 0:
        operator.inputs = list(operator.outputs)
    elif choice == 1:
        operator.outputs = list(operator.inputs)
    elif choice == 2:
        loop.bodySubgraphIndex = int(random.choice([0, 1, number]))
    elif choice == 3:
        loop.condSubgraphIndex = int(random.choice([0, 2, number]))
    elif choice == 4:
        model.buffers[-1].data = None
        model.subgraphs[1].tensors[2].buffer = 0  # a condition that compares with nothing
    elif choice == 5:
        operator.opcodeIndex = abs(number)
    elif choice == 6:
        model.operatorCodes[random.integers(4)].builtinCode = int(random.integers(-5, 260))
    elif choice == 7:
        tensor.buffer = abs(number)
    elif choice == 8:
        tensor.shape = [[2**31 - 1] * 4, [-1, 4], [0], [1] * 300, [65_536, 65_536], [number]][random.integers(6)]
    elif choice == 9:
        tensor.type = int(random.integers(-1, 40))
    elif choice == 10:
        graph.inputs = [number] if random.random() < 0.5 else list(range(len(graph.tensors)))
    elif choice == 11:
        model.signatureDefs[0].subgraphIndex = abs(number)
        model.signatureDefs[0].outputs[0].tensorIndex = abs(number)
    elif choice == 12:
        model.subgraphs[1].tensors[2].buffer = model.subgraphs[0].tensors[5].buffer
        model.buffers[model.subgraphs[1].tensors[2].buffer].data = np.frombuffer(
            np.int32(2**31 - 1).tobytes(), np.uint8
        )
    else:
        sparsity = model.subgraphs[0].tensors[1].sparsity
        sparsity.dimMetadata[0].denseSize = number
        sparsity.dimMetadata[1].arraySegments.values = [0, int(random.integers(255)), 3]
    return packed(model)


def _word(random: np.random.Generator, whole: bytes) -> bytes:
    """An offset, a length of a vector or a field of a table is overwritten where it lies."""
    content = bytearray(whole)
    for _ in range(random.integers(1, 3)):
        at = int(random.integers(len(content) // 4)) * 4
        value = _WORDS[random.integers(len(_WORDS))] if random.random() < 0.7 else int(random.integers(len(content)))
        struct.pack_into("<I", content, at, value)
    content[4:8] = b"TFL3"
    return bytes(content)


def _flip(random: np.random.Generator, whole: bytes) -> bytes:
    content = bytearray(whole)
    for _ in range(random.integers(1, 17)):
        content[random.integers(8, len(content))] ^= 1 << int(random.integers(8))
    return bytes(content)


def _cut(random: np.random.Generator, whole: bytes) -> bytes:
    length = int(random.integers(len(whole)))
    return whole[:length] + (bytes(length) if random.random() < 0.3 else b"")


def outcomes(folder: str, number: int, seed: int) -> dict[str, Any]:
    """Runs in a child process: what `inspect` and LiteRT make of each mutant.

    Returns:
        `inspect` and `litert`: how often each outcome; `names`: the files on which LiteRT crashed or hung, and those
        that `inspect` did not answer with a record or a `TfoptError`.
    """
    from tfopt.backend.audit import inspect as _  # noqa: F401 - loaded once, before the forks
    from tfopt.backend.tflite import interpreter as _litert  # noqa: F401

    found: dict[str, Counter[str]] = {"inspect": Counter(), "litert": Counter()}
    names: dict[str, list[str]] = {"inspect": [], "litert": []}
    for index, (kind, content) in enumerate(mutants(number, seed)):
        path = Path(folder, f"{index}-{kind}.tflite")
        path.write_bytes(content)
        for what, work in (("inspect", _inspected), ("litert", _run)):
            outcome = _forked(work, path)
            found[what][outcome] += 1
            if outcome not in ("answered", "refused"):
                names[what].append(f"{path.name}: {outcome}")
    return {**{what: dict(counted) for what, counted in found.items()}, "names": names}


def _inspected(path: Path) -> str:
    from tfopt.backend.audit.inspect import audit_as_json
    from tfopt.errors import TfoptError

    try:
        json.dumps(audit_as_json(str(path)), allow_nan=False)
    except TfoptError as error:
        return "refused" if error.code == "malformed_file" else f"code {error.code}"
    return "answered"


def _run(path: Path) -> str:
    from tfopt.backend.tflite import interpreter as litert

    try:
        model = litert.open_file(path, 1)
        inputs = litert.random_inputs(model)
        model.prepare(inputs)
        model.set_inputs(inputs)
        model.predict()
    except Exception:  # noqa: BLE001 - whatever it is, it is an error and no crash
        return "refused"
    return "answered"


def _forked(work: Callable[[Path], str], path: Path) -> str:
    """The result of some work in a fork with limits; how it ended where there is none."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        import resource

        os.close(reading)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        signal.alarm(SECONDS)
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, taken + MEMORY))
        result = b"unclear"
        try:
            result = work(path).encode()
        except BaseException as error:  # noqa: BLE001 - its class is the outcome
            result = type(error).__name__.encode()
        finally:
            os.write(writing, result)
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        content = pipe.read()
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return content.decode() or (signal.Signals(-code).name if code < 0 else f"exit {code}")
