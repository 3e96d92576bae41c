"""What is told of each layer."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = pytest.mark.tf


def test_a_pruned_separable_convolution_is_told_of_alike_before_and_after_the_store(tmp_path):
    import tf_keras
    from tensorflow_model_optimization.sparsity.keras import prune_low_magnitude, strip_pruning
    from tf_keras import layers

    from tfopt.backend.graph.layer_records import layer_records
    from tfopt.backend.models import store as model_store

    inputs = tf_keras.Input((8, 8, 4))
    separable = layers.SeparableConv2D(8, 3, name="separable")
    model = tf_keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(separable(inputs))))
    strip_pruning(tf_keras.models.clone_model(model, clone_function=prune_low_magnitude))
    prune_low_magnitude(separable)  # leaves its function on the layer itself
    depthwise, pointwise, bias = separable.get_weights()
    pointwise[np.abs(pointwise) < np.median(np.abs(pointwise))] = 0
    separable.set_weights([depthwise, pointwise, bias])

    live = {record.name: record for record in layer_records(model)}["separable"]
    model_store.save_model(model, tmp_path)
    stored = {record.name: record for record in layer_records(model_store.load_model(tmp_path))}["separable"]

    assert live.sparsity == stored.sparsity == pytest.approx(16 / (36 + 32))
