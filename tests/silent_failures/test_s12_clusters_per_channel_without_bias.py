"""S12: tfmot skips convolutions without bias when asked for clusters per channel, with a wrong reason."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow_model_optimization as tfmot
from tensorflow_model_optimization.python.core.clustering.keras.experimental import cluster as experimental

from tests.support.contexts import context
from tests.support.digits import digits
from tests.support.models import small_model
from tfopt.backend.graph.channels import most_unique, rows
from tfopt.stages.cluster import Cluster

pytestmark = pytest.mark.tf

CLUSTERS = 8


def test_naively_the_convolution_is_left_alone():
    with pytest.warns(UserWarning, match="enough weights"):
        model = experimental.cluster_weights(
            small_model(),
            CLUSTERS,
            tfmot.clustering.keras.CentroidInitialization.LINEAR,
            cluster_per_channel=True,
        )
    assert {layer.name for layer in model.layers} >= {"cluster_conv1", "conv2"}, "conv2 has 72 weights per channel"
    assert np.unique(model.get_layer("conv2").kernel.numpy()).size > 1000


def test_here_it_is_clustered(tmp_path: Path):
    stage = Cluster.model_validate({"epochs": 1, "clusters": CLUSTERS, "per_channel": True})

    model = stage.apply(small_model(), context(tmp_path, data=digits(128))).model

    for name in ("conv1", "conv2"):
        layer = model.get_layer(name)
        assert most_unique(rows(layer.kernel, layer).numpy()) == CLUSTERS
