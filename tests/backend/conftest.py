"""Trained models that several test files read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.contexts import export_context
from tests.support.digits import digits
from tests.support.exporting import VARIANTS, Exported
from tests.support.models import zero_smallest


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """A convolutional net, 75 % sparse in two layers, in every kind of `.tflite`."""
    import tf_keras

    from tfopt.backend.export import tflite
    from tfopt.backend.graph.layer_records import layer_records

    layers = tf_keras.layers
    tf_keras.utils.set_random_seed(3)
    model = tf_keras.Sequential(
        [
            tf_keras.Input((8, 8, 1), name="image"),
            layers.Conv2D(16, 3, use_bias=False, name="stem"),
            layers.BatchNormalization(name="norm"),
            layers.ReLU(name="act"),
            layers.DepthwiseConv2D(3, activation="relu", name="depth"),
            layers.Flatten(name="flat"),
            layers.Dense(64, activation="relu", name="hidden"),
            layers.Dense(10, activation="softmax", name="digit"),
        ],
        name="net",
    )
    data = digits()
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(data.train.inputs, data.train.targets, epochs=6, batch_size=32, verbose=0)
    for name in ("stem", "hidden"):
        kernel, *rest = model.get_layer(name).get_weights()
        model.get_layer(name).set_weights([zero_smallest(kernel, 0.75), *rest])
    events: list[Mapping[str, Any]] = []
    context = export_context(
        tmp_path_factory.mktemp("run") / "export",
        data,
        events,
        traits=frozenset({"sparse"}),
        layers=layer_records(model),
        dense={"accuracy": 0.99},
    )
    records = tflite.export(model, VARIANTS, context)
    return Exported(model, context, events, {record.name: record for record in records})
