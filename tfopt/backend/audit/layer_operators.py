"""Which Keras layer each operator of a `.tflite` file computes, so that no operator is left without one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ai_edge_litert import schema_py_generated as schema

from tfopt.backend.audit.tflite import calling_layers, graphs_called_from_outside, indices, is_border, layer_of
from tfopt.backend.graph.layer_names import LayerNames
from tfopt.backend.tflite import flatbuffer

BORDERS = frozenset({"QUANTIZE", "DEQUANTIZE"})


def layer_operators(
    path: Path | str,
    layer_names: Sequence[str],
    aliases: Mapping[str, str] | None = None,
    ends: Mapping[str, str] | None = None,
    rest: str = "",
    lstms: Sequence[str] = (),
) -> dict[str, tuple[str, ...]]:
    """The operators of a file by Keras layer, in the order of the file; those in loops belong to the loop's layer.

    The operator that makes an output belongs to the layer that ends the model there, since the converter drops its
    name. Any other that was named after no layer belongs to the layer whose result it reads, or at the inputs of the
    file to the layer that reads its own. QUANTIZE and DEQUANTIZE at the inputs and outputs of the file are not listed.

    Args:
        path: a well-formed file.
        layer_names: Keras names of the layers of the model it came from, in the order of the model.
        aliases: as in `tfopt.backend.audit.tflite.audit_tflite`.
        ends: by name of an output in the signature, the layer that makes it.
        rest: the layer of all operators for which none is found.
        lstms: as in `LayerNames`.

    Raises:
        ExportError: the file cannot be read or is malformed.
    """
    path = Path(path)
    file = flatbuffer.read(path)
    try:
        found: dict[str, list[str]] = {}
        for layer, operator in _owned(file, LayerNames(layer_names, aliases, lstms), ends or {}):
            found.setdefault(layer or rest, []).append(operator)
    except flatbuffer.MALFORMED as error:
        raise flatbuffer.malformed(path, error) from error
    return {layer: tuple(operators) for layer, operators in found.items()}


def layer_of_each_operator(path: Path, layer_names: Sequence[str], lstms: Sequence[str] = ()) -> list[str]:
    """The layer of each operator of the main graph of a float file, in the order of the file; "" where none is found.

    Args:
        path: a well-formed file with one graph.
        layer_names: as in `layer_operators`.
        lstms: as in `LayerNames`.
    """
    return [owner for owner, _ in _owned(flatbuffer.read(path), LayerNames(layer_names, lstms=lstms), {})]


def _owned(file: flatbuffer.File, names: LayerNames, ends: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    callers, outermost = calling_layers(file, names), graphs_called_from_outside(file)
    for position, graph in enumerate(file.model.subgraphs):
        makers = {index: at for at, operator in enumerate(graph.operators) for index in indices(operator.outputs)}
        last = _of_outputs(file, position, makers, ends)
        owners = _owners(file, graph, names, makers, last, callers.get(position, ""))
        for operator, owner in zip(graph.operators, owners, strict=True):
            name = file.operator_name(operator)
            if not (position in outermost and name in BORDERS and is_border(graph, operator)):
                yield owner, name


def _of_outputs(
    file: flatbuffer.File, position: int, makers: Mapping[int, int], ends: Mapping[str, str]
) -> dict[int, str]:
    """By position of the operators that make the outputs of a graph, the layer that ends the model there."""
    found: dict[int, str] = {}
    operators = file.model.subgraphs[position].operators
    for signature in file.model.signatureDefs or []:
        for output in signature.outputs if signature.subgraphIndex == position else ():
            at = makers.get(int(output.tensorIndex))
            while at is not None and file.operator_name(operators[at]) in BORDERS:
                at = makers.get(indices(operators[at].inputs)[0])
            layer = ends.get(flatbuffer.text(output.name))
            if at is not None and layer is not None:
                found[at] = layer
    return found


def _owners(
    file: flatbuffer.File,
    graph: schema.SubGraphT,
    names: LayerNames,
    makers: Mapping[int, int],
    last: Mapping[int, str],
    caller: str,
) -> list[str]:
    """The layer of each operator of a graph."""
    owners = [last.get(at) or layer_of(file, graph, operator, names) for at, operator in enumerate(graph.operators)]
    for at, operator in enumerate(graph.operators):
        if owners[at] is None:
            before = [owners[makers[index]] for index in indices(operator.inputs) if index in makers]
            owners[at] = next((owner for owner in before if owner is not None), None)
    for at in reversed(range(len(owners))):
        if owners[at] is None:
            outputs = set(indices(graph.operators[at].outputs))
            readers = [
                owner
                for owner, later in zip(owners[at + 1 :], graph.operators[at + 1 :], strict=True)
                if owner is not None and outputs & {*indices(later.inputs)}
            ]
            owners[at] = readers[0] if readers else None
    return [owner if owner is not None else caller for owner in owners]
