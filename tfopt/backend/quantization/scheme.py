"""tfmot's 8-bit scheme with corrected parts, through tfmot's own extension points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

import tf_keras
from tensorflow_model_optimization.quantization.keras import QuantizeLayoutTransform, QuantizeScheme
from tensorflow_model_optimization.quantization.keras.graph_transformations.model_transformer import ModelTransformer

from tfopt.backend.graph.connections import Graph
from tfopt.backend.quantization.fusion import fused_positions, is_read_outside
from tfopt.backend.quantization.lstm.simulated import simulated_lstms
from tfopt.backend.quantization.registry import EightBitRegistry
from tfopt.backend.quantization.transforms import RoundInput
from tfopt.backend.types import Nested

LayerMap: TypeAlias = dict[str, Mapping[str, Nested]]
"""By layer name, tfmot's settings of the layer, of which `quantize_config` is the only one used here."""


class EightBitLayout(QuantizeLayoutTransform):
    """Decides what is rounded at each layer of a model in canonical form.

    Args:
        registry: returns the config of each layer.
    """

    def __init__(self, registry: EightBitRegistry) -> None:
        self._registry = registry

    def apply(self, model: tf_keras.Model, layer_quantize_map: LayerMap) -> tuple[tf_keras.Model, LayerMap]:
        rounded = {*layer_quantize_map, *_inputs_of_lstms(model)}
        model, layer_map = ModelTransformer(model, [RoundInput()], rounded, layer_quantize_map).transform()
        graph = Graph(model)
        inputs = {layer.name for layer in model.layers if isinstance(layer, tf_keras.layers.InputLayer)}
        annotated = [name for name in graph.layers if name in layer_map and name not in inputs]
        rounding = {*annotated, *(layer.name for layer in simulated_lstms(model))}
        for name, position in fused_positions(graph, annotated).items():
            outside = is_read_outside(graph, name, rounding)
            config = self._registry.config(graph.layers[name], position.output, outside)
            layer_map[name] = {"quantize_config": config}
        return model, layer_map


def _inputs_of_lstms(model: tf_keras.Model) -> Iterator[str]:
    """Inputs of the model that LSTMs read: tfmot rounds those only that one of its own wrappers reads."""
    graph = Graph(model)
    for layer in simulated_lstms(model):
        yield from (
            name for name in graph.producers(layer.name) if isinstance(graph.layers[name], tf_keras.layers.InputLayer)
        )


class EightBitScheme(QuantizeScheme):
    """The scheme that `quantize_apply` is called with.

    Args:
        registry: returns the config of each layer.
    """

    def __init__(self, registry: EightBitRegistry) -> None:
        self._registry = registry

    def get_layout_transformer(self) -> EightBitLayout:
        return EightBitLayout(self._registry)

    def get_quantize_registry(self) -> EightBitRegistry:
        return self._registry
