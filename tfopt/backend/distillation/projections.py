"""Trained maps from the student's layers to the teacher's, where their widths differ; they are thrown away after it."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
import tf_keras

from tfopt.backend.types import Shape
from tfopt.core.config.distillation import LayerPair


def projections(
    pairs: Sequence[LayerPair], student: Sequence[Shape], teacher: Sequence[Shape], seed: int
) -> list[tf_keras.layers.Layer | None]:
    """A map for each pair that needs one.

    A `hint` is projected with a bias (FitNets' regressor, here 1 x 1), `hidden_states` without (TinyBERT).

    Args:
        pairs: what is compared.
        student: shape of each layer with the batch axis.
        teacher: the same of the teacher's.
        seed: of the first weights; the same seed gives the same.
    """
    found: list[tf_keras.layers.Layer | None] = []
    for index, (pair, ours, theirs) in enumerate(zip(pairs, student, teacher, strict=True)):
        if pair.kind not in ("hint", "hidden_states") or ours[-1] == theirs[-1]:
            found.append(None)
            continue
        layer = tf_keras.layers.Dense(
            theirs[-1],
            use_bias=pair.kind == "hint",
            kernel_initializer=tf_keras.initializers.GlorotUniform(seed=(seed + index) % 2**31),
            name=f"projection_{index}",
            dtype=tf.float32,
        )
        layer.build(ours)
        found.append(layer)
    return found
