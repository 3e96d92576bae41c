"""A frozen table of tokens stays as it was; everything else is trained."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = pytest.mark.tf


def test_frozen_tokens_are_not_trained() -> None:
    from tfopt.backend.models.zoo import transformer_classifier

    model = transformer_classifier.build((4,), 3, vocabulary_size=9, width=8, blocks=1, heads=2, freeze_tokens=True)
    before = {weight.name: weight.numpy() for weight in model.weights}
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.train_on_batch(np.array([[1, 2, 3, 0], [4, 5, 6, 7]]), np.array([0, 2]))
    same = {weight.name for weight in model.weights if np.array_equal(weight.numpy(), before[weight.name])}
    (table,) = model.get_layer("token_embedding").weights
    assert table.name in same
    assert "logits/kernel:0" not in same
    assert all(weight is not table for weight in model.trainable_weights)
