"""Tables and ids, before training."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tf_keras
from tf_keras import layers

from tfopt.backend.data.splits import Data, Split
from tfopt.backend.models.of_data import with_arguments_of
from tfopt.backend.models.vocabularies import check_vocabulary
from tfopt.backend.models.zoo import gpt
from tfopt.core.records.text import TextRecord
from tfopt.errors import StageError

pytestmark = pytest.mark.tf


def model(rows: int, *, nested: bool = False) -> tf_keras.Model:
    inputs = layers.Input((3,), dtype="int32", name="ids")
    inner = layers.Input((3,), dtype="int32", name="inner")
    table = layers.Embedding(rows, 2, name="table")
    body = tf_keras.Model(inner, table(inner), name="body") if nested else table
    x = layers.GlobalAveragePooling1D()(body(inputs))
    return tf_keras.Model(inputs, layers.Dense(2)(x), name="words")


def data(*ids: int, **text: Any) -> Data:
    split = Split(np.array([ids], np.int32), np.zeros(1, np.int32))
    about = {"task": "classification", "tokenizer": "file", "length": 3, "median_tokens": 3, "cut": 0, "unknown": 0}
    return Data(split, split, split, "x", text=TextRecord.model_validate({**about, **text}) if text else None)


@pytest.mark.parametrize("nested", [False, True])
def test_a_table_needs_a_row_for_each_token(nested: bool) -> None:
    assert check_vocabulary(model(10, nested=nested), data(1, 2, 3, vocabulary_size=10)) == []
    with pytest.raises(StageError, match=r"'table' of 'words' has 10 rows, but the tokenizer has 11 tokens") as caught:
        check_vocabulary(model(10, nested=nested), data(1, 2, 3, vocabulary_size=11))
    assert "11 rows" in caught.value.hint


def test_a_tied_table_does_not_grow_unasked() -> None:
    fits = with_arguments_of(data(1, 2, 9), gpt.build, {"vocabulary_size": 10})
    assert fits["vocabulary_size"] == 10
    with pytest.raises(StageError, match=r"model\.args\.vocabulary_size is 9, but an id is 9"):
        with_arguments_of(data(1, 2, 9), gpt.build, {"vocabulary_size": 9})
    with pytest.raises(StageError, match="is 20, but the tokenizer has 61 tokens"):
        with_arguments_of(data(1, 2, 3, vocabulary_size=61), gpt.build, {"vocabulary_size": 20})


def test_ids_without_a_tokenizer_count_too() -> None:
    assert check_vocabulary(model(10), data(1, 2, 9)) == []
    with pytest.raises(StageError, match="has 10 rows, but an id is 10"):
        check_vocabulary(model(10), data(1, 2, 10))
    with pytest.raises(StageError, match="'ids' of 'words' holds -1, but 'table' reads ids"):
        check_vocabulary(model(10), data(1, 2, -1))


def test_rows_that_no_token_reads_are_a_warning() -> None:
    (warning,) = check_vocabulary(model(1000), data(1, 2, 3, vocabulary_size=200))
    assert warning == "table has 1,000 rows, but the tokenizer 200 tokens: 80% of the rows are never read."


def test_segments_are_no_tokens() -> None:
    inputs = {"ids": "segments", "other": "ids"}
    assert check_vocabulary(model(2), data(0, 1, 1, vocabulary_size=30, inputs=inputs)) == []
