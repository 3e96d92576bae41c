"""A tokenizer is its files: the same ids and texts after it travelled."""

from __future__ import annotations

import io

import pytest
from tokenizers import Tokenizer as Library
from tokenizers import decoders, models, pre_tokenizers, processors

from tfopt.backend.text.tokenizer import SENTENCEPIECE_MODEL, TOKENIZER_JSON, Tokenizer
from tfopt.errors import StageError


@pytest.fixture(scope="module")
def words() -> Tokenizer:
    """Three words, [CLS] and [SEP]; its file cuts and fills texts."""
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "cat", "##s"]
    made = Library(models.WordPiece({token: k for k, token in enumerate(tokens)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.decoder = decoders.WordPiece()
    made.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    made.add_special_tokens(tokens[:4])
    made.enable_truncation(3)
    made.enable_padding(length=20)
    return Tokenizer.from_files({TOKENIZER_JSON: made.to_str().encode(), "notes.txt": b"kept"})


def test_a_text_becomes_ids_and_a_text_again(words: Tokenizer) -> None:
    assert words.encode("the cats") == [4, 5, 6]
    assert words.decode([4, 5, 6, 0, 0]) == "the cats"
    assert words.encode("") == []
    assert words.decode([4, 99]) == "the"


def test_special_tokens_are_of_examples_not_of_prompts(words: Tokenizer) -> None:
    assert words.encode("the dog", special_tokens=True) == [2, 4, 1, 3]
    assert words.encode_pairs([("the", "cat")]) == ([[2, 4, 3, 5, 3]], [[0, 0, 0, 1, 1]])
    assert words.decode([2, 4, 3], special_tokens=True) == "[CLS] the [SEP]"


def test_length_is_left_to_the_recipe(words: Tokenizer) -> None:
    assert len(words.encode("the cat the cat the cat")) == 6


def test_what_is_known_of_the_vocabulary(words: Tokenizer) -> None:
    assert words.vocabulary_size == 7
    assert (words.id_of("cat"), words.id_of("dog"), words.token_of(6), words.token_of(7)) == (5, None, "##s", None)
    assert (words.padding_id, words.unknown_id) == (0, 1)


def test_it_is_the_same_after_it_travelled(words: Tokenizer) -> None:
    again = Tokenizer.from_files(dict(words.files))
    assert again.encode("the cats") == words.encode("the cats")
    assert again.files["notes.txt"] == b"kept"


def test_a_sentencepiece_model_is_read_as_it_is() -> None:
    sentencepiece = pytest.importorskip("sentencepiece")
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["the cat sat on the mat", "a cat and a hat"] * 20),
        model_writer=model,
        vocab_size=30,
        hard_vocab_limit=False,
        pad_id=0,
        unk_id=1,
        bos_id=-1,
        eos_id=2,
        minloglevel=5,
    )
    pieces = Tokenizer.from_files({SENTENCEPIECE_MODEL: model.getvalue()})
    assert pieces.decode([*pieces.encode("the cat sat"), 0, 99]) == "the cat sat"
    assert (pieces.vocabulary_size, pieces.padding_id, pieces.unknown_id) == (len(pieces.vocabulary), 0, 1)
    assert pieces.id_of("</s>") == 2
    # As LiteRT-LM writes it: unknown pieces and the space in front, too.
    assert pieces.decode([*pieces.encode("the cat"), 1, 2], special_tokens=True) == " the cat \u2047 </s>"


@pytest.mark.parametrize("files", [{TOKENIZER_JSON: b"{"}, {TOKENIZER_JSON: b"\xff"}, {SENTENCEPIECE_MODEL: b"no"}])
def test_a_broken_file_is_named(files: dict[str, bytes]) -> None:
    with pytest.raises(StageError, match=r"tokenizer\.\w+ cannot be read") as caught:
        Tokenizer.from_files(files)
    assert caught.value.code == "data_unreadable"


def test_other_files_are_no_tokenizer() -> None:
    with pytest.raises(StageError, match=r"no tokenizer among the files labels\.txt"):
        Tokenizer.from_files({"labels.txt": b""})
