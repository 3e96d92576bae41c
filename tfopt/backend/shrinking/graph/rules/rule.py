"""What is known of a type of layer: where its units are, and its configuration once some were removed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import tensorflow as tf
import tf_keras

from tfopt.backend.shrinking.graph.call import Call
from tfopt.backend.types import Array, Shape


@dataclass(frozen=True)
class Resized:
    """A layer of which units were removed.

    Args:
        layer: before.
        shape_of: the new shape of one of its weights.
        before: the shapes of its outputs, with the batch axis.
        after: the new shapes.
    """

    layer: tf_keras.layers.Layer
    shape_of: Callable[[tf.Variable], tuple[int, ...]]
    before: Sequence[Shape]
    after: Sequence[Shape]


Changes: TypeAlias = Mapping[str, object]
"""Keys of a configuration with their new values."""


def nothing(resized: Resized) -> Changes:
    """For layers whose configuration has no size in it."""
    return {}


@dataclass(frozen=True)
class Rule:
    """The rule of a type of layer.

    Args:
        trace: labels its weights and returns the labels of its outputs.
        changes: the configuration's keys that change with the sizes of its weights and outputs.
        visible: whether values of units can be watched in its output.
        over_units: whether it has statistics over units, so that a masked twin needs its form in `masked_layers`.
    """

    trace: Callable[[Call], Sequence[Array]]
    changes: Callable[[Resized], Changes] = nothing
    visible: bool = False
    over_units: bool = False
