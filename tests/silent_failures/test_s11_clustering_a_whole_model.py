"""S11: tfmot's clustering wrapper drops `training`: dropout is off, and batch normalization does not move."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_model_optimization as tfmot
import tf_keras

from tests.support.contexts import context
from tests.support.digits import digits
from tests.support.models import small_model
from tfopt.stages.cluster import Cluster

pytestmark = pytest.mark.tf

CLUSTERS = 8


def moved(model: tf_keras.Model) -> float:
    """How far the statistics of batch normalization are from where they begin."""
    return float(np.abs(next(v for v in model.weights if "moving_mean" in v.name).numpy()).max())


def num_bytes(model: tf_keras.Model) -> int:
    return len(tf.lite.TFLiteConverter.from_keras_model(model).convert())


@pytest.mark.slow
def test_naively_batch_normalization_is_frozen_and_the_file_is_large():
    data = digits(640)
    model = tfmot.clustering.keras.cluster_weights(
        small_model(dropout=0.5),
        number_of_clusters=CLUSTERS,
        cluster_centroids_init=tfmot.clustering.keras.CentroidInitialization.LINEAR,
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(data.train.inputs, data.train.targets, batch_size=64, verbose=0)

    assert moved(model) == 0.0
    dropout = next(layer for layer in model.layers if "dropout" in layer.name)
    assert np.all(dropout(np.ones((1, 1000), np.float32), training=True) == 1.0)
    assert num_bytes(model) > 2 * num_bytes(tfmot.clustering.keras.strip_clustering(model))


def test_here_only_kernels_are_wrapped(tmp_path: Path):
    model = small_model(dropout=0.5)
    size = num_bytes(model)
    stage = Cluster.model_validate({"epochs": 1, "clusters": CLUSTERS, "initialization": "linear"})

    clustered = stage.apply(model, context(tmp_path, data=digits(640))).model

    assert moved(clustered) > 1e-3
    assert [type(layer).__name__ for layer in clustered.layers] == [type(layer).__name__ for layer in model.layers]
    assert np.unique(clustered.get_layer("hidden").kernel.numpy()).size <= CLUSTERS
    assert num_bytes(clustered) < 1.1 * size, "batch normalization that has moved adds a bias to the convolution"
