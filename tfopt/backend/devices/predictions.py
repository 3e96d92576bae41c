"""What a model returns inside a strategy."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.types import Nested


def predicted(model: tf_keras.Model, batches: tf.data.Dataset) -> Nested:
    """What `model.predict` returns: the outputs of a model for all batches, in their order.

    Inside a strategy, `model.predict` divides the batches among processes, each of which gets its part of the result;
    here every process computes all, on its first device.

    Args:
        model: any model.
        batches: inputs, in batches.
    """
    if not tf.distribute.has_strategy():
        return model.predict(batches, verbose=0)
    call = tf.function(lambda inputs: model(inputs, training=False))
    given = [tf.nest.map_structure(lambda tensor: tensor.numpy(), call(inputs)) for inputs in batches]
    return tf.nest.map_structure(lambda *parts: np.concatenate(parts), *given)
