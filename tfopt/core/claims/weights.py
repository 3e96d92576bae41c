"""The claim about the dtypes of the weights in a `.tflite` file. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

from tfopt.core.claims.agreement import broken_claim
from tfopt.core.claims.floats import FloatLayers, listed, named
from tfopt.core.claims.recurrent import FUSED_LSTM
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.files.weight_kernels import OPERATORS, reason_no_kernel, stored_as
from tfopt.core.config.quantization_modes import MODES, Mode
from tfopt.core.records.report import AuditRecord, ClaimRecord, TensorRecord


def weights_claim(
    variant: Variant, audit: AuditRecord, float_layers: FloatLayers, modes: Mapping[str, str]
) -> ClaimRecord:
    """That weights have the dtype of the mode.

    Args:
        variant: the keys of the file.
        audit: what it contains.
        float_layers: which layers of an integer file may be float.
        modes: name of a mode by layer, for the layers with one of their own.
    """
    weights = [tensor for tensor in audit.tensors if tensor.role == "weight"]
    if variant.engine == "quantizer":
        return _by_kernels(variant, weights, modes)
    return _of_converter(variant, weights, float_layers, modes)


def _by_kernels(variant: Variant, weights: Sequence[TensorRecord], modes: Mapping[str, str]) -> ClaimRecord:
    """What each operator reads is known: the weights of the mode where it has a kernel for them, else int8."""
    file = variant.mode
    claim = f"weights are {file.described_weights}"
    if any(name != variant.quantize for name in modes.values()):
        of_rules = dict.fromkeys(MODES[name].described_weights for name in modes.values())
        claim += f", by its rules {', '.join(of_rules)}"
    claim += ", as far as an operator has a kernel for them"
    wrong: list[str] = []
    found: dict[str, list[str]] = {}
    for tensor in weights:
        mode = MODES[modes.get(tensor.layer or "", variant.quantize)]
        wanted, reason = _wanted(mode, tensor)
        is_stored = _described(tensor)
        if is_stored == wanted:
            found.setdefault(f"{wanted}{f' ({reason})' if reason else ''}", []).append(tensor.layer or tensor.name)
        else:
            wrong.append(f"{named(tensor)} is {is_stored}, not {wanted}")
    if wrong:
        return broken_claim(claim, listed(wrong), code="weights_dtype")
    kinds = [f"{len(of)} of {len(weights)} {kind}: {listed(list(dict.fromkeys(of)))}" for kind, of in found.items()]
    return ClaimRecord(
        claim=claim, held=True, found="; ".join(kinds) or "the file has no weights", code="weights_dtype"
    )


def _described(tensor: TensorRecord) -> str:
    return f"{tensor.dtype} in blocks of {tensor.block}" if tensor.block else tensor.dtype


def _wanted(mode: Mode, tensor: TensorRecord) -> tuple[str, str]:
    """What the weights of an operator should be, and why they are not those of the mode."""
    operator, row = tensor.operator, tensor.shape[-1] if tensor.shape else 0
    if mode.integer_only and operator == "GATHER" and mode.tables is not None:
        return mode.tables, "a table is stored as its results are"
    stored = stored_as(mode, operator, row) if operator in OPERATORS else None
    if stored is None:
        if mode.weights == "float32":
            return "float32", "by rule"
        known = operator in OPERATORS and not mode.integer_only
        reason = reason_no_kernel(mode, operator, row) if known else None
        return "float32", reason or f"LiteRT has no kernel for {operator} with {mode.weights} weights"
    if stored.described_weights == mode.described_weights:
        return mode.described_weights, ""
    return stored.described_weights, reason_no_kernel(mode, operator, row) or ""


def _of_converter(
    variant: Variant, weights: Sequence[TensorRecord], float_layers: FloatLayers, modes: Mapping[str, str]
) -> ClaimRecord:
    wanted, float32_below = variant.mode.weights, variant.mode.float32_below
    claim = f"weights are {wanted}"
    shrunk = [tensor for tensor in weights if _is_small(tensor, modes)]
    if shrunk:
        claim += f", by its rules {', '.join(dict.fromkeys(MODES[modes[t.layer or '']].weights for t in shrunk))}"
    small: list[TensorRecord] = []
    if float32_below:
        claim = (
            f"weights of {float32_below:,} or more elements are {wanted} "
            "(the converter's dynamic range leaves smaller ones float32)"
        )
        small = _left_float32(weights, float32_below)
    wrong = [tensor for tensor in weights if tensor not in shrunk and tensor.dtype != wanted and tensor not in small]
    wrong += [tensor for tensor in shrunk if tensor.dtype != MODES[modes[tensor.layer or ""]].weights]
    if variant.mode.integer_only:
        # Float weights that the plan lists, or that the recipe allows, are named by the claim `integer_only`.
        by_plan = [t for t in wrong if float_layers.policy == "allow" or t.layer in float_layers.allowed]
        wrong = [tensor for tensor in wrong if tensor not in by_plan]
        small = by_plan
    if wrong:
        return broken_claim(
            claim, listed([f"{named(tensor)} is {tensor.dtype}" for tensor in wrong]), code="weights_dtype"
        )
    if not weights:
        return ClaimRecord(claim=claim, held=True, found="the file has no weights", code="weights_dtype")
    found = f"{len(weights) - len(small) - len(shrunk)} of {len(weights)} weight tensors are {wanted}"
    if shrunk:
        found += ", by rule: " + listed([f"{named(tensor)} is {tensor.dtype}" for tensor in shrunk])
    if small:
        reason = "because small" if float32_below else "as planned"
        found += f", float32 {reason}: " + listed([named(tensor) for tensor in small])
    return ClaimRecord(claim=claim, held=True, found=found, code="weights_dtype")


def _left_float32(weights: Sequence[TensorRecord], below: int) -> list[TensorRecord]:
    """What the converter's dynamic range leaves as it is: small weights, and all of a fused LSTM that has small ones.

    Its kernel takes one type (measured: 40 units of 10 inputs are float32, of 40 inputs int8).
    """
    floats = [tensor for tensor in weights if tensor.dtype == "float32"]
    small = [tensor for tensor in floats if prod(tensor.shape) < below]
    lstms = {tensor.layer for tensor in small if tensor.operator == FUSED_LSTM}
    return [one for one in floats if one in small or (one.operator == FUSED_LSTM and one.layer in lstms)]


def _is_small(tensor: TensorRecord, modes: Mapping[str, str]) -> bool:
    """Whether a rule gives a tensor of an integer file smaller weights, and its operator reads them."""
    mode = MODES.get(modes.get(tensor.layer or "", ""))
    row = tensor.shape[-1] if tensor.shape else 0
    return mode is not None and mode.in_integer_files and reason_no_kernel(mode, tensor.operator, row) is None
