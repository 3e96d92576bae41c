"""Examples of padding only, before training."""

from __future__ import annotations

import numpy as np
import pytest
import tf_keras
from tf_keras import layers

from tfopt.backend.data.splits import Data, Split
from tfopt.backend.models.padding import check_padding
from tfopt.errors import StageError

pytestmark = pytest.mark.tf


def model(*, masked: bool) -> tf_keras.Model:
    ids = layers.Input((3,), dtype="int32", name="ids")
    x = layers.GlobalAveragePooling1D()(layers.Embedding(9, 2, mask_zero=masked)(ids))
    return tf_keras.Model(ids, layers.Dense(2)(x), name="words")


def data(*rows: list[int]) -> Data:
    fine = Split(np.array([[1, 0, 0]], np.int32), np.zeros(1, np.int32))
    return Data(fine, fine, Split(np.array(rows, np.int32), np.zeros(len(rows), np.int32)), "x")


def test_a_mean_over_nothing_is_refused() -> None:
    check_padding(model(masked=True), data([0, 0, 4], [1, 0, 0]))
    check_padding(model(masked=False), data([0, 0, 0]))
    with pytest.raises(StageError, match=r"1 test example of the input 'ids' is padding only") as caught:
        check_padding(model(masked=True), data([1, 2, 3], [0, 0, 0]))
    assert caught.value.code == "invalid_data"
