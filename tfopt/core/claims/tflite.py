"""The default claims about a `.tflite` file, compared with its audit and with how it ran. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import prod
from types import MappingProxyType

from tfopt.core.claims.acceptance import SPARSITY_TOLERANCE
from tfopt.core.claims.agreement import agreement_claim, broken_claim
from tfopt.core.claims.floats import LISTED, FloatLayers, listed, named
from tfopt.core.claims.kernels import RuntimeCheck, kernels_claim
from tfopt.core.claims.recurrent import RECURRENT
from tfopt.core.claims.sparse import sparse_claim
from tfopt.core.claims.weights import weights_claim
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.traits import Trait
from tfopt.core.language.wording import counted
from tfopt.core.records.report import AuditRecord, ClaimRecord, LayerRecord, TensorRecord

_INDICES = ("int32", "int64", "uint32", "uint64", "bool", "string")
"""What shapes, axes, indices and masks are made of, and no weights of a file."""
_FLOATS = ("float64", "float32", "float16", "bfloat16")
_SATURATING = ("MINIMUM", "MAXIMUM")
"""Measured: accuracy 0.84 in Keras, 0.53 in the file, of a minimum after quantization-aware training."""


def tflite_claims(
    variant: Variant,
    traits: frozenset[Trait],
    layers: Sequence[LayerRecord],
    audit: AuditRecord,
    runtime: RuntimeCheck,
    float_layers: FloatLayers = LISTED,
    own_types: Mapping[str, str] = MappingProxyType({}),
    modes: Mapping[str, str] = MappingProxyType({}),
) -> list[ClaimRecord]:
    """Every default claim about one `.tflite` file.

    Args:
        variant: the keys of the file in the recipe.
        traits: of the model.
        layers: layer records of the last stage.
        audit: what the file contains.
        runtime: how it ran.
        float_layers: which layers of an int8 file may compute in float.
        own_types: dtypes of the inputs and outputs that are not floats in the model, by their name in the signature.
        modes: name of a mode by layer, for the layers that have one of their own.

    Returns:
        One record per claim; where a claim is broken, `found` names tensors and layers.
    """
    claims = [_integer_only(audit, variant, float_layers)] if variant.mode.integer_only else []
    claims += [weights_claim(variant, audit, float_layers, modes), _io_types(variant, audit, own_types)]
    if "sparse" in traits:
        claims.append(_sparsity_kept(layers, audit))
    if variant.sparse:
        claims.append(sparse_claim(variant, audit, runtime))
    if "clustered" in traits:
        claims.append(_clusters_kept(layers, audit))
    least, most_error = variant.least_agreement(), variant.most_relative_error()
    same = [
        _with_advice(_with_saturating(agreement_claim(least, one, most_error=most_error), variant, audit), variant)
        for one in runtime.agreement
    ]
    return [*claims, kernels_claim(variant, runtime), *(same or [agreement_claim(least, None, most_error=most_error)])]


def _with_advice(same_outputs: ClaimRecord, variant: Variant) -> ClaimRecord:
    """Outputs that differ, with what names the layers that cost it."""
    if same_outputs.held or variant.sensitivity or not variant.mode.integer_only:
        return same_outputs
    advice = "; with `sensitivity: true`, this file names the layers that cost it, and rules that keep them float"
    by_converter = variant.engine == "converter"
    other = "; `quantize: int16x8` has 16 bits between layers" if by_converter else ""
    return same_outputs.model_copy(update={"found": same_outputs.found + advice + other})


def _with_saturating(same_outputs: ClaimRecord, variant: Variant, audit: AuditRecord) -> ClaimRecord:
    """Outputs that differ, with the operators of the file that are known to saturate."""
    found = [name for name in _SATURATING if name in audit.operators]
    if same_outputs.held or not variant.mode.integer_only or not found:
        return same_outputs
    reason = (
        f"; a possible cause is {' and '.join(found)}: in integers, TFLite gives operands and result one scale, and "
        "what is outside its range saturates"
    )
    return same_outputs.model_copy(update={"found": same_outputs.found + reason})


def _integer_only(audit: AuditRecord, variant: Variant, float_layers: FloatLayers) -> ClaimRecord:
    """That a file computes in integers, except in the layers that may be float."""
    if float_layers.policy == "allow":
        claim = "float operators and weights are named (qat.float_layers is allow: any layer may be float)"
        return ClaimRecord(
            claim=claim, held=True, found="; ".join(_floats(audit, ())) or "no float operators", code="integer_only"
        )
    allowed, dtype = float_layers.allowed, variant.mode.activations
    claim = f"{dtype} only: no operator computes in float"
    if allowed:
        named = ", ".join(f"{name} ({reason})" for name, reason in allowed.items())
        claim = f"{dtype} only, except for the layers named in the plan: {named}"
    found = _floats(audit, allowed)
    conversions = audit.operators.get("DEQUANTIZE", 0)
    expected = sum(port.dtype in _FLOATS for port in audit.outputs) if variant.output_type == "float32" else 0
    if not found and not allowed and conversions > expected:
        found.append(f"{conversions} DEQUANTIZE operators, {expected} expected (at float outputs only)")
    if found:
        return broken_claim(claim, "; ".join(found), code="integer_only")
    unneeded = [name for name in allowed if name not in audit.float_layers]
    held = f"float operators: {_counted(audit.float_operators)}" + _in_layers(audit.float_layers)
    held = held if audit.float_operators else "no float operators"
    if unneeded and audit.float_operators:
        held += f"; no float operator in {listed(unneeded)}"
    return ClaimRecord(claim=claim, held=True, found=held, code="integer_only")


def _floats(audit: AuditRecord, allowed: Collection[str]) -> list[str]:
    """Float operators and weights of layers that are not `allowed`, and those of unknown layers."""
    found: list[str] = []
    others = [name for name in audit.float_layers if name not in allowed]
    if others:
        within = "" if len(others) == len(audit.float_layers) else ", some of them"
        found.append(f"float operators: {_counted(audit.float_operators)}{within}{_in_layers(others)}")
    elif audit.float_operators and not audit.float_layers:
        found.append(f"float operators: {_counted(audit.float_operators)}, layer unknown")
    elif audit.untraced_float_operators:
        found.append(f"float operators of unknown layers: {_counted(audit.untraced_float_operators)}")
    floats = [t for t in audit.tensors if t.dtype in _FLOATS and t.role != "constant" and t.layer not in allowed]
    if floats:
        found.append("float weights: " + listed([named(tensor) for tensor in floats]))
    return found


def _counted(operators: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in operators.items())


def _io_types(variant: Variant, audit: AuditRecord, own_types: Mapping[str, str]) -> ClaimRecord:
    """Inputs and outputs that are integers in the model (token ids, pixels) keep their type whatever `io` is; they are
    not values to quantize."""
    ports = [("input", port) for port in audit.inputs] + [("output", port) for port in audit.outputs]
    asked = {"input": variant.input_type, "output": variant.output_type}
    wrong = [
        f"{side} {port.name!r} is {port.dtype}"
        for side, port in ports
        if port.dtype != own_types.get(port.name, asked[side])
    ]
    own = [
        f"{port.name!r}, which is {own_types[port.name]} in the model"
        for side, port in ports
        if own_types.get(port.name, asked[side]) != asked[side]
    ]
    claim = f"inputs and outputs are {variant.input_type}"
    if variant.input_type != variant.output_type:
        claim = f"inputs are {variant.input_type}, outputs are {variant.output_type}"
    claim += f", except for {listed(own)}" if own else ""
    found = listed(wrong) if wrong else ", ".join(f"{side} {port.name!r} {port.dtype}" for side, port in ports)
    return ClaimRecord(claim=claim, held=not wrong, found=found, code="io_dtype")


def _sparsity_kept(layers: Sequence[LayerRecord], audit: AuditRecord) -> ClaimRecord:
    """Per pruned layer, over its kernels in the file; the zeros of kernels that batch normalization was folded into
    stay zeros, and quantization can only add some."""
    claim = f"sparsity of each pruned layer survived within {SPARSITY_TOLERANCE * 100:g} points"
    weights = [tensor for tensor in audit.tensors if tensor.role == "weight"]
    pruned = [layer for layer in layers if layer.sparsity > SPARSITY_TOLERANCE]
    lost: list[str] = []
    kept: list[str] = []
    untraced: list[LayerRecord] = []
    for layer in pruned:
        own = [tensor for tensor in weights if tensor.layer == layer.name]
        # A larger tensor is no kernel: the converter multiplied one with a constant, such as a table of positions.
        own = [tensor for tensor in own if prod(tensor.shape) <= layer.parameters] or own
        own = _without_added(own, layer, audit)
        if not own and (folded := _folded(layer, audit)):
            kept.append(
                f"{layer.name} {pooled_sparsity(folded):.2%} in the constant that the converter computed from it"
            )
            continue
        if not own:
            untraced.append(layer)
            continue
        _compare_sparsity(layer.name, layer.sparsity, own, kept, lost)
    if untraced:
        # The converter drops the names of a fused LSTM and of a GRU's loop: tensors without a layer belong to them, and
        # to those of their kind that are not pruned.
        named = {tensor.layer for tensor in weights}
        untraced += [one for one in layers if one not in pruned and one.type in RECURRENT and one.name not in named]
        names = " + ".join(layer.name for layer in untraced)
        size = sum(layer.parameters for layer in untraced)
        expected = sum(layer.sparsity * layer.parameters for layer in untraced) / max(size, 1)
        _compare_sparsity(names, expected, [tensor for tensor in weights if tensor.layer is None], kept, lost)
    if lost:
        return broken_claim(claim, "; ".join(lost), code="sparsity_kept")
    return ClaimRecord(claim=claim, held=True, found=", ".join(kept) or "no layer is pruned", code="sparsity_kept")


def _without_added(tensors: list[TensorRecord], layer: LayerRecord, audit: AuditRecord) -> list[TensorRecord]:
    """Without small constants that a rewrite adds, such as the factor of an ELU: as many of the largest as are all
    kernels of the layer. `parameters` counts its biases too, which have tensors of their own."""
    biases = [prod(tensor.shape) for tensor in audit.tensors if tensor.role == "bias" and tensor.layer == layer.name]
    kernels = {layer.parameters, *(layer.parameters - size for size in (*biases, sum(biases)))}
    largest = sorted(tensors, key=lambda tensor: prod(tensor.shape), reverse=True)
    for count in range(1, len(largest)):
        if sum(prod(tensor.shape) for tensor in largest[:count]) in kernels:
            return largest[:count]
    return tensors


def _folded(layer: LayerRecord, audit: AuditRecord) -> list[TensorRecord]:
    """The constant of a layer whose weights no operator multiplies with: the converter computes, before the file is
    written, what does not depend on the input, such as the slice of a table of positions."""
    found = [
        tensor
        for tensor in audit.tensors
        if tensor.layer == layer.name
        and tensor.role == "constant"
        and len(tensor.shape) > 1
        and 1 < prod(tensor.shape) <= layer.parameters
        and tensor.dtype not in _INDICES
    ]
    return [max(found, key=lambda tensor: prod(tensor.shape))] if found else []


def _compare_sparsity(
    name: str, expected: float, tensors: Sequence[TensorRecord], kept: list[str], lost: list[str]
) -> None:
    if not tensors:
        lost.append(f"layer {name}: {expected:.2%} in the model, no weights of it found in the file")
        return
    found = pooled_sparsity(tensors)
    if found < expected - SPARSITY_TOLERANCE:
        in_tensors = listed([repr(tensor.name) for tensor in tensors])
        lost.append(f"layer {name}: {expected:.2%} in the model, {found:.2%} in the file (tensor {in_tensors})")
    else:
        kept.append(f"{name} {found:.2%}")


def _clusters_kept(layers: Sequence[LayerRecord], audit: AuditRecord) -> ClaimRecord:
    """Per clustered layer, in each output channel: batch normalization that is folded in scales the channels, and so
    does rounding with a scale for each; neither makes new values within one. Rounding can make two values one."""
    claim = "shared values of each clustered layer survived: no more in any output channel than it has clusters"
    weights = [tensor for tensor in audit.tensors if tensor.role == "weight"]
    lost: list[str] = []
    kept: list[str] = []
    for layer in layers:
        if layer.clusters is None:
            continue
        # The converter drops the names of a fused LSTM and of a GRU's loop: tensors without a layer belong to them.
        own = [tensor for tensor in weights if tensor.layer == layer.name and _can_be_shared(layer, tensor)]
        own = own or _folded(layer, audit) or [tensor for tensor in weights if tensor.layer is None]
        if not own:
            lost.append(f"layer {layer.name}: no weights of it found in the file")
            continue
        most = max(own, key=_unique)
        if _unique(most) > layer.clusters:
            in_tensor = f"tensor {most.name!r}"
            lost.append(
                f"layer {layer.name}: {counted(layer.clusters, 'cluster')}, "
                f"{counted(_unique(most), 'value')} in {in_tensor}"
            )
        else:
            kept.append(f"{layer.name} {_unique(most)} of {layer.clusters}")
    if lost:
        return broken_claim(claim, "; ".join(lost), code="clusters_kept")
    return ClaimRecord(claim=claim, held=True, found=", ".join(kept) or "no layer is clustered", code="clusters_kept")


def _can_be_shared(layer: LayerRecord, tensor: TensorRecord) -> bool:
    """A separable convolution is two operators, of which the pointwise one is clustered."""
    return not layer.type.startswith("SeparableConv") or tensor.shape[1:3] == [1, 1]


def _unique(tensor: TensorRecord) -> int:
    return tensor.unique if tensor.unique_per_channel is None else tensor.unique_per_channel


def pooled_sparsity(tensors: Sequence[TensorRecord]) -> float:
    """Share of zeros over several tensors together."""
    sizes = [prod(tensor.shape) for tensor in tensors]
    zeros = sum(tensor.sparsity * size for tensor, size in zip(tensors, sizes, strict=True))
    return zeros / sum(sizes) if sum(sizes) else 0.0


def _in_layers(names: Sequence[str]) -> str:
    return f" in layer{'s' if len(names) > 1 else ''} {listed(names)}" if names else ""
