"""Where 16 bits are too few: the layer whose values no longer fit into float16."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.graph.layers import nodes
from tfopt.backend.training.precision.compute import computing_in
from tfopt.backend.types import Nested
from tfopt.core.config.training.precision import Precision
from tfopt.errors import StageError

LARGEST = 65504
"""The largest number of float16."""


@dataclass(frozen=True)
class Overflow:
    """A layer whose outputs are finite in float32, and not in 16 bits.

    Args:
        layer: its Keras name.
        largest: the largest magnitude of its outputs in float32.
    """

    layer: str
    largest: float


def first_overflow(model: tf_keras.Model, inputs: Nested, precision: Precision) -> Overflow | None:
    """The first layer of a model that overflows with a batch, in the order in which they are computed.

    Args:
        model: not computing in 16 bits now; its weights are finite.
        inputs: a batch.
        precision: in which it was trained.

    Returns:
        None where none does, or the model's layers cannot be distinguished.
    """
    if not getattr(model, "_is_graph_network", False):
        return None
    calls = [node for node in nodes(model) if not isinstance(node.layer, tf_keras.layers.InputLayer)]
    reader = tf_keras.Model(model.inputs, [tf.nest.flatten(node.outputs) for node in calls])
    wide = [_largest(outputs) for outputs in reader(inputs, training=True)]
    with computing_in(precision, model):
        narrow = [_largest(outputs) for outputs in reader(inputs, training=True)]
    for node, exact, found in zip(calls, wide, narrow, strict=True):
        if np.isfinite(exact) and not np.isfinite(found):
            return Overflow(node.layer.name, exact)
    return None


def overflow_error(where: str, found: Overflow | None) -> StageError:
    """The one error of float16 overflow.

    Args:
        where: when it happened: `in epoch 3, at step 120`.
        found: the first layer that overflows; None where it is not known, as in the gradients.
    """
    what = (
        f"the outputs of the layer {found.layer!r} reach {found.largest:.3g}"
        if found is not None
        else "no loss scale above 1 is small enough for the gradients"
    )
    return StageError(
        f"float16 overflow {where}: {what}, and float16 ends at {LARGEST:,}.",
        "Train with precision: mixed_bfloat16, which has the range of float32, or float32; or keep the values small: "
        "scale the inputs, add batch normalization, lower the learning rate.",
        code="precision_overflow",
    )


def _largest(outputs: object) -> float:
    values = [one.numpy().astype(np.float32) for one in tf.nest.flatten(outputs) if one.dtype.is_floating]
    return max((float(np.abs(one).max()) for one in values if one.size), default=0.0)
