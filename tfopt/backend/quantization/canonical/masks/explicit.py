"""A flat model through which no Keras mask flows: every mask is a tensor that layers get as an input."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf
import tf_keras
from tf_keras import layers

from tfopt.backend.compat.keras_graph import Node
from tfopt.backend.graph.layers import nodes
from tfopt.backend.quantization.canonical.copying import copy_layer, copy_state, readable
from tfopt.backend.quantization.canonical.engine import RewriteStep, sites_of
from tfopt.backend.quantization.canonical.masks.calls import Mask, MaskedCall
from tfopt.backend.quantization.canonical.masks.rules import is_causal, makes_masks, rule_of
from tfopt.backend.quantization.canonical.replay import Args, Kwargs, rebuild
from tfopt.backend.quantization.canonical.rewrite import RewriteSite
from tfopt.backend.types import Nested

_MASK_ARGUMENTS = ("mask", "attention_mask", "query_mask", "value_mask", "key_mask")


def has_masks(model: tf_keras.Model) -> bool:
    """Whether a mask begins in a model or in one nested in it, or a layer is called with one."""
    return any(
        makes_masks(node.layer)
        or is_causal(node.layer, node.call_kwargs)
        or (isinstance(node.layer, tf_keras.Model) and has_masks(node.layer))
        or any(getattr(tensor, "_keras_mask", None) is not None for tensor in tf.nest.flatten(node.outputs))
        or any(node.call_kwargs.get(name) is not None for name in _MASK_ARGUMENTS)
        for node in nodes(model)
        if not node.is_input
    )


def explicit_masks(model: tf_keras.Model) -> RewriteStep | None:
    """Makes the masks of a flat model part of its graph; the model is not changed.

    Args:
        model: functional, without nested models.

    Returns:
        None if it has none. Layers with weights keep their names and the order of their weights.
    """
    if not has_masks(model):
        return None
    builder = _Builder(sites_of(model))
    with readable(model):
        after, tensors = rebuild(model, builder.call, builder.copy)
        for layer, copy in builder.copies.values():
            copy_state(layer, copy)
    for name in builder.titles:
        builder.sites[name].set_weights()
    return RewriteStep(
        model, after, {name: builder.sites[name] for name in builder.titles}, {}, tensors, builder.titles
    )


class _Builder:
    """Makes the calls of the new model, and keeps the masks of its tensors.

    Args:
        sites: the layers of the old model, by name.
    """

    def __init__(self, sites: Mapping[str, RewriteSite]) -> None:
        self.sites = sites
        self.copies: dict[str, tuple[layers.Layer, layers.Layer]] = {}
        self.titles: dict[str, str] = {}
        self._masks: dict[int, tf.Tensor] = {}
        self._alive: list[Nested] = []  # the identities of tensors are keys

    def copy(
        self,
        layer: layers.Layer,
        changes: Mapping[str, object] | None = None,
        kind: type[layers.Layer] | None = None,
    ) -> layers.Layer:
        if layer.name not in self.copies:
            self.copies[layer.name] = (layer, copy_layer(layer, layer.name, changes, kind))
        copy = self.copies[layer.name][1]
        if layer.name in self.sites:
            self.sites[layer.name].keep(copy)
        return copy

    def call(self, node: Node, args: Args, kwargs: Kwargs) -> Nested:
        layer = node.layer
        given = {key: value for key, value in kwargs.items() if key != "mask"}
        passed = tf.nest.map_structure(self._mask_of, args[0]) if args else None
        mask = kwargs["mask"] if kwargs.get("mask") is not None else passed
        if not (
            makes_masks(layer)
            or is_causal(layer, given)
            or any(part is not None for part in tf.nest.flatten(mask))
            or any(self._mask_of(value) is not None for value in tf.nest.flatten((args, given)))
            or any(given.get(name) is not None for name in _MASK_ARGUMENTS)
        ):
            return self.copy(layer)(*args, **given)
        call = MaskedCall(self.sites[layer.name], args, given, mask, self._mask_of, self.copy)
        rule = rule_of(call)
        self.titles.setdefault(layer.name, rule.title)
        outputs, found = rule.make(call)
        for output, behind in zip(tf.nest.flatten(outputs), tf.nest.flatten(found), strict=False):
            if behind is not None:
                self._masks[id(output)] = behind
                self._alive.append(output)
        return outputs

    def _mask_of(self, tensor: Nested) -> Mask:
        return self._masks.get(id(tensor))
