"""What a file computes in, as a sentence: nothing may be called an integer file that sees float values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tfopt.core.records.report import AuditRecord, PortRecord

_NARROW = ("int8", "uint8", "int16")
"""Types that the activations of an integer file can have."""


@dataclass(frozen=True)
class Arithmetic:
    """What a file computes in.

    Args:
        kind: of a `.tflite`, whether float values are nowhere, at its ends only, or inside; else `not tflite`.
        sentence: in words, without a full stop.
    """

    kind: Literal["integers", "float ends", "floats inside", "not tflite"]
    sentence: str


def arithmetic(audit: AuditRecord) -> Arithmetic | None:
    """What a file computes in, naming what is float in a `.tflite`; None where nothing is known."""
    if audit.format != "tflite":
        sentence = _of_keras(audit)
        return None if sentence is None else Arithmetic("not tflite", sentence)
    if not audit.operators:
        return None
    if audit.float_operators or audit.inner_conversions:
        return Arithmetic("floats inside", _floats_inside(audit))
    ends = _float_ends(audit)
    if ends:
        sentence = f"{_integers(audit)} inside, {ends}: only QUANTIZE and DEQUANTIZE there see float values"
        return Arithmetic("float ends", sentence)
    return Arithmetic("integers", "integers only: no operator reads or writes float values")


def _floats_inside(audit: AuditRecord) -> str:
    conversions = _counted(audit.inner_conversions)
    if not audit.float_operators:
        return f"goes through float values inside: {conversions}, though no operator computes with them"
    behind = f" (layers {', '.join(audit.float_layers)})" if audit.float_layers else ""
    pairs = f"; between integers and float inside the file: {conversions}" if conversions else ""
    return f"computes in float: {_counted(audit.float_operators)}{behind}{pairs}"


def _float_ends(audit: AuditRecord) -> str:
    """Which of the inputs and outputs are float, in words."""
    inputs, outputs = _float_types(audit.inputs), _float_types(audit.outputs)
    if inputs and inputs == outputs:
        return f"{inputs} inputs and outputs"
    return " and ".join(f"{types} {side}" for side, types in (("inputs", inputs), ("outputs", outputs)) if types)


def _float_types(ports: list[PortRecord]) -> str:
    return ", ".join(sorted({port.dtype for port in ports if port.dtype.startswith(("float", "bfloat"))}))


def _of_keras(audit: AuditRecord) -> str | None:
    """What a file of Keras or TensorFlow holds and computes in; it has no operators of TFLite."""
    types = sorted({tensor.dtype for tensor in audit.tensors})
    weights = f"weights in {', '.join(types)}" if types else "no weights"
    if audit.computes_in:
        return f"a Keras model: {weights}, layers that compute in {', '.join(audit.computes_in)}"
    if audit.operators:
        return f"a SavedModel without Keras layers, which can be converted as it is, but not trained: {weights}"
    return f"{weights} alone: the file does not say how a model is built from them" if types else None


def _integers(audit: AuditRecord) -> str:
    """The type that most values of an integer file have: the one of its activations."""
    narrow = {name: number for name, number in audit.activations.items() if name in _NARROW}
    return max(narrow, key=lambda name: narrow[name]) if narrow else "integers"


def _counted(operators: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ×{number}" for name, number in sorted(operators.items()))
