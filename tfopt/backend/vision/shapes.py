"""Drawn objects: five shapes of any proportions, shaded, as grey images like those of MNIST."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw

from tfopt.backend.types import Array

NAMES = ("disc", "box", "triangle", "ring", "cross")
"""What labels 0 to 4 are called."""
_SIZE, _FINER = 28, 4


def drawn_shapes(n: int, seed: int) -> tuple[Array, Array]:
    """Objects for `scenes.Objects`.

    Args:
        n: how many.
        seed: of their proportions, angles and shades.

    Returns:
        Images (n, 28, 28) uint8, 0 where there is nothing, and labels (n,).
    """
    random = np.random.default_rng(seed)
    labels = (np.arange(n) % len(NAMES)).astype(np.int32)
    return np.stack([_drawn(NAMES[label], random) for label in labels]), labels


def _drawn(name: str, random: np.random.Generator) -> Array:
    side = _SIZE * _FINER
    image = Image.new("L", (side, side))
    draw = ImageDraw.Draw(image)
    width, height = random.uniform(0.75, 0.95, 2) * side / 2
    middle, angle = side / 2, random.uniform(-0.4, 0.4)
    box = [middle - width, middle - height, middle + width, middle + height]
    if name == "disc":
        draw.ellipse(box, fill=255)
    elif name == "ring":
        draw.ellipse(box, outline=255, width=int(random.uniform(0.16, 0.22) * side))
    elif name == "box":
        corners = [(-0.75, -0.75), (0.75, -0.75), (0.75, 0.75), (-0.75, 0.75)]
        draw.polygon(_turned(corners, width, height, angle, middle), fill=255)
    elif name == "triangle":
        draw.polygon(_turned([(0, -1), (0.9, 0.75), (-0.9, 0.75)], width, height, angle, middle), fill=255)
    else:
        arm = random.uniform(0.2, 0.3)
        for long, wide in ((1, arm), (arm, 1)):
            corners = [(-long, -wide), (long, -wide), (long, wide), (-long, wide)]
            draw.polygon(_turned(corners, width, height, angle, middle), fill=255)
    grey = np.asarray(image.resize((_SIZE, _SIZE), Image.Resampling.BOX), dtype=np.float32)
    shade = np.linspace(random.uniform(0.5, 1), random.uniform(0.5, 1), _SIZE, dtype=np.float32)
    result: Array = (grey * shade).astype(np.uint8)
    return result


def _turned(
    corners: list[tuple[float, float]], width: float, height: float, angle: float, middle: float
) -> list[tuple[float, float]]:
    cosine, sine = math.cos(angle), math.sin(angle)
    return [
        (middle + width * x * cosine - height * y * sine, middle + width * x * sine + height * y * cosine)
        for x, y in corners
    ]
