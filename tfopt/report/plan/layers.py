"""Which techniques and targets support each layer of a model, as text for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from tfopt.core.config.quantization_modes import MODES
from tfopt.core.language.wording import counted
from tfopt.core.records.layer_support import LayerPreflight, Totals, totals
from tfopt.report.shared import formats
from tfopt.report.shared.terminal import heading, indented, plain_text, table

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

ROOMY = 140
"""Columns from which there is room for the shapes and operators of each layer."""


def layers_text(layers: Sequence[LayerPreflight], width: int = 80, verbose: bool = False) -> list[RenderableType]:
    """A table of the layers with numbered notes below it, and the sums.

    Args:
        layers: in the order of the model.
        width: columns of the terminal.
        verbose: everything about each layer, in words, instead of the table.
    """
    parts: list[RenderableType] = [heading("layers")]
    if verbose:
        for layer in layers:
            parts += [plain_text(f"{layer.name}  {layer.shown_type}", "bold"), _facts(layer_facts(layer))]
    else:
        notes = numbered_notes(layers)
        parts.append(_layers_table(layers, notes, roomy=width >= ROOMY))
        parts += [indented(f"{number}  {note}", "dim") for note, number in notes.items()]
    return [*parts, heading("in sum"), _facts(totals_facts(totals(layers)))]


def prunable(layer: LayerPreflight) -> str:
    """Whether a layer can be pruned, and which patterns of zeros it supports besides single ones."""
    return (
        ", ".join(["yes", *(name for name in layer.patterns if name != "element")]) if layer.prunable is None else "–"
    )


def notes_of(layer: LayerPreflight) -> Iterator[str]:
    """Notes on a layer that do not fit into the table; the same words for the same reason."""
    if layer.treatment == "fused":
        return
    if layer.parameters and layer.prunable is not None:
        yield f"not pruned: {layer.prunable}"
    if layer.parameters and layer.clusterable is not None:
        yield f"not clustered: {layer.clusterable}"
    if layer.quantized != layer.treatment:
        yield layer.quantized
    for reason in (layer.micro, layer.edge_tpu):
        if reason is not None and not reason.startswith("stays float"):
            yield reason


def numbered_notes(layers: Sequence[LayerPreflight]) -> dict[str, int]:
    """All notes of a model, each once, with a number."""
    found = dict.fromkeys(note for layer in layers for note in notes_of(layer))
    return {note: number for number, note in enumerate(found, start=1)}


def layer_facts(layer: LayerPreflight) -> dict[str, str]:
    """Everything about one layer, by what it is about."""
    zeros = ", ".join(layer.patterns)
    return {
        "weights": formats.count(layer.parameters),
        "MACs": formats.magnitude(layer.macs),
        "output": layer.output_shape,
        "pruning": f"yes ({zeros})" if layer.prunable is None else f"no: {layer.prunable}",
        "clustering": "yes" if layer.clusterable is None else f"no: {layer.clusterable}",
        "8 bits": layer.quantized,
        "below 8 bits": below_8_bits(layer),
        "operators": operators_text(layer),
        "XNNPACK sparse": "yes" if layer.xnnpack_sparse is None else f"no: {layer.xnnpack_sparse}",
        "TFLite Micro": "yes" if layer.micro is None else f"no: {layer.micro}",
        "Edge TPU": "yes" if layer.edge_tpu is None else f"no: {layer.edge_tpu}",
    }


def below_8_bits(layer: LayerPreflight) -> str:
    """The modes with smaller weights that a layer has kernels for: `int4 (blocks of 32, 64), int2`."""
    if layer.below_8_bits is None:
        return "?"
    blocks = [str(MODES[name].block) for name in layer.below_8_bits if MODES[name].block]
    whole = [name for name in layer.below_8_bits if not MODES[name].block]
    if blocks and whole:
        whole[0] += f" (blocks of {', '.join(blocks)})"
    return ", ".join(whole) or "–"


def operators_text(layer: LayerPreflight) -> str:
    """The operators that a layer becomes."""
    if layer.operators is None:
        return "?"
    return ", ".join(dict.fromkeys(layer.operators)) or "–"


def totals_facts(found: Totals) -> dict[str, str]:
    """The sums of a model, by what they are about."""
    macs = f"{formats.magnitude(found.macs)} multiply-accumulates for one example"
    if found.unknown_macs:
        macs += f", without {_names(found.unknown_macs)}, where they are not known"
    parts = [", ".join(f"{name} {number}" for name, number in _by_number(found.operators))]
    if found.unknown_operators:
        parts.append(f"known only after conversion: {_names(found.unknown_operators)}")
    operators = "; ".join(part for part in parts if part)
    small = ", ".join(f"{mode} {_of(part, found.parameters)}" for mode, part in found.below_8_bits.items())
    return {
        "weights": f"{formats.count(found.parameters)} in {counted(found.layers, 'layer')}",
        "MACs": macs,
        "pruning": _of(found.prunable, found.parameters),
        "clustering": _of(found.clusterable, found.parameters),
        "8 bits": ", ".join(f"{number} {how}" for how, number in _by_number(found.treatments)),
        **({"below 8 bits": small} if small else {}),
        "operators": operators,
        "XNNPACK sparse": f"{found.xnnpack_sparse} of the {counted(found.prunable_layers, 'layer')} that can be pruned",
        "TFLite Micro": _all_but(found.not_in_micro),
        "Edge TPU": _all_but(found.not_on_edge_tpu),
    }


def _layers_table(layers: Sequence[LayerPreflight], notes: Mapping[str, int], roomy: bool) -> Table:
    more = ("below 8 bits", "output", "operators") if roomy else ()
    rows = [
        (
            plain_text(layer.name, "bold"),
            layer.shown_type,
            formats.count(layer.parameters) if layer.parameters else "–",
            formats.magnitude(layer.macs) if layer.macs != 0 else "–",
            prunable(layer),
            "yes" if layer.clusterable is None else "–",
            plain_text(layer.treatment, "yellow" if layer.treatment == "float" else ""),
            *((below_8_bits(layer), layer.output_shape, operators_text(layer)) if roomy else ()),
            plain_text(" ".join(str(notes[note]) for note in notes_of(layer)), "dim"),
        )
        for layer in layers
    ]
    columns = ("", "type", "weights", "MACs", "prune", "cluster", "8 bits", *more, "")
    return table(columns, rows, left=(0, 1, 4, 5, 6, 7, 8, 9, 10))


def _facts(facts: Mapping[str, str]) -> RenderableType:
    from rich.padding import Padding

    rows = [(plain_text(name, "dim"), fact) for name, fact in facts.items()]
    return Padding(table(("", ""), rows, left=(0, 1)), (0, 0, 0, 2), expand=False)


def _by_number(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _of(part: int, whole: int) -> str:
    return f"{counted(part, 'weight')} ({formats.percent(part / whole)})" if part and whole else "no weights"


def _all_but(names: Sequence[str]) -> str:
    return f"all layers but {_names(names)}" if names else "all layers"


def _names(names: Sequence[str], shown: int = 6) -> str:
    rest = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {rest} more" if rest > 0 else "")
