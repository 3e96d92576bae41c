from __future__ import annotations

import numpy as np
import pytest
import tf_keras

from tests.support.digits import digits
from tests.support.models import answers
from tfopt.backend.training.measure import measure
from tfopt.core.config.training.compile import Compile, Loss, Metric
from tfopt.errors import StageError

pytestmark = pytest.mark.tf


def one_hot(labels):
    return np.eye(10, dtype="float32")[labels]


JUDGED = [
    ("sparse_categorical_crossentropy", digits().test.targets, 10),
    ("categorical_crossentropy", one_hot(digits().test.targets), 10),
    ("binary_crossentropy", (digits().test.targets > 4).astype("int32"), 1),
    ("binary_crossentropy", (digits().test.targets > 4).astype("int32")[:, np.newaxis], 1),
]


@pytest.mark.parametrize(("loss", "targets", "outputs"), JUDGED)
def test_measure_equals_keras_evaluate(loss, targets, outputs):
    activation = "softmax" if outputs > 1 else "sigmoid"
    model = tf_keras.Sequential([tf_keras.layers.Flatten(), tf_keras.layers.Dense(outputs, activation=activation)])
    inputs = digits().test.inputs
    predictions = answers(model, inputs)
    model.compile(loss=loss, metrics=["accuracy"])
    expected = dict(zip(("loss", "accuracy"), model.evaluate(inputs, targets, verbose=0), strict=True))

    found = measure(predictions, targets, Compile(loss=Loss(name=loss)))

    assert found == pytest.approx(expected, rel=1e-4)


def test_measure_of_a_regression():
    compile = Compile(loss=Loss(name="mse"), metrics=(Metric(name="mae"), Metric(name="r2_score")))
    targets = np.array([[0.0], [1.0], [2.0]], "float32")

    found = measure(targets + 1, targets, compile)

    assert found == pytest.approx({"loss": 1.0, "mae": 1.0, "r2_score": -0.5})


def test_measure_refuses_what_does_not_fit():
    with pytest.raises(StageError, match="got 3 predictions for 2 targets"):
        measure(np.zeros((3, 10), "float32"), np.zeros(2, "int32"), Compile())
    with pytest.raises(StageError, match=r"targets of shape \(4, 7\) cannot be judged against outputs"):
        measure(
            np.zeros((4, 10), "float32"),
            np.zeros((4, 7), "float32"),
            Compile(loss=Loss(name="categorical_crossentropy")),
        )
