"""What an int8 file is converted from without a qat stage: the model itself, or one whose masks are tensors."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import tensorflow as tf
import tf_keras
from tf_keras import layers

from tfopt.backend.graph.connections import Graph
from tfopt.backend.quantization.canonical import Canonical, canonicalize
from tfopt.backend.quantization.canonical.masks.explicit import has_masks
from tfopt.backend.quantization.canonical.masks.rules import MOST_STEPS
from tfopt.backend.quantization.canonical.rewrites.multi_head_attention import MultiHeadAttention
from tfopt.backend.types import Shape

_PASSES = ((MultiHeadAttention(),),)
"""Where masks are tensors, the projections, scores and weights of attention must be layers of their own."""


def integer_form(model: tf_keras.Model, shapes: Mapping[str, Shape] = MappingProxyType({})) -> Canonical | None:
    """The form of a model with masks that the converter can calibrate and compute in integers; same outputs.

    Without it the converter dies of masked loops (SIGSEGV), sets masked scores to -1e9, beside which 8 bits hold
    nothing else, and divides the sums of masked pooling, which stops LiteRT's reference kernels (TF 2.21).

    Args:
        model: a float model.
        shapes: of one example, by name of an input with open axes: loops with a mask need a fixed number of steps.

    Returns:
        None for a model without masks, which is converted as it is.

    Raises:
        StageError: the connections of the layers are not known, or a layer cannot be cloned.
    """
    return canonicalize(model, _PASSES, shapes) if has_masks(model) else None


def masked_loops(form: Canonical) -> dict[str, str]:
    """The recurrent layers of a form without implicit masks that still are loops with a mask, and why, by Keras name.

    The converter dies when it calibrates such a loop, after quantization-aware training too.
    """
    graph = Graph(form.model)
    found: dict[str, str] = {}
    for name, layer in graph.layers.items():
        kind = type(getattr(layer, "wrapped", layer)).__name__
        masked = any(getattr(tensor, "_keras_mask", None) is not None for tensor in tf.nest.flatten(layer.input))
        if masked and (kind in _LOOPS or isinstance(layer, layers.RNN)):
            found[form.original_names[name]] = _why_a_loop(layer)
    return found


_LOOPS = ("Bidirectional", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "GRU", "LSTM", "RNN", "SimpleRNN")


def _why_a_loop(layer: layers.Layer) -> str:
    inputs = layer.input[0] if isinstance(layer.input, list) else layer.input
    steps = inputs.shape[1]
    if steps is None:
        return "its number of steps is open; give the model's input a fixed length"
    if steps > MOST_STEPS:
        return f"its {steps} steps are more than the {MOST_STEPS} that are computed one after the other"
    return "only LSTM, GRU and SimpleRNN, and Bidirectional of them, are computed step by step"
