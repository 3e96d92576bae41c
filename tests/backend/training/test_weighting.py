"""How much each label counts: by the class of its own output."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tfopt.backend.training.weighting import misfits, weighted
from tfopt.core.config.training.compile import Compile

pytestmark = pytest.mark.tf

TWO = Compile.model_validate({"loss": {"kind": "sparse_categorical_crossentropy", "size": "mse"}})


def test_weights_are_those_of_the_classes_of_their_output() -> None:
    targets = {"kind": np.array([0, 1, 1, 1], np.int32), "size": np.zeros((4, 1), np.float32)}
    batches = tf.data.Dataset.from_tensors((np.zeros((4, 2), np.float32), targets))
    ((_, _, weights),) = weighted(batches, targets, {"kind": "balanced"}, TWO).as_numpy_iterator()
    assert weights.keys() == {"kind"}
    np.testing.assert_allclose(weights["kind"], [2, 2 / 3, 2 / 3, 2 / 3], rtol=1e-6)


def test_what_does_not_fit_is_a_mistake_of_its_output() -> None:
    targets = {"kind": np.array([0, 1, 1, 1], np.int32), "size": np.zeros((4, 1), np.float32)}
    assert misfits(targets, {"kind": "balanced"}, TWO) == []
    wrong, quantities = misfits(targets, {"kind": {2: 1.0}, "size": "balanced"}, TWO)
    assert wrong.path == ("class_weights", "kind")
    assert wrong.message == "names class 2, but the labels go from 0 to 1."
    assert quantities.path == ("class_weights", "size")
