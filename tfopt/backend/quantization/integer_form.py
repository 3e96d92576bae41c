"""What an int8 file is converted from without a qat stage: the model itself, or one whose masks are tensors."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import tf_keras

from tfopt.backend.quantization.canonical import Canonical, canonicalize
from tfopt.backend.quantization.canonical.masks.explicit import has_masks
from tfopt.backend.quantization.canonical.rewrites.attention.multi_head_attention import MultiHeadAttention
from tfopt.backend.types import Shape

_PASSES = ((MultiHeadAttention(),),)
"""Where masks are tensors, the projections, scores and weights of attention must be layers of their own."""


def integer_form(model: tf_keras.Model, shapes: Mapping[str, Shape] = MappingProxyType({})) -> Canonical | None:
    """The form of a model with masks that the converter can calibrate and compute in integers; same outputs.

    Without it the converter sets masked scores to -1e9, next to which 8 bits hold nothing else, divides the sums of
    masked pooling, which stops LiteRT's reference kernels, and casts masks in float (TF 2.21).

    Args:
        model: a float model.
        shapes: of one example, by name of an input with open axes: loops with a mask need a fixed number of steps.

    Returns:
        None for a model without masks, which is converted as it is.

    Raises:
        StageError: the connections of the layers are not known, or a layer cannot be cloned.
    """
    return canonicalize(model, _PASSES, shapes) if has_masks(model) else None
