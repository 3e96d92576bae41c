"""Texts become the ids of the tokenizer in TensorFlow's operators, and stay so in a SavedModel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tokenizers import Tokenizer as Library

from tests.support.contexts import Log
from tfopt.backend.data.splits import Data, Preprocessing, Split
from tfopt.backend.export.texts.raw_texts import RawTexts
from tfopt.backend.export.texts.tokenizing import Cut, cut_of, tokenizing
from tfopt.backend.text.tokenizer import NAME, TOKENIZER_JSON, Tokenizer
from tfopt.backend.text.training import trained
from tfopt.core.config.text.tokenizers import BytePairTokenizer, CharTokenizer, WordPieceTokenizer, WordTokenizer
from tfopt.core.config.training.compile import Compile
from tfopt.core.contracts.export import ExportContext, ExportWorkload
from tfopt.core.records.text import TextRecord
from tfopt.export.saved_model import SavedModel

pytestmark = pytest.mark.tf

TEXTS = [
    "It's  a test, isn't it?!", "Überraschung: naïve café", "snake_case and x2=3.5", "", "one", "ÇA VA",
    "tabs\tand\nlines\u00a0here", "日本語 text", "a\u200cb \u24b6c", "\u039b\u039f\u0393\u039f\u03a3",
    "a very long text that does not fit into the room that the model has",
]  # fmt: skip


def ids_of(tokenizer: Tokenizer, raw: RawTexts) -> np.ndarray:
    library = Library.from_str(tokenizer.files[TOKENIZER_JSON].decode())
    library.enable_truncation(raw.length, direction=raw.cut)
    library.enable_padding(length=raw.length, pad_id=raw.padding, direction=raw.padded)
    return np.array([encoding.ids for encoding in library.encode_batch(TEXTS)])


@pytest.mark.parametrize(("padded", "cut"), [("right", "right"), ("left", "left")])
@pytest.mark.parametrize(
    "config",
    [WordTokenizer(begin="[CLS]", end="[SEP]"), WordTokenizer(lowercase=False, end="[SEP]"), CharTokenizer(),
     CharTokenizer(lowercase=True, begin="[CLS]")],
)  # fmt: skip
def test_ids_are_those_of_the_library(config: WordTokenizer | CharTokenizer, padded: str, cut: str) -> None:
    tokenizer = trained(config, [text for text in TEXTS if text != "日本語 text"])
    raw = RawTexts(10, 0, padded, cut)
    prepare, _ = tokenizing(tokenizer, raw, tf.int32)
    assert prepare(tf.constant(TEXTS)).numpy().tolist() == ids_of(tokenizer, raw).tolist()
    short = TEXTS.index("one")
    assert (
        prepare(tf.constant(TEXTS[short : short + 1])).numpy().tolist() == ids_of(tokenizer, raw)[short:][:1].tolist()
    )


def test_what_tensorflow_has_no_operators_for_is_known() -> None:
    assert cut_of(trained(WordTokenizer(), TEXTS)) == Cut("words", True, "[UNK]")
    assert cut_of(trained(CharTokenizer(), TEXTS)) == Cut("characters", False, "[UNK]")
    assert cut_of(trained(WordPieceTokenizer(vocabulary_size=200), TEXTS)) is None
    assert cut_of(trained(BytePairTokenizer(vocabulary_size=300), TEXTS)) is None


def data(config: WordTokenizer | WordPieceTokenizer) -> Data:
    tokenizer = trained(config, ["good film", "bad film", "good", "bad"] * 5)
    ids = [[*tokenizer.encode(text), *[0] * zeros] for text, zeros in (("good film", 1), ("bad film", 1), ("bad", 2))]
    split = Split(np.array(ids, np.int32), np.array([1, 0, 0]))
    text = TextRecord(
        task="classification", tokenizer="word", vocabulary_size=20, length=3, median_tokens=2, cut=0, unknown=0
    )
    return Data(split, split, split, "x", num_classes=2, preprocessing=Preprocessing(NAME, tokenizer.files), text=text)


def test_a_saved_model_takes_texts(tmp_path: Path) -> None:
    ids = tf_keras.Input((3,), dtype="int32", name="ids")
    mean = tf_keras.layers.GlobalAveragePooling1D()(tf_keras.layers.Embedding(20, 4)(ids))
    model = tf_keras.Model(ids, tf_keras.layers.Dense(2, activation="softmax", name="scores")(mean))
    given, target = data(WordTokenizer()), SavedModel(include_preprocessing=True)
    assert target.preflight(model, ExportWorkload(data=given)).problems == ()
    folder = tmp_path / "export"
    folder.mkdir()
    (record,) = target.write(model, ExportContext(folder, given, Compile(), seed=1, emit=Log()))
    assert record.error is None
    (claim,) = [one for one in record.claims if one.code == "preprocessing_inside"]
    assert (claim.held, "tokenized inside" in claim.claim, "3 examples" in claim.found) == (True, True, True)
    served = tf.saved_model.load(str(folder / "saved_model")).signatures
    scores = served["serving_default"](ids=tf.constant(["Bad film"]))["scores"]
    assert np.allclose(scores, served["prepared"](ids=tf.constant(given.test.inputs[1:2]))["scores"])
    pieces = SavedModel(include_preprocessing=True).preflight(
        model, ExportWorkload(data=data(WordPieceTokenizer(vocabulary_size=40)))
    )
    assert "TensorFlow has operators for tokenizers of characters and words" in pieces.problems[0].message
