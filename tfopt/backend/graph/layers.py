"""The one walker over the layers of a model, and the one over its calls; every other file filters what they yield."""

from __future__ import annotations

from collections.abc import Iterator

import tf_keras

from tfopt.backend.compat.keras_graph import Node


def fused_lstms(model: tf_keras.Model) -> tuple[str, ...]:
    """The layers that the converter can compute by its fused LSTM, in order; one of both directions twice.

    Args:
        model: as in `layer_paths`.
    """
    found: list[str] = []
    for _, layer in layer_paths(model):
        parts = [getattr(layer, side, None) for side in ("forward_layer", "backward_layer")]
        found += [layer.name for part in (layer, *parts) if isinstance(part, tf_keras.layers.LSTM)]
    return tuple(found)


def layer_paths(model: tf_keras.Model, prefix: str = "") -> Iterator[tuple[str, tf_keras.layers.Layer]]:
    """Path and layer of each layer, in the model's order; a nested model is replaced by its layers.

    A layer or nested model that is used in two nested models is visited at each of its paths.

    Args:
        model: built; its wrappers (`Bidirectional`, `TimeDistributed`, those of tfmot) are layers, and are not entered.
        prefix: path of the model itself, ending in "/".
    """
    for layer in model.layers:
        if isinstance(layer, tf_keras.Model):
            yield from layer_paths(layer, f"{prefix}{layer.name}/")
        else:
            yield f"{prefix}{layer.name}", layer


def layer_type(layer: tf_keras.layers.Layer) -> str:
    """The type of a layer as its author knows it: in rules, tables and messages.

    For a layer of a user's own class that the bridge wraps or opens, that class; else the layer's own.
    """
    opened: str | None = getattr(layer, "own_type", None)
    return opened or type(getattr(layer, "wrapped", layer)).__name__


def own_types(model: tf_keras.Model) -> dict[str, str]:
    """By layer name, the user's class of the innermost opened layer that it is inside of, if there is one."""
    found: dict[str, str] = {}

    def walk(inside: tf_keras.Model, own: str | None) -> None:
        for layer in inside.layers:
            if isinstance(layer, tf_keras.Model):
                walk(layer, getattr(layer, "own_type", None) or own)
            elif own is not None:
                found.setdefault(layer.name, own)

    walk(model, getattr(model, "own_type", None))
    return found


def containers(model: tf_keras.Model) -> dict[str, tuple[tuple[str, str], ...]]:
    """Name and type of the nested models and opened layers around each layer, from the outside in, by layer name."""
    found: dict[str, tuple[tuple[str, str], ...]] = {}

    def walk(inside: tf_keras.Model, around: tuple[tuple[str, str], ...]) -> None:
        for layer in inside.layers:
            if isinstance(layer, tf_keras.Model):
                walk(layer, (*around, (layer.name, layer_type(layer))))
            else:
                found.setdefault(layer.name, around)

    walk(model, ())
    return found


def leaf_layers(model: tf_keras.Model, *, weighted: bool = False) -> Iterator[tf_keras.layers.Layer]:
    """The layers of `layer_paths`, each once, without input layers.

    Args:
        model: as for `layer_paths`.
        weighted: only layers with weights.
    """
    seen: set[int] = set()
    for _, layer in layer_paths(model):
        if id(layer) in seen or isinstance(layer, tf_keras.layers.InputLayer) or (weighted and not layer.weights):
            continue
        seen.add(id(layer))
        yield layer


def all_layers(layer: tf_keras.layers.Layer, *, include_self: bool = False) -> Iterator[tf_keras.layers.Layer]:
    """Every layer object inside a model or layer: nested models, their layers, and layers inside wrappers.

    Args:
        layer: a model or a layer.
        include_self: whether `layer` itself comes first.
    """
    yield from layer._flatten_layers(include_self=include_self)


def nodes(model: tf_keras.Model) -> Iterator[Node]:
    """The calls that make up a functional or built sequential model, producers first, inputs included.

    Args:
        model: a nested model is one call; nothing is yielded for a model whose connections are not known.
    """
    by_depth = getattr(model, "_nodes_by_depth", {})
    for depth in sorted(by_depth, reverse=True):
        yield from by_depth[depth]
