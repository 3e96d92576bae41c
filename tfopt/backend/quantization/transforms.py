"""The one change of the graph that tfmot's transformer still makes: rounding at the inputs.

tfmot's transforms that move roundings are replaced by `tfopt.backend.quantization.fusion`, and those that split
layers by `tfopt.backend.quantization.canonical`, which can restore the original layers; `SeparableConv1DQuantize` also
inserts Lambda layers that tf_keras refuses to read back (keras-team/tf-keras #44).
"""

from __future__ import annotations

import tensorflow as tf
from tensorflow_model_optimization.quantization.keras.default_8bit import default_8bit_transforms
from tensorflow_model_optimization.quantization.keras.graph_transformations.transforms import LayerNode

from tfopt.backend.compat.tfmot_quantization import QuantizeLayer
from tfopt.backend.quantization.quantizers import InputQuantizer


def rounded_name(name: str) -> str:
    """Name of the layer that rounds an input."""
    return f"{name}_rounded"


class RoundInput(default_8bit_transforms.InputLayerQuantize):
    """Rounds the inputs of the model, except integers: tfmot's transform raises TypeError on those.

    The new layer is named after the input, so that the same model always gets the same names.
    """

    def replacement(self, match_layer: LayerNode) -> LayerNode:
        config = match_layer.layer["config"]
        if not tf.as_dtype(config.get("dtype") or "float32").is_floating:
            return match_layer
        node = super().replacement(match_layer)
        node.layer["name"] = node.layer["config"]["name"] = rounded_name(config["name"])
        quantizer = InputQuantizer()
        node.layer["config"]["quantizer"] = {"class_name": "InputQuantizer", "config": quantizer.get_config()}
        return node

    def custom_objects(self) -> dict[str, type]:
        return {"QuantizeLayer": QuantizeLayer, "InputQuantizer": InputQuantizer}
