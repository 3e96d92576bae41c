"""Losses that tf_keras lacks.

| file | question it answers |
|---|---|
| `pixels` | Which losses fit maps whose classes cover areas of very different size: focal, Dice? |
| `detection` | How wrong are boxes and classes on anchors, of which most are to find nothing? |
| `weighted` | What is the mean of a loss where examples have weights? |
"""

from tfopt.backend.training.losses.detection import BoxHuber, HardNegativeCrossentropy
from tfopt.backend.training.losses.pixels import (
    BinaryDiceCrossentropy,
    SparseCategoricalDiceCrossentropy,
    SparseCategoricalFocalCrossentropy,
)

__all__ = [
    "BinaryDiceCrossentropy",
    "BoxHuber",
    "HardNegativeCrossentropy",
    "SparseCategoricalDiceCrossentropy",
    "SparseCategoricalFocalCrossentropy",
]
