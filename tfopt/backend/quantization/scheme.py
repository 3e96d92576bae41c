"""tfmot's 8-bit scheme with corrected parts, through tfmot's own extension points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tf_keras
from tensorflow_model_optimization.quantization.keras import QuantizeLayoutTransform, QuantizeScheme
from tensorflow_model_optimization.quantization.keras.graph_transformations.model_transformer import ModelTransformer

from tfopt.backend.graph.connections import Graph
from tfopt.backend.quantization.fusion import place
from tfopt.backend.quantization.registry import EightBitRegistry
from tfopt.backend.quantization.transforms import RoundInput

LayerMap = Mapping[str, Mapping[str, Any]]
"""By layer name, what tfmot knows of the layer; its `quantize_config` above all."""


class EightBitLayout(QuantizeLayoutTransform):
    """Says what is rounded where in a model that is in canonical form.

    Args:
        registry: gives each layer its config.
    """

    def __init__(self, registry: EightBitRegistry) -> None:
        self._registry = registry

    def apply(self, model: tf_keras.Model, layer_quantize_map: LayerMap) -> tuple[tf_keras.Model, LayerMap]:
        model, layer_map = ModelTransformer(
            model, [RoundInput()], set(layer_quantize_map), layer_quantize_map
        ).transform()
        graph = Graph(model)
        inputs = {layer.name for layer in model.layers if isinstance(layer, tf_keras.layers.InputLayer)}
        annotated = [name for name in graph.layers if name in layer_map and name not in inputs]
        for name, where in place(graph, annotated).items():
            config = self._registry.config(graph.layers[name], output=where.output)
            layer_map[name] = {"quantize_config": config}
        return model, layer_map


class EightBitScheme(QuantizeScheme):
    """What `quantize_apply` is given.

    Args:
        registry: gives each layer its config.
    """

    def __init__(self, registry: EightBitRegistry) -> None:
        self._registry = registry

    def get_layout_transformer(self) -> EightBitLayout:
        return EightBitLayout(self._registry)

    def get_quantize_registry(self) -> EightBitRegistry:
        return self._registry
