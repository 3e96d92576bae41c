"""Rotary positions (Su et al. 2021, arXiv:2104.09864): queries and keys are turned by an angle that is their position.

The two numbers of a pair lie half a head apart, as in GPT-NeoX and Llama.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfopt.backend.types import Array


def rotary_tables(length: int, head_size: int, base: float = 10_000.0) -> tuple[Array, Array]:
    """Cosines and sines of the angles, each (length, head_size / 2) float32.

    Args:
        length: number of positions, from 0.
        head_size: even.
        base: of the wavelengths: pair i turns by base^(-2i / head_size) per position.
    """
    speeds = base ** (-np.arange(0, head_size, 2, dtype=np.float64) / head_size)
    angles = np.arange(length)[:, np.newaxis] * speeds
    return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)


def rotated(heads: tf.Tensor, cosines: tf.Tensor | Array, sines: tf.Tensor | Array) -> tf.Tensor:
    """Heads turned by the angles of their positions.

    Args:
        heads: (..., positions, head_size).
        cosines: (positions, head_size / 2), the rows of `rotary_tables` for these positions.
        sines: as cosines.
    """
    first, second = tf.split(heads, 2, axis=-1)
    return tf.concat([first * cosines - second * sines, second * cosines + first * sines], axis=-1)
