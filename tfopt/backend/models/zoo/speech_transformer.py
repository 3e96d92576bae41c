"""Keyword Transformer: attention over the windows of a recording, on features or on samples."""

from __future__ import annotations

from functools import partial

import tensorflow as tf
import tf_keras
from tf_keras import layers

from tfopt.backend.data.splits import OutputSizes
from tfopt.backend.layers import PositionEmbedding
from tfopt.backend.models.zoo._parts import ExampleShape, Output, classifier
from tfopt.backend.models.zoo._speech import Features, speech_input
from tfopt.backend.models.zoo._transformer import Activation, check_heads, initial, normalization, pre_norm_block


def build(
    input_shape: ExampleShape,
    num_outputs: int | OutputSizes,
    *,
    width: int = 64,
    heads: int = 4,
    blocks: int = 3,
    feed_forward_width: int | None = None,
    dropout: float = 0.1,
    activation: Activation = "relu",
    features: Features | None = None,
    sample_rate: int | None = None,
    window_ms: float = 40,
    hop_ms: float = 20,
    bands: int = 40,
    coefficients: int = 10,
    output: Output = "softmax",
) -> tf_keras.Model:
    """Each window is a position (Berg, O'Connor, Cruz 2021, arXiv:2104.00769), normalized before each half of a block.

    Args:
        input_shape: (frames, bands or coefficients), or (samples,) with `features`.
        num_outputs: classes.
        width: of the vector of a window.
        heads: of each attention layer; they divide the width.
        blocks: number of blocks.
        feed_forward_width: units between the two feed-forward layers; twice the width if absent.
        dropout: share dropped in training after each half of a block.
        activation: of the feed-forward layers; `relu` is the cheapest one in 8 bits.
        features: `log_mel` or `mfcc`, computed of samples by the model, in float operators of TFLite.
        sample_rate: samples per second; known from WAV files. For `features`.
        window_ms: length of a window, in milliseconds. For `features`.
        hop_ms: from the beginning of a window to that of the next, in milliseconds. For `features`.
        bands: mel bands. For `features`.
        coefficients: of an MFCC. For `features`.
        output: what follows the layer `logits`.
    """
    check_heads("speech_transformer", width, heads)
    inputs, x = speech_input(
        input_shape, "speech_transformer", features, sample_rate, window_ms, hop_ms, bands, coefficients
    )
    x = layers.Dense(width, kernel_initializer=initial(), name="frame_embedding")(x)
    x = PositionEmbedding(x.shape[1], name="position_embedding")(x)
    for number in range(1, blocks + 1):
        block = f"block{number}"
        attend = partial(_attended, heads=heads, name=f"{block}_attention")
        x = pre_norm_block(x, block, attend, feed_forward_width or 2 * width, activation, dropout)
    x = layers.GlobalAveragePooling1D(name="pool")(normalization("layer_norm", "final_norm", 1e-5)(x))
    return classifier(inputs, x, num_outputs, output, "speech_transformer")


def _attended(x: tf.Tensor, heads: int, name: str) -> tf.Tensor:
    return layers.MultiHeadAttention(heads, x.shape[-1] // heads, kernel_initializer=initial(), name=name)(x, x)
