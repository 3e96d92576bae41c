"""Which operators of a file compute which layer, of those that can be rewritten to compute in float."""

from __future__ import annotations

from dataclasses import dataclass

from tfopt.backend.audit.tflite import indices, layer_of
from tfopt.backend.explain.float_operators import can_be_float
from tfopt.backend.graph.layer_names import LayerNames
from tfopt.backend.tflite import flatbuffer


@dataclass(frozen=True)
class LayerGroup:
    """Operators of one layer.

    Args:
        layer: its Keras name; the name of the operator's output where no layer is known.
        known: whether that is a Keras name.
        operator: name of the first operator.
        positions: of the operators in the first graph.
    """

    layer: str
    known: bool
    operator: str
    positions: tuple[int, ...]


def layer_groups(file: flatbuffer.File, names: LayerNames) -> list[LayerGroup]:
    """The layers of a file's quantized operators, in the order of the file.

    Args:
        file: parsed.
        names: finds the Keras layer of a tensor's name.
    """
    graph = file.model.subgraphs[0]
    found: dict[tuple[str, bool], list[int]] = {}
    for position, operator in enumerate(graph.operators):
        if can_be_float(file, graph, operator):
            layer = layer_of(file, graph, operator, names)
            output = flatbuffer.text(graph.tensors[indices(operator.outputs)[0]].name)
            found.setdefault((layer or output, layer is not None), []).append(position)
    return [
        LayerGroup(layer, known, file.operator_name(graph.operators[positions[0]]), tuple(positions))
        for (layer, known), positions in found.items()
    ]
