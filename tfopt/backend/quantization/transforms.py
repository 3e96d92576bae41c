"""Changes of the graph before it is wrapped: rounding at the inputs, and SeparableConv2D as its two operators.

Of tfmot's other transforms, those that only move roundings are replaced by `tfopt.backend.quantization.placement`,
which says why; and `SeparableConv1DQuantize` is left out, because it inserts Lambda layers that tf_keras refuses to
read back (keras-team/tf-keras #44).
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from tensorflow_model_optimization.python.core.quantization.keras.quantize_layer import QuantizeLayer
from tensorflow_model_optimization.quantization.keras.default_8bit import default_8bit_transforms
from tensorflow_model_optimization.quantization.keras.graph_transformations.transforms import LayerNode

from tfopt.backend.quantization.quantizers import InputQuantizer


def depthwise_name(name: str) -> str:
    """Name of the first half of the SeparableConv2D `name`."""
    return f"{name}_depthwise"


def pointwise_name(name: str) -> str:
    """Name of the second half of the SeparableConv2D `name`."""
    return f"{name}_pointwise"


class RoundInput(default_8bit_transforms.InputLayerQuantize):
    """Rounds the inputs of the model, except integers: tfmot's transform raises TypeError on those.

    The new layer is named after the input, so that the same model always gets the same names.
    """

    def replacement(self, match_layer: LayerNode) -> LayerNode:
        config = match_layer.layer["config"]
        if not tf.as_dtype(config.get("dtype") or "float32").is_floating:
            return match_layer
        node = super().replacement(match_layer)
        _rename(node, f"{config['name']}_rounded")
        quantizer = InputQuantizer()
        node.layer["config"]["quantizer"] = {"class_name": "InputQuantizer", "config": quantizer.get_config()}
        return node

    def custom_objects(self) -> dict[str, Any]:
        return {"QuantizeLayer": QuantizeLayer, "InputQuantizer": InputQuantizer}


class SplitSeparableConv(default_8bit_transforms.SeparableConvQuantize):
    """tfmot's split of a SeparableConv2D into its two halves, with names by which the weights find their way back."""

    def replacement(self, match_layer: LayerNode) -> LayerNode:
        name = match_layer.layer["config"]["name"]
        pointwise = super().replacement(match_layer)
        if pointwise is not match_layer:
            _rename(pointwise, pointwise_name(name))
            _rename(pointwise.input_layers[0], depthwise_name(name))
        return pointwise


def _rename(node: LayerNode, name: str) -> None:
    node.layer["name"] = name
    node.layer["config"]["name"] = name
