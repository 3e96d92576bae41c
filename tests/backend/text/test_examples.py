"""Token ids of one length."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tfopt.backend.text.examples import arrays, check_known, encoded, windows
from tfopt.backend.text.tokenizer import TOKENIZER_JSON, Tokenizer
from tfopt.backend.text.training import trained
from tfopt.core.config.text.text import TextConfig
from tfopt.core.config.text.tokenizers import WordTokenizer
from tfopt.errors import StageError

WORDS = trained(WordTokenizer(begin="[CLS]", end="[SEP]"), ["one two three four five"])
PLAIN = trained(WordTokenizer(), ["one two three four five"])


def config(**keys: Any) -> TextConfig:
    return TextConfig.model_validate({"tokenizer": {"kind": "word"}, "length": 4, **keys})


def shown(tokenizer: Tokenizer, row: np.ndarray[Any, Any]) -> str:
    return " ".join(str(tokenizer.token_of(int(token))) for token in row)


@pytest.mark.parametrize(
    ("keys", "short", "long"),
    [
        ({}, "[CLS] one [SEP] [PAD]", "[CLS] one two [SEP]"),
        ({"padding": "start", "truncation": "start"}, "[PAD] [CLS] one [SEP]", "[CLS] four five [SEP]"),
    ],
)
def test_texts_are_filled_up_and_cut(keys: dict[str, Any], short: str, long: str) -> None:
    made = arrays(WORDS, encoded(WORDS, ["one", "one two three four five"], "x"), config(**keys))
    assert [shown(WORDS, row) for row in made["ids"]] == [short, long]
    assert made["mask"].tolist() == (made["ids"] != 0).astype(int).tolist()
    assert made["ids"].dtype == np.int32


def test_the_longer_text_of_a_pair_is_cut_first() -> None:
    made = arrays(WORDS, encoded(WORDS, [("one two three", "four")], "x"), config(length=6))
    assert shown(WORDS, made["ids"][0]) == "[CLS] one two [SEP] four [SEP]"
    assert made["segments"].tolist() == [[0, 0, 0, 0, 1, 1]]


def test_windows_predict_the_next_token() -> None:
    text = encoded(PLAIN, ["one two three", "four five one two"], "x")
    inputs, targets = windows(text, config(task="language_model", length=3), "x")
    assert [shown(PLAIN, row) for row in inputs] == ["one two three", "four five one"]
    assert [shown(PLAIN, row) for row in targets] == ["two three four", "five one two"]
    assert len(windows(text, config(task="language_model", length=3, stride=1), "x")[0]) == 4


def test_what_cannot_be_learned_from_is_refused() -> None:
    with pytest.raises(StageError, match="3 tokens, but a window needs 5"):
        windows(encoded(PLAIN, ["one two three"], "x"), config(task="language_model"), "x")
    with pytest.raises(StageError, match="2 special tokens and one of the text do not fit") as caught:
        arrays(WORDS, encoded(WORDS, ["one two"], "x"), config(length=2))
    assert "at least 3" in caught.value.hint
    with pytest.raises(StageError, match=r"x: the text '\\u200b' has no tokens"):
        encoded(Tokenizer.from_files(_pieces()), ["\u200b"], "x")
    with pytest.raises(StageError, match="100% of the tokens are unknown"):
        check_known(encoded(PLAIN, ["eins zwei"], "x"), "x")


def test_letters_that_get_lost_are_named() -> None:
    from tokenizers import Tokenizer as Library
    from tokenizers import models

    silent = Tokenizer.from_files({TOKENIZER_JSON: Library(models.BPE({"a": 0, "b": 1}, [])).to_str().encode()})
    with pytest.raises(StageError, match="no token for 'ü', and none for what is unknown"):
        encoded(silent, ["abü"], "x")
    with pytest.raises(StageError, match="has no padding token"):
        arrays(silent, encoded(silent, ["ab"], "x"), config())


def _pieces() -> dict[str, bytes]:
    from tfopt.core.config.text.tokenizers import WordPieceTokenizer

    return dict(trained(WordPieceTokenizer(vocabulary_size=40), ["one two"]).files)
