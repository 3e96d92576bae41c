"""One step of rewriting: every layer to which one of some rewrites applies is computed by other layers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import tf_keras
from tf_keras import layers

from tfopt.backend.compat.keras_graph import Node
from tfopt.backend.graph.connections import Graph
from tfopt.backend.graph.layers import nodes
from tfopt.backend.quantization.canonical.copying import copy_layer, copy_state, readable
from tfopt.backend.quantization.canonical.replay import Args, Kwargs, Tensors, rebuild
from tfopt.backend.quantization.canonical.rewrite import Rewrite, RewriteSite
from tfopt.backend.quantization.canonical.weights import LayerWeights, leaf
from tfopt.backend.types import Array, Nested


@dataclass(frozen=True)
class RewriteStep:
    """The result of one step of rewriting a flat model.

    Args:
        before: the model that was rewritten.
        after: the new model; layers to which no rewrite applies keep their names.
        sites: the rewritten layers, by name.
        chosen: the rewrite of each.
        tensors: the new model's tensors, by the identity of the old one's.
        titles: what was done, by name of a layer, in addition to the titles of `chosen`.
    """

    before: tf_keras.Model
    after: tf_keras.Model
    sites: Mapping[str, RewriteSite]
    chosen: Mapping[str, Rewrite]
    tensors: Tensors
    titles: Mapping[str, str] = field(default_factory=dict)

    def title(self, name: str) -> str:
        """What was done to a layer of the old model, for the plan; empty if nothing that a user needs to see."""
        return self.chosen[name].title if name in self.chosen else self.titles.get(name, "")

    def new_layers(self, name: str) -> tuple[str, ...]:
        """Names of the new layers that compute a layer of the old model, without those whose outputs are not used."""
        names = self.sites[name].made if name in self.sites else (name,)
        used = {layer.name for layer in self.after.layers}
        return tuple(name for name in names if name in used)

    def restore(self, weights: LayerWeights) -> dict[str, Sequence[Array]]:
        """Weights of the layers of the old model, computed from those of the new one's."""
        by_name = {
            layer.name: dict(zip(map(leaf, layer.weights), weights[layer.name], strict=True))
            for layer in self.after.layers
        }
        restored: dict[str, Sequence[Array]] = {}
        for layer in self.before.layers:
            if layer.weights and layer.name in self.chosen:
                restored[layer.name] = self.chosen[layer.name].restore(self.sites[layer.name], by_name)
            elif layer.weights:
                restored[layer.name] = weights[layer.name]
            else:
                restored[layer.name] = []
        return restored


def apply_rewrites(model: tf_keras.Model, rewrites: Sequence[Rewrite]) -> RewriteStep | None:
    """Rewrites a flat model once; the model is not changed.

    Args:
        model: functional, without nested models.
        rewrites: the first that applies to a layer is taken.

    Returns:
        None if no rewrite applies to any layer.
    """
    sites = sites_of(model)
    chosen = {
        name: rewrite
        for name, site in sites.items()
        if not site.is_masked and (rewrite := next((one for one in rewrites if one.applies(site)), None)) is not None
    }
    if not chosen:
        return None
    copies: dict[str, tuple[layers.Layer, layers.Layer]] = {}

    def copied(layer: layers.Layer) -> layers.Layer:
        if layer.name not in copies:
            copies[layer.name] = (layer, copy_layer(layer, layer.name))
        return copies[layer.name][1]

    def make_call(node: Node, args: Args, kwargs: Kwargs) -> Nested:
        name = node.layer.name
        if name in chosen:
            return chosen[name].replace(sites[name], *args, **kwargs)
        return copied(node.layer)(*args, **kwargs)

    with readable(model):
        after, tensors = rebuild(model, make_call, copied)
        for layer, copy in copies.values():
            copy_state(layer, copy)
    for name in chosen:
        sites[name].set_weights()
    return RewriteStep(model, after, {name: sites[name] for name in chosen}, chosen, tensors)


def sites_of(model: tf_keras.Model) -> dict[str, RewriteSite]:
    """The layers of a flat model that are called, by name."""
    graph = Graph(model)
    calls: dict[str, list[Node]] = defaultdict(list)
    for node in nodes(model):
        if not node.is_input:
            calls[node.layer.name].append(node)
    taken = set(graph.layers)
    return {name: RewriteSite(graph, graph.layers[name], found, taken) for name, found in calls.items()}
