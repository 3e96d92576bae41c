"""The claim that sparsely encoded weights are computed right by every kernel of LiteRT."""

from __future__ import annotations

from tfopt.core.claims.agreement import broken_claim
from tfopt.core.claims.kernels import KERNELS, RuntimeCheck, kernels_agree
from tfopt.core.config.files.sparse_encoding import Encoded, fault
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.records.report import AuditRecord, ClaimRecord, TensorRecord

CLAIM = "sparse weights are encoded so that every kernel computes them right"
_NAMED = 5


def encoded(tensor: TensorRecord) -> Encoded:
    """How a tensor of a file is encoded."""
    inputs = tensor.shape[-1] if tensor.shape else 0
    return Encoded(tensor.operator, tensor.dtype, tensor.activations, tensor.sparse_block, inputs)


def sparse_claim(variant: Variant, audit: AuditRecord, runtime: RuntimeCheck) -> ClaimRecord:
    """Compares the encodings in a file with the table of those that kernels compute right, and how the file ran.

    Args:
        variant: its keys in the recipe.
        audit: what the file contains.
        runtime: how it ran.
    """
    tensors = [tensor for tensor in audit.tensors if tensor.sparse_encoding]
    problems = []
    for tensor in tensors:
        found = fault(encoded(tensor))
        if found is not None:
            problems.append(f"{_reader(tensor)}, {encoded(tensor)}: {found.effect}")
    problems += [f"NaN in the outputs on {KERNELS[kernels]}" for kernels in runtime.not_numbers]
    if runtime.builtin_error is not None:
        problems.append(f"{KERNELS['builtin']}: {runtime.builtin_error}")
    if runtime.builtin is not None and not kernels_agree(variant, runtime.builtin):
        problems.append(f"outputs on XNNPACK and on {KERNELS['builtin']} differ: {runtime.builtin}")
    if problems:
        more = f"; and {len(problems) - _NAMED} more" if len(problems) > _NAMED else ""
        return broken_claim(CLAIM, "; ".join(problems[:_NAMED]) + more, code="sparse_encoding")
    shown = "; ".join(f"{_reader(tensor)}, {encoded(tensor)}" for tensor in tensors[:_NAMED])
    more = f"; and {len(tensors) - _NAMED} more" if len(tensors) > _NAMED else ""
    found_text = shown + more if tensors else "no weights have zeros enough to be encoded"
    return ClaimRecord(claim=CLAIM, held=True, found=found_text, code="sparse_encoding")


def _reader(tensor: TensorRecord) -> str:
    layer = f" (layer {tensor.layer})" if tensor.layer else f" (tensor {tensor.name!r})"
    return f"{tensor.operator or 'unknown operator'}{layer}"


def faster_claim(latency: float, dense: float) -> ClaimRecord:
    """A sparse file is faster than the same file with every zero stored.

    Args:
        latency: milliseconds of the sparse file.
        dense: of the other, measured in turns.
    """
    return ClaimRecord(
        claim="is faster than the same file with its zeros stored",
        held=latency < dense,
        found=f"{latency:.3g} ms, with zeros stored {dense:.3g} ms ({latency / dense:.1%}), measured in turns",
        code="faster_than_dense",
    )
