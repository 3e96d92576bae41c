"""Text while tokens come: no broken characters, spaces where the whole text has them."""

from __future__ import annotations

import json

from tfopt.backend.decoding.text_stream import TextStream
from tfopt.backend.text.tokenizer import Tokenizer


def tokenizer(model: dict[str, object], decoder: dict[str, object]) -> Tokenizer:
    document = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
        "pre_tokenizer": None, "post_processor": None, "decoder": decoder, "model": model,
    }  # fmt: skip
    return Tokenizer.from_files({"tokenizer.json": json.dumps(document).encode()})


def test_a_character_of_several_tokens_comes_whole() -> None:
    # The byte level writes the bytes of "é" as "Ã" and "©".
    bytes_of = tokenizer(
        {"type": "BPE", "vocab": {"a": 0, "\u00c3": 1, "\u00a9": 2}, "merges": []},
        {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
    )
    stream = TextStream(bytes_of, [0])
    assert [stream.add(token) for token in (1, 2, 0, 1)] == ["", "é", "a", ""]
    assert stream.end() == "\N{REPLACEMENT CHARACTER}"


def test_words_have_spaces_and_word_parts_have_none() -> None:
    words = tokenizer(
        {"type": "WordPiece", "vocab": {"new": 0, "##er": 1, "york": 2, "[UNK]": 3}, "unk_token": "[UNK]",
         "continuing_subword_prefix": "##", "max_input_chars_per_word": 99},
        {"type": "WordPiece", "prefix": "##", "cleanup": False},
    )  # fmt: skip
    stream = TextStream(words, [0])
    assert [stream.add(token) for token in (1, 2, 0)] == ["er", " york", " new"]
