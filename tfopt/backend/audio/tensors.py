"""Log-mel energies and MFCCs in operations of TensorFlow that TFLite has: RFFT2D, products, LOG."""

from __future__ import annotations

from math import gcd

import numpy as np
import tensorflow as tf

from tfopt.backend.audio.features import cosines, hann, mel_filters
from tfopt.backend.audio.settings import FeatureSettings


def features(samples: tf.Tensor, settings: FeatureSettings) -> tf.Tensor:
    """The features of recordings, (batch, frames, bands or coefficients).

    Args:
        samples: (batch, samples) float32 between -1 and 1, of the length in the settings.
        settings: what is computed.
    """
    windowed = _frames(samples, settings) * tf.constant(hann(settings.window), tf.float32)
    spectrum = tf.signal.rfft(windowed, [settings.transform_length])
    # Not tf.abs: TFLite's COMPLEX_ABS takes a root that would be squared again.
    power = tf.square(tf.math.real(spectrum)) + tf.square(tf.math.imag(spectrum))
    bands = tf.matmul(power, tf.constant(mel_filters(settings), tf.float32))
    logarithms = tf.math.log(bands + settings.floor)
    if settings.kind == "mfcc":
        logarithms = tf.matmul(logarithms, tf.constant(cosines(settings), tf.float32))
    return logarithms


def _frames(samples: tf.Tensor, settings: FeatureSettings) -> tf.Tensor:
    """Windows, (batch, frames, window): pieces of their common divisor, of which each window takes several.

    Not `tf.signal.frame`, whose shapes are open in a file.
    """
    piece = gcd(settings.window, settings.hop)
    pieces = tf.reshape(samples[:, : settings.samples // piece * piece], (-1, settings.samples // piece, piece))
    starts = np.arange(settings.frames)[:, np.newaxis] * (settings.hop // piece)
    chosen = tf.gather(pieces, starts + np.arange(settings.window // piece), axis=1)
    return tf.reshape(chosen, (-1, settings.frames, settings.window))
