"""Texts to token ids inside of a SavedModel, in TensorFlow's own operators.

TensorFlow has operators that cut texts into characters or words and look them up: tokenizers of these two kinds can be
inside. It has none for Unicode's normal forms, pieces of words and merges (WordPiece, BPE, SentencePiece): those are in
`tensorflow-text`, which a server would have to load.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import tensorflow as tf

from tfopt.backend.data.splits import Data
from tfopt.backend.data.vocabulary import tokenizer_of
from tfopt.backend.export.texts.raw_texts import RawTexts, raw_texts
from tfopt.backend.text.tokenizer import TOKENIZER_JSON, Tokenizer

_IN_WORDS = (
    r"\pL\pM\p{Nd}\p{Nl}\p{Pc}\x{200C}\x{200D}\x{24B6}-\x{24E9}"
    r"\x{1F130}-\x{1F149}\x{1F150}-\x{1F169}\x{1F170}-\x{1F189}"
)
"""Letters, marks, digits, connectors, joiners and letters in circles or squares."""
_WORDS = rf"([{_IN_WORDS}]+|[^{_IN_WORDS}\s\pZ]+)"
"""What the pre-tokenizer `Whitespace` cuts out: characters of words, or other signs, in a row."""
_SPACES = r"[\s\pZ\x{0B}\x{85}]+"


@dataclass(frozen=True)
class Cut:
    """How a tokenizer cuts texts.

    Args:
        into: what its tokens are.
        lowercase: whether texts become lower case first.
        unknown: token of what the vocabulary lacks.
    """

    into: Literal["characters", "words"]
    lowercase: bool
    unknown: str


def cut_of(tokenizer: Tokenizer) -> Cut | None:
    """How a tokenizer cuts texts; None where TensorFlow has no operators for it.

    Args:
        tokenizer: any.
    """
    document = json.loads(tokenizer.files[TOKENIZER_JSON]) if TOKENIZER_JSON in tokenizer.files else {}
    model, normalizer = document.get("model") or {}, document.get("normalizer") or {"type": None}
    if normalizer["type"] not in (None, "Lowercase") or not model.get("unk_token"):
        return None
    before = (document.get("pre_tokenizer") or {"type": None})["type"]
    lowercase, unknown = normalizer["type"] == "Lowercase", model["unk_token"]
    if model.get("type") == "WordLevel" and before == "Whitespace":
        return Cut("words", lowercase, unknown)
    alone = not any(model.get(key) for key in ("merges", "fuse_unk", "byte_fallback", "continuing_subword_prefix"))
    if model.get("type") == "BPE" and before is None and alone:
        return Cut("characters", lowercase, unknown)
    return None


def tokenizing_mistake(data: Data) -> str | None:
    """Why texts cannot become ids inside of a SavedModel, as a sentence; None where they can.

    Args:
        data: whose inputs are token ids.
    """
    tokenizer = tokenizer_of(data)
    if tokenizer is None or raw_texts(data) is None:
        return "texts become ids inside for models with one input of token ids, one text each."
    if cut_of(tokenizer) is None:
        return (
            "TensorFlow has operators for tokenizers of characters and words (tokenizer.kind: char or word), not for "
            "this one. export.bundle has tokenizer.json, and code that reads it."
        )
    return None


def tokenizing(
    tokenizer: Tokenizer, raw: RawTexts, dtype: tf.DType
) -> tuple[Callable[[tf.Tensor], tf.Tensor], tf.lookup.StaticHashTable]:
    """A function of texts, (examples,) strings, that returns ids, (examples, length), and the table that it reads.

    Args:
        tokenizer: one for which `cut_of` is not None.
        raw: length, and the ends at which texts are cut and filled up.
        dtype: of the ids.

    Raises:
        ValueError: TensorFlow has no operators for the tokenizer.
    """
    cut = cut_of(tokenizer)
    if cut is None:
        raise ValueError("TensorFlow has no operators for this tokenizer")
    tokens = sorted(tokenizer.vocabulary.items(), key=lambda item: item[1])
    pairs = tf.lookup.KeyValueTensorInitializer([token for token, _ in tokens], [number for _, number in tokens])
    table = tf.lookup.StaticHashTable(pairs, tokenizer.vocabulary[cut.unknown])
    before, after = _around(tokenizer)
    room = raw.length - len(before) - len(after)

    def prepare(texts: tf.Tensor) -> tf.Tensor:
        ids = tf.ragged.map_flat_values(table.lookup, _tokens(texts, cut))
        ids = ids[:, -room:] if raw.cut == "left" and room > 0 else ids[:, : max(room, 0)]
        rows = tf.shape(texts)[0]
        whole: tf.RaggedTensor = tf.concat([_repeated(before, rows), ids, _repeated(after, rows)], axis=1)
        if raw.padded == "right":
            return tf.cast(whole.to_tensor(raw.padding, shape=(None, raw.length)), dtype)
        mirrored = whole[:, ::-1].to_tensor(raw.padding, shape=(None, raw.length))
        return tf.cast(tf.reverse(mirrored, axis=[1]), dtype)

    return prepare, table


def _tokens(texts: tf.Tensor, cut: Cut) -> tf.RaggedTensor:
    if cut.lowercase:  # ICU has another sigma at the end of a word, the library's Lowercase has not
        texts = tf.strings.lower(tf.strings.regex_replace(texts, "\u03a3", "\u03c3"), encoding="utf-8")
    if cut.into == "characters":
        return tf.strings.unicode_split(texts, "UTF-8")
    apart = tf.strings.regex_replace(texts, _WORDS, r" \1 ")
    return tf.strings.split(tf.strings.strip(tf.strings.regex_replace(apart, _SPACES, " ")))


def _around(tokenizer: Tokenizer) -> tuple[list[int], list[int]]:
    """Ids before and after each text."""
    every = tokenizer.encode("", special_tokens=True)
    for token in tokenizer.vocabulary:
        (inside,) = ids if len(ids := tokenizer.encode(token)) == 1 else (None,)
        whole = tokenizer.encode(token, special_tokens=True)
        if inside is not None and inside not in every and len(whole) == len(every) + 1:
            place = whole.index(inside)
            return whole[:place], whole[place + 1 :]
    return every, []


def _repeated(ids: Sequence[int], rows: tf.Tensor) -> tf.RaggedTensor:
    found = tf.tile(tf.constant([[*ids]], tf.int32, (1, len(ids))), (rows, 1))
    return tf.RaggedTensor.from_tensor(found)
