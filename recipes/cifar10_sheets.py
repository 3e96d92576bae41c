"""Reads CIFAR-10 (Krizhevsky 2009) from sheets of 1,000 images: lossless PNGs with one image of 32 x 32 x 3 a row."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

Examples = tuple[np.ndarray, np.ndarray]

_TEST = 50
"""Number of the sheet with the first 1,000 test images."""


def load(folder: str) -> tuple[Examples, Examples]:
    """The sheets of a folder.

    Args:
        folder: holds `cifar10_batch_N.png` and `cifar10_labels.js`, as in github.com/taneishi/convnetjs, demo/cifar10.

    Returns:
        (images, labels) for training and for testing: (n, 32, 32, 3) float32 from 0 to 1, labels (n,).
    """
    labels = np.array(
        json.loads((Path(folder) / "cifar10_labels.js").read_text().split("=")[1].strip(" ;\n")), np.int32
    )
    numbers = sorted(int(path.stem.rpartition("_")[2]) for path in Path(folder).glob("cifar10_batch_*.png"))
    sheets = {number: _sheet(Path(folder) / f"cifar10_batch_{number}.png") for number in numbers}
    of = {number: labels[1000 * number : 1000 * (number + 1)] for number in numbers}
    train = [number for number in numbers if number < _TEST]
    images = np.concatenate([sheets[number] for number in train])
    return (images, np.concatenate([of[number] for number in train])), (sheets[_TEST], of[_TEST])


def _sheet(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image, np.float32).reshape(-1, 32, 32, 3) / 255
