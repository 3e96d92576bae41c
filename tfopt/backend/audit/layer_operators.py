"""Which Keras layer each operator of a `.tflite` file computes, so that no operator is left without one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ai_edge_litert import schema_py_generated as schema

from tfopt.backend.audit.layer_names import LayerNames
from tfopt.backend.audit.tflite import calling_layers, graphs_called_from_outside, indices, is_border, layer_of
from tfopt.backend.tflite import flatbuffer

BORDERS = frozenset({"QUANTIZE", "DEQUANTIZE"})


def layer_operators(
    path: Path | str, layer_names: Sequence[str], aliases: Mapping[str, str] | None = None
) -> dict[str, tuple[str, ...]]:
    """The operators of a file by Keras layer, in the order of the file; those in loops belong to the loop's layer.

    An operator that the converter named after no layer belongs to the layer whose result it reads, or, at the inputs
    of the file, to the layer that reads its own. QUANTIZE and DEQUANTIZE at the inputs and outputs of the file are not
    listed.

    Args:
        path: a well-formed file.
        layer_names: Keras names of the layers of the model it came from, in the order of the model.
        aliases: as in `tfopt.backend.audit.tflite.audit_tflite`.

    Raises:
        ExportError: the file cannot be read or is malformed.
    """
    path = Path(path)
    file = flatbuffer.read(path)
    try:
        found: dict[str, list[str]] = {}
        for layer, operator in _owned(file, LayerNames(layer_names, aliases)):
            found.setdefault(layer, []).append(operator)
    except flatbuffer.MALFORMED as error:
        raise flatbuffer.malformed(path, error) from error
    return {layer: tuple(operators) for layer, operators in found.items()}


def _owned(file: flatbuffer.File, names: LayerNames) -> Iterator[tuple[str, str]]:
    callers, outermost = calling_layers(file, names), graphs_called_from_outside(file)
    for position, graph in enumerate(file.model.subgraphs):
        owners = _owners(file, graph, names, callers.get(position, ""))
        for operator, owner in zip(graph.operators, owners, strict=True):
            name = file.operator_name(operator)
            if not (position in outermost and name in BORDERS and is_border(graph, operator)):
                yield owner, name


def _owners(file: flatbuffer.File, graph: schema.SubGraphT, names: LayerNames, caller: str) -> list[str]:
    """The layer of each operator of a graph."""
    owners = [layer_of(file, graph, operator, names) for operator in graph.operators]
    makers = {index: at for at, operator in enumerate(graph.operators) for index in indices(operator.outputs)}
    for at, operator in enumerate(graph.operators):
        if owners[at] is None:
            before = [owners[makers[index]] for index in indices(operator.inputs) if index in makers]
            owners[at] = next((owner for owner in before if owner is not None), None)
    for at in reversed(range(len(owners))):
        if owners[at] is None:
            outputs = set(indices(graph.operators[at].outputs))
            readers = (
                later for later in range(at + 1, len(owners)) if outputs & {*indices(graph.operators[later].inputs)}
            )
            owners[at] = next((owners[later] for later in readers if owners[later] is not None), None)
    return [owner if owner is not None else caller for owner in owners]
