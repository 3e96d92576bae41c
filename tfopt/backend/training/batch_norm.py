"""The statistics of batch normalization, estimated for weights that no training step has seen.

An average of weights has activations of its own; with the averaged statistics it can be far worse than each model
(Izmailov et al. 2018, section 3.2).
"""

from __future__ import annotations

from collections.abc import Iterator

import tf_keras

from tfopt.backend.data.batches import evaluation_batches
from tfopt.backend.data.drawing import random_order
from tfopt.backend.data.splits import Split
from tfopt.backend.graph.layers import all_layers

_BATCH = 256


def estimate(model: tf_keras.Model, split: Split, seed: int) -> None:
    """Sets mean and variance of every batch normalization to their averages over the batches of one pass, in place.

    Args:
        model: free of wrappers; frozen layers stay as they are.
        split: training examples, taken in random order: batches of one class would say nothing of all.
        seed: of the order and of dropout.
    """
    normalizations = list(_normalizations(model))
    if not normalizations:
        return
    momenta = [layer.momentum for layer in normalizations]
    tf_keras.utils.set_random_seed(seed % 2**32)
    shuffled = split.select(random_order(len(split), seed))
    try:
        for seen, (inputs, _) in enumerate(evaluation_batches(shuffled, _BATCH)):
            for layer in normalizations:
                # The moving average with this momentum is the plain average of all batches so far.
                layer.momentum = seen / (seen + 1)
            model(inputs, training=True)
    finally:
        for layer, momentum in zip(normalizations, momenta, strict=True):
            layer.momentum = momentum


def has_statistics(model: tf_keras.Model) -> bool:
    """Whether there is a batch normalization whose statistics `estimate` sets."""
    return any(True for _ in _normalizations(model))


def _normalizations(model: tf_keras.Model) -> Iterator[tf_keras.layers.Layer]:
    for layer in all_layers(model):
        if isinstance(layer, tf_keras.layers.BatchNormalization) and layer.trainable:
            yield layer
