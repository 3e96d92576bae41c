"""Golden texts become the golden ids, by the tokenizer of the bundle alone."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from tokenizers import Tokenizer as Library

from tfopt.backend.data.splits import Data, Preprocessing, Split
from tfopt.backend.export.texts.raw_texts import RawTexts, content, golden_texts, raw_texts
from tfopt.backend.text.tokenizer import NAME, TOKENIZER_JSON
from tfopt.backend.text.training import trained
from tfopt.core.config.text.tokenizers import WordTokenizer
from tfopt.core.records.text import TextRecord

TOKENIZER = trained(WordTokenizer(begin="[CLS]", end="[SEP]"), ["one two three four five"])


def data(padding: str = "end", truncation: str = "end") -> Data:
    cls, end, one, two, three = (TOKENIZER.id_of(token) for token in ("[CLS]", "[SEP]", "one", "two", "three"))
    short = [cls, one, end, 0] if padding == "end" else [0, cls, one, end]
    split = Split(np.array([short, [cls, two, three, end], [cls, 1, one, end]], np.int32), np.zeros(3, np.int32))
    text = TextRecord(
        task="classification", tokenizer="word", vocabulary_size=9, length=4, median_tokens=4, cut=0, unknown=0,
        padding=padding, truncation=truncation,
    )  # fmt: skip
    return Data(split, split, split, "x", preprocessing=Preprocessing(NAME, TOKENIZER.files), text=text)


@pytest.mark.parametrize("padding", ["start", "end"])
def test_a_text_becomes_the_ids_again(padding: str) -> None:
    given = data(padding)
    raw = raw_texts(given)
    assert raw == RawTexts(4, 0, "left" if padding == "start" else "right", "right")
    texts = golden_texts(given, raw, given.test.inputs)
    assert texts == ["one", "two three", None]
    assert json.loads(content(texts)) == texts
    library = Library.from_str(TOKENIZER.files[TOKENIZER_JSON].decode())
    library.enable_truncation(raw.length, direction=raw.cut)
    library.enable_padding(length=raw.length, pad_id=raw.padding, direction=raw.padded)
    assert isinstance(given.test.inputs, np.ndarray)
    assert library.encode("one").ids == given.test.inputs[0].tolist()


def test_other_inputs_have_no_golden_texts() -> None:
    given = data()
    assert given.text is not None
    assert raw_texts(replace(given, text=None)) is None
    assert raw_texts(replace(given, text=given.text.model_copy(update={"task": "language_model"}))) is None
    assert raw_texts(replace(given, text=given.text.model_copy(update={"inputs": {"a": "ids"}}))) is None
