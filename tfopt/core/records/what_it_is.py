"""What a file of others is, in a sentence each: types, shared values and zeros that its name does not tell. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from math import prod
from typing import TYPE_CHECKING

from tfopt.core.language.quantities import format_bytes

if TYPE_CHECKING:
    from tfopt.core.records.report import AuditRecord, TensorRecord

_NOTABLE_ZEROS = 0.3
_FEW, _PER_VALUE, _PER_VALUE_OF_CHANNEL = 256, 16, 3
"""A tensor is clustered that has at most so many distinct values, each at least so often on average; zeros, which
pruning makes, do not count."""
_FEW_INTEGERS = 64
_LARGE = 1000
_COMPRESSED = 0.05
"""Share of the weights below which they say nothing about a file."""


def what_it_is(audit: AuditRecord, name: str = "") -> tuple[str, ...]:
    """Sentences about the weights of a file, none where nothing is special about it.

    Args:
        audit: what the file contains.
        name: of the file, whose claims are compared with it.
    """
    weights = [tensor for tensor in audit.tensors if tensor.role == "weight" and tensor.bytes]
    if not weights:
        return ()
    return (*_types(weights, audit, name), *_shared(weights, audit), *_zeros(weights, audit))


def _types(weights: Sequence[TensorRecord], audit: AuditRecord, name: str) -> Iterator[str]:
    """What the weights are stored as and computed in."""
    values: Counter[tuple[str, str]] = Counter()
    for tensor in weights:
        values[tensor.dtype, tensor.activations] += prod(tensor.shape)
    total = sum(values.values())
    shown = [(pair, count / total) for pair, count in values.most_common() if count >= _COMPRESSED * total]
    dtypes = list(dict.fromkeys(dtype for (dtype, _), _ in shown))
    lies = re.findall(r"(?<![a-z])(?:float32|fp32|float16|fp16|int8|int4)(?!\d)", name.lower())
    if lies and not any(_means(word, dtype) for word in lies for dtype in dtypes):
        yield f"the name says {lies[0]}, but it holds {' and '.join(dtypes)} weights"
    if audit.format != "tflite" or dtypes == ["float32"]:
        return
    if len(shown) == 1:
        yield f"weights are {_computed(*shown[0][0], audit)}"
    else:
        parts = [f"{share:.0%} of the weights are {_computed(*pair, audit)}" for pair, share in shown]
        yield "; ".join(parts)


def _means(word: str, dtype: str) -> bool:
    return word.replace("fp", "float") == dtype


def _computed(dtype: str, activations: str, audit: AuditRecord) -> str:
    """`int8, computed in float (dynamic range)`."""
    if dtype.startswith("float") or not activations:
        return dtype if dtype == activations or not activations else f"{dtype}, computed in {activations}"
    if not activations.startswith("float"):
        return f"{dtype}, computed in {activations}"
    only = audit.operators.get("DEQUANTIZE", 0) > len(audit.outputs)
    return f"{dtype}, computed in float ({'weights only' if only else 'dynamic range'})"


def _shared(weights: Sequence[TensorRecord], audit: AuditRecord) -> Iterator[str]:
    """Shared values, which nothing but compression makes smaller."""
    shared = [tensor for tensor in weights if _is_shared(tensor)]
    sizes, total = (sum(prod(tensor.shape) for tensor in some) for some in (shared, weights))
    if sizes < total / 2:
        return
    most = max(tensor.unique for tensor in shared)
    dtypes = " and ".join(sorted({tensor.dtype for tensor in shared}))
    counted = f"{most} distinct values" if len(shared) == 1 else f"at most {most} distinct values"
    per = "channel" if any(tensor.quantization == "per-channel" for tensor in shared) else "tensor"
    yield f"{counted} per {per}, stored as {dtypes}: no byte smaller uncompressed{_compressed(audit)}"


def _is_shared(tensor: TensorRecord) -> bool:
    size = prod(tensor.shape)
    if tensor.dtype in ("int4", "int2", "uint4") or size < _LARGE:
        return False
    few = _FEW if tensor.dtype.startswith(("float", "bfloat")) else _FEW_INTEGERS
    nonzero = (1 - tensor.sparsity) * size
    if tensor.quantization == "per-channel":
        nonzero, often = nonzero / max(tensor.scales, tensor.shape[0], 1), _PER_VALUE_OF_CHANNEL
    else:
        often = _PER_VALUE
    return tensor.unique <= few and nonzero >= often * tensor.unique


def _zeros(weights: Sequence[TensorRecord], audit: AuditRecord) -> Iterator[str]:
    """Zeros that are stored like other values, and zeros inside of a sparse format."""
    dense = [tensor for tensor in weights if not tensor.sparse_encoding]
    sizes = sum(prod(tensor.shape) for tensor in dense)
    zeros = sum(tensor.sparsity * prod(tensor.shape) for tensor in dense)
    if sizes and zeros >= _NOTABLE_ZEROS * sizes:
        where = "of the weights" if len(dense) == len(weights) else "of the weights without the sparse format"
        yield f"{zeros / sizes:.0%} {where} are zeros, stored like all others: no byte smaller uncompressed" + (
            _compressed(audit)
        )
    sparse = [tensor for tensor in weights if tensor.sparse_encoding and tensor.stored_values is not None]
    stored = sum(tensor.stored_values or 0 for tensor in sparse)
    values = sum(prod(tensor.shape) for tensor in sparse)
    kept = sum((1 - tensor.sparsity) * prod(tensor.shape) for tensor in sparse)
    if sparse:
        inside = f", {1 - kept / stored:.0%} of which are zeros all the same" if stored > kept * 1.01 else ""
        yield f"the sparse format stores {stored:,} of {values:,} weights{inside}"


def _compressed(audit: AuditRecord) -> str:
    return "" if audit.zstd_bytes is None else f"; {format_bytes(int(float(f'{audit.zstd_bytes:.3g}')))} by zstd"
