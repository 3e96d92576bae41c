"""Contents of a file, latency of files, and names for recipes, as text for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from tfopt.report.shared import formats
from tfopt.report.shared.terminal import heading, plain_text, table

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from tfopt.core.records.report import AuditRecord, PortRecord


class Named(Protocol):
    """One name that a recipe can use (see `tfopt.results.CatalogEntry`)."""

    @property
    def name(self) -> str: ...

    @property
    def summary(self) -> str: ...

    @property
    def origin(self) -> str: ...

    @property
    def arguments(self) -> tuple[str, ...]: ...


def audit_text(audit: AuditRecord, title: str) -> list[RenderableType]:
    """An audit: verdict on integers, inputs and outputs, operators, weights.

    Args:
        audit: what the file contains.
        title: name of the file.
    """
    weights = [tensor for tensor in audit.tensors if tensor.role == "weight"]
    parts: list[RenderableType] = [plain_text(title, "bold")]
    if (sentence := arithmetic_sentence(audit)) is not None:
        parts.append(sentence)
    parts.append(plain_text(f"sparsity over all weights: {formats.percent(audit.sparsity)}"))
    parts += [
        heading("inputs and outputs"),
        table(
            ("", "name", "type", "shape", "scale", "zero point"),
            [_port("input", port) for port in audit.inputs] + [_port("output", port) for port in audit.outputs],
            left=(0, 1, 2, 3),
        ),
    ]
    if audit.operators and audit.format == "tflite":
        rows = [
            (plain_text(name, "bold"), str(number), plain_text(str(audit.float_operators.get(name, 0) or "–")))
            for name, number in sorted(audit.operators.items())
        ]
        parts += [heading("operators"), table(("", "number", "in float"), rows)]
    if audit.operators and audit.format != "tflite":
        counted = [(plain_text(name, "bold"), str(number)) for name, number in sorted(audit.operators.items())]
        title = "layers" if audit.computes_in else "operations of TensorFlow"
        parts += [heading(title), table(("", "number"), counted)]
    if weights:
        rows_of_weights = [
            (
                plain_text(tensor.layer or tensor.name.partition(";")[0], "bold"),
                tensor.dtype + (" (sparse format)" if tensor.sparse_encoding else ""),
                "×".join(map(str, tensor.shape)),
                formats.size(tensor.bytes),
                formats.percent(tensor.sparsity),
                formats.count(tensor.unique),
                tensor.quantization,
            )
            for tensor in weights
        ]
        parts += [
            heading("weights"),
            table(("", "type", "shape", "size", "zeros", "unique", "quantized"), rows_of_weights, left=(0, 1, 2, 6)),
        ]
    if audit.signatures:
        parts += [plain_text(""), plain_text(f"signatures  {', '.join(audit.signatures)}")]
    return parts


def arithmetic_sentence(audit: AuditRecord) -> RenderableType | None:
    """What a file computes in, naming what is float in a `.tflite` that has integers; None where nothing is known."""
    if audit.format != "tflite":
        return _sentence_of_keras(audit)
    if not audit.operators:
        return None
    if audit.float_operators or audit.inner_conversions:
        found = _counted(audit.float_operators or audit.inner_conversions)
        behind = f" (layers {', '.join(audit.float_layers)})" if audit.float_layers else ""
        pairs = ""
        if audit.inner_conversions and audit.float_operators:
            pairs = f"; between integers and float inside the file: {_counted(audit.inner_conversions)}"
        if audit.float_operators:
            return plain_text(f"computes in float: {found}{behind}{pairs}", "yellow")
        return plain_text(f"goes through float values inside: {found}, though no operator computes with them", "yellow")
    floats = {
        side: sorted({port.dtype for port in ports if port.dtype.startswith(("float", "bfloat"))})
        for side, ports in (("inputs", audit.inputs), ("outputs", audit.outputs))
    }
    ends = " and ".join(f"{', '.join(types)} {side}" for side, types in floats.items() if types)
    if floats["inputs"] and floats["inputs"] == floats["outputs"]:
        ends = f"{', '.join(floats['inputs'])} inputs and outputs"
    if ends:
        return plain_text(f"{_integers(audit)} inside, {ends}: only QUANTIZE and DEQUANTIZE there see float values")
    return plain_text("integers only: no operator reads or writes float values", "green")


def _sentence_of_keras(audit: AuditRecord) -> RenderableType | None:
    """What a file of Keras or TensorFlow holds and computes in; it has no operators of TFLite."""
    types = sorted({tensor.dtype for tensor in audit.tensors})
    weights = f"weights in {', '.join(types)}" if types else "no weights"
    if audit.computes_in:
        return plain_text(f"a Keras model: {weights}, layers that compute in {', '.join(audit.computes_in)}")
    if audit.operators:
        return plain_text(f"a SavedModel without Keras layers: {weights}")
    return plain_text(f"{weights} alone: the file does not say how a model is built from them") if types else None


def _integers(audit: AuditRecord) -> str:
    """The type that most values of an integer file have: the one of its activations."""
    narrow = {name: number for name, number in audit.activations.items() if name in ("int8", "uint8", "int16")}
    return max(narrow, key=lambda name: narrow[name]) if narrow else "integers"


def _counted(operators: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ×{number}" for name, number in sorted(operators.items()))


def _port(role: str, port: PortRecord) -> tuple[str, ...]:
    scale = (formats.number(port.scale), str(port.zero_point)) if port.scale else ("–", "–")
    return (role, port.name, port.dtype, _shape(port.shape), *scale)


def _shape(shape: Sequence[int] | None) -> str:
    if shape is None:
        return "not said"
    return "×".join("any" if length < 0 else str(length) for length in shape) or "scalar"


def bench_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Latency of each file, and how much slower it is than the fastest."""
    fastest = min((row["latency_ms"] for row in rows), default=0.0)
    return table(
        ("", "size", "median", "10th", "90th", "to fastest"),
        [
            (
                plain_text(str(row["name"]), "bold"),
                formats.size(row["bytes"]),
                formats.milliseconds(row["latency_ms"]),
                formats.milliseconds(row["latency_ms_p10"]),
                formats.milliseconds(row["latency_ms_p90"]),
                f"{row['latency_ms'] / fastest:.2f}×" if fastest > 0 else "–",
            )
            for row in rows
        ],
    )


def listing_lines(kinds: Mapping[str, Sequence[Named]], width: int) -> list[str]:
    """Names that a recipe can use, as plain lines: `tfopt ls` must not wait for a table library.

    Args:
        kinds: entries by kind.
        width: columns of the terminal.
    """
    import textwrap

    longest = max((len(entry.name) for entries in kinds.values() for entry in entries), default=0)
    column = min(longest, 32) + 2
    lines: list[str] = []
    for kind, entries in kinds.items():
        lines += ["", kind] if lines else [kind]
        if not entries:
            lines.append("  none")
        for entry in entries:
            origin = "" if entry.origin in ("tfopt", "here") else f" [{entry.origin}]"
            blank = " " * (column + 2)
            first = f"  {entry.name:<{column}}"
            lines += textwrap.wrap(entry.summary + origin, width, initial_indent=first, subsequent_indent=blank) or [
                first
            ]
            if entry.arguments:
                lines += textwrap.wrap(
                    ", ".join(entry.arguments), width, initial_indent=blank, subsequent_indent=blank,
                    break_on_hyphens=False,
                )  # fmt: skip
    return lines
