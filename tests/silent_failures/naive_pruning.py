"""The script that a user of tfmot writes, and how sparse its result is."""

from __future__ import annotations

import numpy as np
import tensorflow_model_optimization as tfmot
import tf_keras

from tests.support.digits import digits

BATCH_SIZE = 64
sparsity = tfmot.sparsity.keras


def wrap(model, schedule, **more):
    """`prune_low_magnitude` and compile, as in the guide."""
    wrapped = sparsity.prune_low_magnitude(model, pruning_schedule=schedule, **more)
    wrapped.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return wrapped


def fit(wrapped, epochs, callbacks=None, examples=640):
    """`fit` on digits with tfmot's callback, without validation: that would apply the masks by the way."""
    data = digits(examples)
    wrapped.fit(
        data.train.inputs,
        data.train.targets,
        batch_size=BATCH_SIZE,
        epochs=epochs,
        callbacks=[sparsity.UpdatePruningStep()] if callbacks is None else callbacks,
        verbose=0,
    )
    return wrapped


def zeros(layer) -> float:
    """Share of zeros in a layer's kernel, inside a wrapper or not."""
    layer = getattr(layer, "layer", layer)
    return float(np.mean(layer.kernel.numpy() == 0))


def named(model: tf_keras.Model, name: str):
    """A layer by its own name, inside a wrapper or not."""
    return next(layer for layer in model.layers if getattr(layer, "layer", layer).name == name)
