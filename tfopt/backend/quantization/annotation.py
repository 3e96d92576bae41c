"""Which layers of a model are simulated in 8 bits, which only the converter quantizes, and which stay float."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import tf_keras
from tf_keras import layers

from tfopt.backend.graph.connections import Graph
from tfopt.backend.quantization.canonical import Canonical, OriginalLayer, canonicalize, flattened_layers
from tfopt.backend.quantization.canonical.batch_norm import folds_into
from tfopt.backend.quantization.float_fallback import float_layers, is_between_floats
from tfopt.backend.quantization.fusion import fused_positions
from tfopt.backend.quantization.lstm.simulated import can_be_simulated
from tfopt.backend.quantization.registry import rounding
from tfopt.backend.quantization.traced_floats import traced_floats
from tfopt.core.config.quantization import Quantization, QuantizeRule


def annotated_layers(canonical: Canonical, rules: Sequence[QuantizeRule]) -> tuple[str, ...]:
    """Names of the layers of the canonical model to simulate, in the order of the graph.

    A layer is left to the converter where a rule says skip, or where its type is not in the registry; batch
    normalization also where there is no kernel to fold it into. Rules match layers of the original model;
    one that matches a nested model applies to all layers in it.
    """
    graph = Graph(canonical.model)
    traced = traced_floats(canonical.model)
    chosen: dict[str, None] = {}
    for name in graph.layers:
        if (
            not _is_skipped(canonical.original_of[name], rules)
            and _can_be_simulated(graph, name, chosen)
            and not is_between_floats(graph, name, traced)
        ):
            chosen[name] = None
    return tuple(chosen)


def lstms_to_simulate(canonical: Canonical, rules: Sequence[QuantizeRule]) -> tuple[str, ...]:
    """Names of the LSTMs of the canonical model that round as TFLite's operator does; not in `annotated_layers`."""
    graph = Graph(canonical.model)
    return tuple(
        name
        for name in graph.layers
        if can_be_simulated(graph, name) and not _is_skipped(canonical.original_of[name], rules)
    )


def layer_treatments(model: tf_keras.Model, quantization: Quantization) -> dict[str, str]:
    """How each layer would be treated, without training.

    Args:
        model: a built functional or sequential model.
        quantization: rules of the qat stage.

    Returns:
        By layer name, layers of nested models included: `simulated`; `fused with NAME`, one operator with that layer;
        `after training`, quantized by the converter only; or `float: REASON`. Where a layer is computed by others,
        `, rewritten: HOW` follows.

    Raises:
        StageError: the connections of the layers are not known, or the model cannot be cloned.
    """
    return original_layer_treatments(canonicalize(model), quantization)


def original_layer_treatments(canonical: Canonical, quantization: Quantization) -> dict[str, str]:
    """As `layer_treatments`, for a model of which the canonical form exists already."""
    graph = Graph(canonical.model)
    annotated = annotated_layers(canonical, quantization.layers)
    heads = {name: position.head for name, position in fused_positions(graph, annotated).items()}
    if annotated:
        heads |= {name: name for name in lstms_to_simulate(canonical, quantization.layers)}
    names = canonical.original_names
    texts: dict[str, list[str]] = {original.name: [] for original in canonical.original_layers}
    floats = float_layers(canonical.model, names)
    for name in graph.layers:
        text = f"float: {floats[name]}" if name in floats else _treatment_text(graph, name, heads.get(name), names)
        if text is not None:
            texts[names[name]].append(text)
    how = {rewritten.layer: f", rewritten: {', '.join(rewritten.titles)}" for rewritten in canonical.rewrites}
    shown = {
        layer.name for _, layer in flattened_layers(canonical.original)
    }  # not the hidden InputLayer of a Sequential
    return {name: _worst(found) + how.get(name, "") for name, found in texts.items() if name in shown}


def _worst(texts: Sequence[str]) -> str:
    """The treatment to report of a layer that several layers compute: the one furthest from being simulated."""
    for start in ("float", "after training", "simulated"):
        if found := next((text for text in texts if text.startswith(start)), None):
            return found
    return texts[0] if texts else "simulated"


def _is_skipped(original: OriginalLayer, rules: Sequence[QuantizeRule]) -> bool:
    for rule in reversed(rules):
        if any(rule.applies_to(name, kind) for name, kind in original.rule_targets):
            return rule.skip
    return False


def _treatment_text(graph: Graph, name: str, head: str | None, names: Mapping[str, str]) -> str | None:
    """None for a layer that is part of an operator of the same original."""
    layer = graph.layers[name]
    if isinstance(layer, layers.InputLayer):
        return "after training" if graph.sees_integers(name) else "simulated"
    if head is None:
        return "after training"
    if head == name:
        return "simulated"
    return None if names[head] == names[name] else f"fused with {names[head]}"


def _can_be_simulated(graph: Graph, name: str, chosen: Mapping[str, None]) -> bool:
    layer = graph.layers[name]
    # tfmot's wrappers pass a mask to layers that do not accept one (TypeError), and return none.
    if graph.is_masked(name):
        return False
    if type(layer) is layers.BatchNormalization:
        return folds_into(graph, name) in chosen
    return rounding(layer) is not None
