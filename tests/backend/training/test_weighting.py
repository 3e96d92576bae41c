"""How much each label counts: by the class of its own output."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tfopt.backend.training.weighting import weighted
from tfopt.core.config.training.compile import Compile

pytestmark = pytest.mark.tf

TWO = Compile.model_validate({"loss": {"kind": "sparse_categorical_crossentropy", "size": "mse"}})


def test_weights_are_those_of_the_classes_of_their_output() -> None:
    targets = {"kind": np.array([0, 1, 1, 1], np.int32), "size": np.zeros((4, 1), np.float32)}
    batches = tf.data.Dataset.from_tensors((np.zeros((4, 2), np.float32), targets))
    ((_, _, weights),) = weighted(batches, targets, {"kind": "balanced"}, TWO).as_numpy_iterator()
    assert weights.keys() == {"kind"}
    np.testing.assert_allclose(weights["kind"], [2, 2 / 3, 2 / 3, 2 / 3], rtol=1e-6)
