"""What an app must do to a text before a model reads it, with texts to prove it on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tfopt.backend.data.splits import Data
from tfopt.backend.data.vocabulary import tokenizer_of
from tfopt.backend.text.tokenizer import TOKENIZER_JSON, Tokenizer
from tfopt.backend.types import Arrays
from tfopt.core.records.text import TextRecord

FILE = "texts.json"
"""Golden texts, a list with one for each example; null where ids do not say their text."""


@dataclass(frozen=True)
class RawTexts:
    """Texts as ids, as `tokenizer.json` makes them.

    Args:
        length: tokens of an input.
        padding: id that fills shorter texts up.
        padded: at which end, in words of `tokenizers`: `left` or `right`.
        cut: at which end longer texts are cut: `left` or `right`.
    """

    length: int
    padding: int
    padded: str
    cut: str


def raw_texts(data: Data) -> RawTexts | None:
    """How an app makes the input from a text; None where there are several inputs, windows or no `tokenizer.json`."""
    tokenizer, text = tokenizer_of(data), data.text
    if tokenizer is None or text is None or TOKENIZER_JSON not in tokenizer.files:
        return None
    if text.task != "classification" or text.inputs is not None:
        return None
    return RawTexts(text.length, tokenizer.padding_id or 0, _side(text, "padding"), _side(text, "truncation"))


def golden_texts(data: Data, raw: RawTexts, inputs: Arrays) -> list[str | None]:
    """A text for each example that becomes its ids; None where there is none, as with unknown words.

    Args:
        data: of the run.
        raw: how texts become ids.
        inputs: golden inputs, (examples, length).
    """
    tokenizer = tokenizer_of(data)
    if tokenizer is None or isinstance(inputs, dict):
        return []
    return [_text(tokenizer, raw, row.tolist()) for row in inputs]


def content(texts: Sequence[str | None]) -> bytes:
    """The golden texts as a file."""
    return json.dumps(list(texts), ensure_ascii=False, indent=1).encode()


def _text(tokenizer: Tokenizer, raw: RawTexts, ids: list[int]) -> str | None:
    kept = np.trim_zeros(np.array(ids) - raw.padding, "f" if raw.padded == "left" else "b") + raw.padding
    text = tokenizer.decode(kept)
    return text if tokenizer.encode(text, special_tokens=True) == kept.tolist() else None


def _side(text: TextRecord, end: str) -> str:
    return "left" if getattr(text, end) == "start" else "right"
