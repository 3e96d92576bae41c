"""Contents of a file, and names for recipes, as text for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from tfopt.report.shared import formats
from tfopt.report.shared.arithmetic import arithmetic
from tfopt.report.shared.terminal import heading, plain_text, table

if TYPE_CHECKING:
    from rich.console import RenderableType

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
    parts += _arithmetic(audit)
    parts.append(plain_text(f"sparsity over all weights: {formats.percent(audit.sparsity)}"))
    parts += [plain_text(note) for note in audit.notes]
    parts += _sizes(audit)
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
                f"{tensor.quantization} of {tensor.block}" if tensor.block else tensor.quantization,
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


_LAYERS = 12


def _sizes(audit: AuditRecord) -> list[RenderableType]:
    """How large the file is, in each way, and the layers that take most of it."""
    if audit.bytes is None:
        return []
    named = {
        "file": audit.bytes, "gzip": audit.gzip_bytes, "zstd": audit.zstd_bytes,
        "entropy of the weights": audit.entropy_bytes, "in the sparse format": audit.sparse_bytes,
    }  # fmt: skip
    parts: list[RenderableType] = [
        heading("size"),
        table(("", "bytes"), [(name, formats.size(size)) for name, size in named.items() if size is not None]),
    ]
    shown, others = audit.layer_sizes[:_LAYERS], audit.layer_sizes[_LAYERS:]
    rows = [
        (
            plain_text(size.layer, "bold"),
            formats.size(size.bytes),
            formats.percent(size.bytes / audit.bytes) if audit.bytes else "–",
            formats.size(size.entropy_bytes),
        )
        for size in shown
    ]
    if others:
        rest = sum(size.bytes for size in others)
        rows.append((plain_text(f"{len(others)} more"), formats.size(rest), formats.percent(rest / audit.bytes), "–"))
    if rows:
        parts += [heading("bytes by layer"), table(("", "size", "share", "entropy"), rows)]
    return parts


def _arithmetic(audit: AuditRecord) -> list[RenderableType]:
    """The sentence on what a file computes in; green and yellow for a `.tflite` without and with floats inside."""
    found = arithmetic(audit)
    if found is None:
        return []
    style = {"integers": "green", "floats inside": "yellow"}.get(found.kind, "")
    return [plain_text(found.sentence, style)]


def _port(role: str, port: PortRecord) -> tuple[str, ...]:
    scale = (formats.number(port.scale), str(port.zero_point)) if port.scale else ("–", "–")
    return (role, port.name, port.dtype, _shape(port.shape), *scale)


def _shape(shape: Sequence[int] | None) -> str:
    if shape is None:
        return "not said"
    return "×".join("any" if length < 0 else str(length) for length in shape) or "scalar"


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
            if len(entry.name) > column - 2:  # its description begins below it
                lines.append(first)
                first = blank
            described = textwrap.wrap(entry.summary + origin, width, initial_indent=first, subsequent_indent=blank)
            lines += described or [first.rstrip()][: first != blank]
            if entry.arguments:
                lines += textwrap.wrap(
                    ", ".join(entry.arguments), width, initial_indent=blank, subsequent_indent=blank,
                    break_on_hyphens=False,
                )  # fmt: skip
    return lines
