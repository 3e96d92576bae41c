"""The masked softmax of Keras 3 in tf_keras: the same numbers for padding, and a layer like those of tf_keras."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from tfopt.backend.bridge import restore_keras3, to_keras, to_tf_keras
from tfopt.backend.bridge.zeroing import ZeroingMultiHeadAttention
from tfopt.backend.graph.kernels import clusterable_kernels, prunable_kernels
from tfopt.backend.graph.layers import layer_type
from tfopt.backend.models.store import load_model, save_model

pytestmark = pytest.mark.tf

WORDS = np.array([[0, 0, 0, 0], [3, 4, 0, 0], [5, 6, 7, 8]])
"""The first example is padding from end to end."""


def test_attention_with_dropout_and_a_mask_has_the_outputs_of_keras_3_everywhere(tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    words = keras.Input((4,), dtype="int32", name="words")
    x = layers.Embedding(9, 6, mask_zero=True, name="table")(words)
    y = layers.MultiHeadAttention(2, 3, dropout=0.5, name="heads")(x, x)
    kept = keras.ops.not_equal(words, 0)
    y, scores = layers.MultiHeadAttention(1, 3, name="asked")(y, y, use_causal_mask=True, return_attention_scores=True)
    weights = layers.Softmax(name="softmax")(layers.Dense(1, name="score")(y)[:, :, 0], mask=kept)
    source = keras.Model(words, [y, scores, weights])
    model = to_tf_keras(source)
    heads = model.get_layer("heads")
    assert type(heads) is type(model.get_layer("asked")) is ZeroingMultiHeadAttention
    assert layer_type(heads) == "MultiHeadAttention"
    assert len(prunable_kernels(heads)) == len(clusterable_kernels(heads)) == 4
    save_model(model, tmp_path)
    loaded = load_model(tmp_path)
    expected = [np.array(output) for output in source(WORDS)]
    assert np.all(expected[1][0] == 0)
    assert np.all(expected[2][0] == 0)
    for other in (model, loaded, to_keras(loaded), restore_keras3(source, loaded)):
        for value, output in zip(expected, other(WORDS), strict=True):
            np.testing.assert_allclose(output, value, atol=1e-5)
