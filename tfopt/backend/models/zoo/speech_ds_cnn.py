"""DS-CNN for speech commands, on features or on samples: 24,202 parameters at 49x40 and 10 classes."""

from __future__ import annotations

import tensorflow as tf
import tf_keras
from tf_keras import layers

from tfopt.backend.data.splits import OutputSizes
from tfopt.backend.models.zoo._parts import ExampleShape, Output, batch_norm_relu, classifier
from tfopt.backend.models.zoo._speech import Features, speech_input


def build(
    input_shape: ExampleShape,
    num_outputs: int | OutputSizes,
    *,
    filters: int = 64,
    blocks: int = 4,
    dropout: float = 0.2,
    features: Features | None = None,
    sample_rate: int | None = None,
    window_ms: float = 40,
    hop_ms: float = 20,
    bands: int = 40,
    coefficients: int = 10,
    output: Output = "softmax",
) -> tf_keras.Model:
    """Depthwise-separable convolutions (Zhang et al. 2017, arXiv:1711.07128) over windows and bands.

    Args:
        input_shape: (frames, bands or coefficients), or (samples,) with `features`.
        num_outputs: classes.
        filters: of every convolution.
        blocks: number of depthwise-separable blocks.
        dropout: share of the last features that is dropped in training.
        features: `log_mel` or `mfcc`, computed of samples by the model, in float operators of TFLite.
        sample_rate: samples per second; known from WAV files. For `features`.
        window_ms: length of a window, in milliseconds. For `features`.
        hop_ms: from the beginning of a window to that of the next, in milliseconds. For `features`.
        bands: mel bands. For `features`.
        coefficients: of an MFCC. For `features`.
        output: what follows the layer `logits`.
    """
    inputs, x = speech_input(
        input_shape, "speech_ds_cnn", features, sample_rate, window_ms, hop_ms, bands, coefficients
    )
    x = layers.Reshape((*x.shape[1:], 1), name="add_channel")(x)
    x = _normalized(layers.Conv2D(filters, (10, 4), 2, padding="same", use_bias=False, name="stem")(x), "stem")
    for number in range(1, blocks + 1):
        depthwise, pointwise = f"block{number}_depthwise", f"block{number}_pointwise"
        x = _normalized(layers.DepthwiseConv2D(3, padding="same", use_bias=False, name=depthwise)(x), depthwise)
        x = _normalized(layers.Conv2D(filters, 1, use_bias=False, name=pointwise)(x), pointwise)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dropout(dropout, name="dropout")(x) if dropout else x
    return classifier(inputs, x, num_outputs, output, "speech_ds_cnn")


def _normalized(x: tf.Tensor, name: str) -> tf.Tensor:
    # Statistics over some ten steps: a recipe of minutes has a few hundred, and 0.99 would still be on its way.
    return batch_norm_relu(x, name, momentum=0.9)
