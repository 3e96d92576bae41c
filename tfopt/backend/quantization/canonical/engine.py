"""One round of rewriting: every layer that one of some rewrites is for is computed by others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tf_keras

from tfopt.backend.graph.connections import Graph
from tfopt.backend.quantization.canonical.copying import copy_layer, copy_state, readable
from tfopt.backend.quantization.canonical.replay import Tensors, nodes, rebuilt
from tfopt.backend.quantization.canonical.rewrite import Rewrite, RewriteSite
from tfopt.backend.quantization.canonical.weights import LayerWeights, leaf


@dataclass(frozen=True)
class Round:
    """What one round of rewriting did to a flat model.

    Args:
        before: the model it was given.
        after: the model it made; layers that no rewrite is for have kept their names.
        sites: the rewritten layers, by name.
        chosen: the rewrite of each.
        tensors: the new model's tensors, by the identity of the old one's.
    """

    before: tf_keras.Model
    after: tf_keras.Model
    sites: Mapping[str, RewriteSite]
    chosen: Mapping[str, Rewrite]
    tensors: Tensors

    def made(self, name: str) -> tuple[str, ...]:
        """Names of the new layers that stand for a layer of the old model, without those whose result nobody wants."""
        names = self.sites[name].made if name in self.sites else (name,)
        used = {layer.name for layer in self.after.layers}
        return tuple(name for name in names if name in used)

    def restore(self, weights: LayerWeights) -> dict[str, Sequence[np.ndarray]]:
        """Weights of the layers of the old model, from those of the new one's."""
        by_name = {
            layer.name: dict(zip(map(leaf, layer.weights), weights[layer.name], strict=True))
            for layer in self.after.layers
        }
        restored: dict[str, Sequence[np.ndarray]] = {}
        for layer in self.before.layers:
            if layer.weights and layer.name in self.chosen:
                restored[layer.name] = self.chosen[layer.name].restore(self.sites[layer.name], by_name)
            elif layer.weights:
                restored[layer.name] = weights[layer.name]
            else:
                restored[layer.name] = []
        return restored


def rewrite(model: tf_keras.Model, rewrites: Sequence[Rewrite]) -> Round | None:
    """Rewrites a flat model once; the model is not changed.

    Args:
        model: functional, without nested models.
        rewrites: the first that applies to a layer is taken.

    Returns:
        What was done; None if no rewrite applies to any layer.
    """
    sites = _sites(model)
    chosen = {
        name: rewrite
        for name, site in sites.items()
        if not site.is_masked and (rewrite := next((one for one in rewrites if one.applies(site)), None)) is not None
    }
    if not chosen:
        return None
    copies: dict[str, tuple[Any, Any]] = {}

    def copied(layer: Any) -> Any:
        if layer.name not in copies:
            copies[layer.name] = (layer, copy_layer(layer, layer.name))
        return copies[layer.name][1]

    def called(node: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        name = node.layer.name
        if name in chosen:
            return chosen[name].replace(sites[name], *args, **kwargs)
        return copied(node.layer)(*args, **kwargs)

    with readable(model):
        after, tensors = rebuilt(model, called, copied)
        for layer, copy in copies.values():
            copy_state(layer, copy)
    for name in chosen:
        sites[name].set_weights()
    return Round(model, after, {name: sites[name] for name in chosen}, chosen, tensors)


def _sites(model: tf_keras.Model) -> dict[str, RewriteSite]:
    graph = Graph(model)
    calls: dict[str, list[Any]] = defaultdict(list)
    for node in nodes(model):
        if not node.is_input:
            calls[node.layer.name].append(node)
    taken = set(graph.layers)
    return {name: RewriteSite(graph, graph.layers[name], found, taken) for name, found in calls.items()}
