"""What the models for speech share: features of sound from the data, or computed in the model."""

from __future__ import annotations

from typing import Literal

import tensorflow as tf
from tf_keras import layers

from tfopt.backend.audio.settings import FeatureSettings
from tfopt.backend.layers import AudioFeatures
from tfopt.backend.models.zoo._parts import ExampleShape
from tfopt.errors import StageError

Features = Literal["log_mel", "mfcc"]


def speech_input(
    input_shape: ExampleShape,
    model: str,
    features: Features | None,
    sample_rate: int | None,
    window_ms: float,
    hop_ms: float,
    bands: int,
    coefficients: int,
) -> tuple[tf.Tensor, tf.Tensor]:
    """The input of a model, and features (frames, bands or coefficients).

    Args:
        input_shape: (frames, bands), or (samples,) where the model is to compute them.
        model: its name, for errors.
        features: what the model computes of samples; None where the data has features.
        sample_rate: samples per second; for samples.
        window_ms: for samples.
        hop_ms: for samples.
        bands: for samples.
        coefficients: for samples.

    Returns:
        The input, and the features; those computed in the model are normalized by the layer `features_norm`.

    Raises:
        StageError: the examples are neither features nor samples, or samples of an unknown rate.
    """
    shape = input_shape if isinstance(input_shape, tuple) else ()
    if len(shape) == 1 and features is not None:
        if sample_rate is None:
            raise StageError(
                f"The model {model} does not know how many samples a second has.",
                "Set model.args.sample_rate; data of WAV files specify it.",
                code="missing_argument",
            )
        settings = FeatureSettings.of_milliseconds(
            features, sample_rate, shape[0], window_ms, hop_ms, bands, coefficients
        )
        inputs = layers.Input(shape, name="samples")
        x = AudioFeatures(settings, name="features")(inputs)
        # The momentum of a few hundred steps: recipes are short.
        return inputs, layers.BatchNormalization(momentum=0.9, name="features_norm")(x)
    if len(shape) == 3 and shape[-1] == 1 and features is None:
        inputs = layers.Input(shape, name="features")
        return inputs, layers.Reshape(shape[:2], name="remove_channel")(inputs)
    if len(shape) != 2 or features is not None:
        fix = "Set model.args.features: log_mel to compute them in the model, or let the data do it."
        if features is not None:
            fix = "Leave model.args.features out, or set data.args.features: samples."
        expected = "samples, (samples,), as args.features is set" if features is not None else "(frames, bands)"
        raise StageError(
            f"The model {model} expects {expected}; the examples have {input_shape}.", fix, code="incompatible_shapes"
        )
    inputs = layers.Input(shape, name="features")
    return inputs, inputs
