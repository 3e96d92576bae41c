"""Keras 3 models that nothing here can compute, refused before anything is converted."""

from __future__ import annotations

import keras

from tfopt.backend.compat import keras_3
from tfopt.errors import StageError


def refuse_what_cannot_run(model: keras.Model) -> None:
    """Refuses layers in channels_first, and such as are quantized already.

    Raises:
        StageError: names the layer.
    """
    for layer in keras_3.all_layers(model):
        if getattr(layer, "data_format", None) == "channels_first":
            raise StageError(
                f"The layer {layer.name!r} has data_format 'channels_first', which neither TensorFlow on a CPU nor "
                "TFLite can compute.",
                "Rebuild the model with data_format='channels_last'.",
                code="bridge_failed",
            )
        if layer.quantization_mode is not None:
            raise StageError(
                f"The layer {layer.name!r} has the dtype policy {layer.dtype_policy.name!r}: it is quantized already.",
                "Convert the model as it was before model.quantize(...): tfopt quantizes it by the recipe.",
                code="bridge_failed",
            )
