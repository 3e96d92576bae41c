"""Tokenizers of others are read as they are."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from tfopt.backend.text.files import read
from tfopt.backend.text.training import trained
from tfopt.core.config.text.tokenizers import BytePairTokenizer, FileTokenizer
from tfopt.errors import EnvironmentProblem, StageError

BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "cat", "Cat", "##s"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "vocab.txt").write_text("\n".join(BERT) + "\n", encoding="utf-8")
    return tmp_path


def test_a_word_list_is_a_bert_tokenizer(folder: Path) -> None:
    tokenizer = read(FileTokenizer(path="vocab.txt"), folder)
    assert tokenizer.encode("The Cats dog", special_tokens=True) == [2, 4, 5, 7, 1, 3]
    assert (tokenizer.padding_id, tokenizer.unknown_id, tokenizer.vocabulary_size) == (0, 1, 8)


def test_upper_case_is_kept_where_the_recipe_or_the_file_beside_it_says_so(folder: Path) -> None:
    assert read(FileTokenizer(path="vocab.txt", lowercase=False), folder).encode("Cat") == [6]
    (folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": False}))
    assert read(FileTokenizer(path="."), folder).encode("Cat") == [6]
    assert read(FileTokenizer(path="vocab.txt", lowercase=True), folder).encode("Cat") == [5]


def test_tokenizer_json_comes_before_the_word_list(folder: Path) -> None:
    made = trained(BytePairTokenizer(vocabulary_size=270), ["the cat"] * 9)
    (folder / "tokenizer.json").write_bytes(made.files["tokenizer.json"])
    assert read(FileTokenizer(path=str(folder))).vocabulary == made.vocabulary


def test_gpt_2_before_tokenizer_json(tmp_path: Path) -> None:
    made = json.loads(trained(BytePairTokenizer(vocabulary_size=270), ["the cat"] * 9).files["tokenizer.json"])
    (tmp_path / "vocab.json").write_text(json.dumps(made["model"]["vocab"]))
    merges = [" ".join(pair) for pair in made["model"]["merges"]]
    (tmp_path / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    tokenizer = read(FileTokenizer(path=str(tmp_path)))
    assert tokenizer.decode(tokenizer.encode("the cat, ü")) == "the cat, ü"


def test_the_recipe_chooses_the_tokens_around_texts(folder: Path) -> None:
    tokenizer = read(FileTokenizer(path="vocab.txt", end="[SEP]"), folder)
    assert tokenizer.encode("the", special_tokens=True) == [4, 3]


def test_sentencepiece_stays_as_it_is(tmp_path: Path) -> None:
    sentencepiece = pytest.importorskip("sentencepiece")
    model = io.BytesIO()
    texts = iter(["the cat sat on the mat", "a cat and a hat"] * 20)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=texts, model_writer=model, vocab_size=30, hard_vocab_limit=False, minloglevel=5
    )
    (tmp_path / "spiece.model").write_bytes(model.getvalue())
    assert read(FileTokenizer(path=str(tmp_path))).files["tokenizer.model"] == model.getvalue()
    tokenizer = read(FileTokenizer(path="spiece.model", begin="<s>", end="</s>"), tmp_path)
    ids = tokenizer.encode("the cat", special_tokens=True)
    assert (tokenizer.token_of(ids[0]), tokenizer.token_of(ids[-1])) == ("<s>", "</s>")


@pytest.mark.parametrize(
    ("name", "content", "code", "message"),
    [
        ("none.json", None, "data_missing", "there is no"),
        ("bad.json", "{}", "data_unreadable", "cannot be read"),
        ("vocab.txt", "a\nb\n", "data_unreadable", r"has no \[UNK\] among its 2 lines"),
        ("vocab.txt", "[UNK]\na\na\n", "data_unreadable", "has the token 'a' twice"),
        ("vocab.bin", "x", "unknown_file_type", "unknown type"),
        ("vocab.json", "{}", "data_missing", "needs merges.txt next to it"),
        ("bad.model", "x", "data_unreadable", "cannot be read"),
    ],
)
def test_an_unusable_file_is_named(tmp_path: Path, name: str, content: str | None, code: str, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(StageError, match=message) as caught:
        read(FileTokenizer(path=name), tmp_path)
    assert caught.value.code == code


def test_a_folder_without_a_tokenizer(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="has no tokenizer"):
        read(FileTokenizer(path=str(tmp_path)))


def test_a_token_of_the_recipe_has_to_be_in_the_file(folder: Path) -> None:
    with pytest.raises(StageError, match=r"tokenizer\.end is '\[SPE\]'.*Did you mean '\[SEP\]'"):
        read(FileTokenizer(path="vocab.txt", end="[SPE]"), folder)


def test_a_package_that_is_not_installed(folder: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="not installed"):
        read(FileTokenizer(path="no_such_package:model"), folder)
