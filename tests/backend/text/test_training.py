"""Tokenizers that training texts make."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tfopt.backend.text.tokenizer import Tokenizer
from tfopt.backend.text.training import trained
from tfopt.core.config.text.tokenizers import (
    BytePairTokenizer,
    CharTokenizer,
    TrainedTokenizer,
    WordPieceTokenizer,
    WordTokenizer,
)
from tfopt.errors import StageError

TEXTS = ["The cat sat on the mat.", "The dog sat on a log!", "A hat and a bat: über-cat"] * 3
ALL: list[TrainedTokenizer] = [
    CharTokenizer(),
    WordTokenizer(vocabulary_size=12),
    WordPieceTokenizer(vocabulary_size=80),
    BytePairTokenizer(vocabulary_size=270),
]


@pytest.mark.parametrize("config", ALL, ids=lambda config: config.kind)
def test_padding_is_token_0_and_the_unknown_token_1(config: TrainedTokenizer) -> None:
    tokenizer = trained(config, TEXTS)
    assert (tokenizer.padding_id, tokenizer.unknown_id) == (0, 1)
    assert tokenizer.vocabulary_size == len(tokenizer.vocabulary) <= getattr(config, "vocabulary_size", 30)
    assert 0 not in tokenizer.encode(TEXTS[0])
    assert max(tokenizer.encode(TEXTS[0])) < tokenizer.vocabulary_size


def test_what_it_knows_comes_back() -> None:
    char, _, pieces, pairs = (trained(config, TEXTS) for config in ALL)
    assert char.decode(char.encode("The cat\n")) == "The cat"  # no newline in training
    assert pieces.decode(pieces.encode("The CAT")) == "the cat"
    assert pairs.decode(pairs.encode("Die Katze, schön 🐱")) == "Die Katze, schön 🐱"


def test_what_it_does_not_know_is_one_token() -> None:
    char, words, pieces, _ = (trained(config, TEXTS) for config in ALL)
    assert char.encode("€") == words.encode("zebra") == pieces.encode("€") == [1]


def test_tokens_stand_around_each_text() -> None:
    tokenizer = trained(WordTokenizer(begin="[CLS]", end="[SEP]"), TEXTS)
    ids = tokenizer.encode("the cat", special_tokens=True)
    assert [tokenizer.token_of(token) for token in ids] == ["[CLS]", "the", "cat", "[SEP]"]
    assert tokenizer.encode_pairs([("the", "cat")])[1] == [[0, 0, 0, 1, 1]]


def test_every_process_makes_the_same() -> None:
    """WordPiece of the library does not: it numbers letters inside of words in the order of a hash table."""
    code = (
        "import hashlib\n"
        "from tests.backend.text.test_training import TEXTS, ALL, trained\n"
        "made = [trained(config, TEXTS).files['tokenizer.json'] for config in ALL]\n"
        "print(hashlib.sha256(b''.join(made)).hexdigest())"
    )
    digests = {subprocess.check_output([sys.executable, "-c", code], text=True) for _ in range(2)}
    assert len(digests) == 1


def test_a_vocabulary_needs_room_for_the_letters() -> None:
    with pytest.raises(StageError, match=r"vocabulary_size is 20") as caught:
        trained(WordPieceTokenizer(vocabulary_size=20), TEXTS)
    least = int(caught.value.hint.split("at least ")[1].split(",")[0])
    assert trained(WordPieceTokenizer(vocabulary_size=least), TEXTS).vocabulary_size == least


def test_files_are_all_it_is() -> None:
    tokenizer = trained(BytePairTokenizer(vocabulary_size=270, end="<end>"), TEXTS)
    again = Tokenizer.from_files(tokenizer.files)
    assert again.encode("a bat<end>", special_tokens=True) == tokenizer.encode("a bat<end>", special_tokens=True)
    assert again.id_of("<end>") == 2
