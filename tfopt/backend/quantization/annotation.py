"""Which layers of a model are simulated in 8 bits, which only the converter quantizes, and which stay float."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import tf_keras
from tf_keras import layers

from tfopt.backend.layer_graph import Graph, folds_into
from tfopt.backend.quantization.placement import place, shares_float_scale
from tfopt.backend.quantization.registry import float_reason, treatment
from tfopt.core.layers import last_match
from tfopt.core.quantization import Quantization, QuantizeRule


def annotated(graph: Graph, rules: Sequence[QuantizeRule]) -> tuple[str, ...]:
    """Names of the layers to simulate, in the order of the graph.

    A layer is left to the converter where a rule says skip, where it is a nested model, or where nothing is known
    about its type; batch normalization also where there is no kernel to fold it into.
    """
    chosen: dict[str, None] = {}
    for name, layer in graph.layers.items():
        rule = last_match(rules, name, type(layer).__name__)
        if (rule is None or not rule.skip) and _can_be_simulated(graph, name, chosen):
            chosen[name] = None
    return tuple(chosen)


def preflight(model: tf_keras.Model, quantization: Quantization) -> dict[str, str]:
    """How each layer would be treated, without training.

    Args:
        model: a built functional or sequential model.
        quantization: rules of the qat stage.

    Returns:
        By layer name: `simulated`; `fused with NAME`, one operator with that layer; `after training`, quantized by the
        converter only; or `float: REASON`.

    Raises:
        StageError: the connections of the layers are not known.
    """
    graph = Graph(model)
    places = place(graph, annotated(graph, quantization.layers))
    heads = {name: where.head for name, where in places.items()}
    # Not the hidden InputLayer of a Sequential: it has no place in `model.layers`.
    return {layer.name: _treatment_text(graph, layer.name, heads.get(layer.name)) for layer in model.layers}


def _treatment_text(graph: Graph, name: str, head: str | None) -> str:
    layer = graph.layers[name]
    reason = float_reason(layer)
    if reason:
        return f"float: {reason}"
    if neighbour := shares_float_scale(graph, name):
        return f"float: it has one scale with {neighbour}, which stays float"
    if isinstance(layer, layers.InputLayer):
        return "after training" if graph.sees_integers(name) else "simulated"
    if head is None:
        return "after training"
    return "simulated" if head == name else f"fused with {head}"


def _can_be_simulated(graph: Graph, name: str, chosen: Mapping[str, None]) -> bool:
    layer = graph.layers[name]
    if type(layer) is layers.BatchNormalization:
        return folds_into(graph, name) in chosen
    if type(layer) is layers.SeparableConv2D:
        return not graph.is_shared(name)
    return treatment(layer) is not None
