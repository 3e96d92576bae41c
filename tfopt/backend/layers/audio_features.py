"""A layer that computes features of recordings inside of a model."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import tensorflow as tf
import tf_keras

from tfopt.backend.audio import tensors
from tfopt.backend.audio.settings import FeatureSettings
from tfopt.backend.types import LayerArguments, Shape

if TYPE_CHECKING:
    from typing import Unpack


@tf_keras.utils.register_keras_serializable("tfopt")
class AudioFeatures(tf_keras.layers.Layer):
    """Log-mel energies or MFCCs of samples, (batch, samples) to (batch, frames, bands or coefficients).

    Args:
        settings: what is computed.
        arguments: of every layer.
    """

    def __init__(self, settings: FeatureSettings, **arguments: Unpack[LayerArguments]) -> None:
        super().__init__(**arguments)
        self.settings = settings

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Features of samples."""
        return tensors.features(inputs, self.settings)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The batch, then frames and bands or coefficients."""
        return (input_shape[0], *self.settings.shape)

    def get_config(self) -> dict[str, object]:
        """What the layer can be made of again."""
        return {**super().get_config(), "settings": asdict(self.settings)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> AudioFeatures:
        """A layer of what `get_config` returned."""
        rest = {name: value for name, value in config.items() if name != "settings"}
        return cls(FeatureSettings.from_config(config["settings"]), **rest)
