"""Backgrounds that look photographed enough: colour gradients, stripes and blotches under uneven light."""

from __future__ import annotations

import numpy as np

from tfopt.backend.types import Array


def texture(random: np.random.Generator, size: tuple[int, int]) -> Array:
    """A background.

    Args:
        random: what it is drawn from.
        size: height and width in pixels.

    Returns:
        (height, width, 3) float32 in [0, 1].
    """
    rows, columns = np.meshgrid(np.linspace(0, 1, size[0]), np.linspace(0, 1, size[1]), indexing="ij")
    pattern = np.zeros(size)
    for _ in range(3):
        frequency, phase = random.uniform(1, 9, 2), random.uniform(0, 2 * np.pi)
        pattern += random.uniform(0.2, 1) * np.sin(2 * np.pi * (frequency[0] * rows + frequency[1] * columns) + phase)
    pattern = 0.5 + pattern / 6 + 0.15 * _blotches(random, size)
    one, other = random.uniform(0.1, 0.9, (2, 3))
    image = one * pattern[..., np.newaxis] + other * (1 - pattern[..., np.newaxis])
    return image.clip(0, 1).astype(np.float32)


def photographed(random: np.random.Generator, image: Array) -> Array:
    """An image under light from one side, with the noise of a sensor, (height, width, 3) in [0, 1]."""
    rows, columns = np.meshgrid(*(np.linspace(-1, 1, side) for side in image.shape[:2]), indexing="ij")
    slope = random.uniform(-0.2, 0.2, 2)
    light = random.uniform(0.8, 1.1) + slope[0] * rows + slope[1] * columns
    lit = image * light[..., np.newaxis] + random.normal(0, 0.02, image.shape)
    result: Array = lit.clip(0, 1).astype(np.float32)
    return result


def _blotches(random: np.random.Generator, size: tuple[int, int]) -> Array:
    """Noise of a few pixels' size in [-1, 1]."""
    coarse = random.uniform(-1, 1, (size[0] // 4 + 2, size[1] // 4 + 2))
    result: Array = np.kron(coarse, np.ones((4, 4)))[: size[0], : size[1]]
    return result
