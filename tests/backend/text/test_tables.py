"""Tables of texts: columns, labels, and the line of each mistake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tfopt.backend.text.tables import read_jsonl, read_table
from tfopt.core.config.text.text import TextConfig
from tfopt.errors import StageError


def config(**keys: Any) -> TextConfig:
    return TextConfig.model_validate({"tokenizer": {"kind": "word"}, "length": 4, **keys})


def file(folder: Path, name: str, content: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(content.encode(encoding))
    return path


def test_csv_with_quotes_and_a_byte_order_mark(tmp_path: Path) -> None:
    path = file(tmp_path, "a.csv", '\ufefftext,label\r\n"good, really",yes\r\n"two\nlines",no\r\n')
    texts, labels = read_table(path, config())
    assert texts == ["good, really", "two\nlines"]
    assert labels is not None
    assert labels.tolist() == ["yes", "no"]


def test_tsv_takes_quotation_marks_as_they_are(tmp_path: Path) -> None:
    path = file(tmp_path, "a.tsv", 'sentence\tstars\n"bad\t1\nsaid "hi"\t5\n')
    texts, labels = read_table(path, config(column="sentence", label="stars"))
    assert texts == ['"bad', 'said "hi"']
    assert labels is not None
    assert labels.dtype == np.int64


def test_jsonl_with_pairs_and_quantities(tmp_path: Path) -> None:
    path = file(tmp_path, "a.jsonl", '{"q": "a?", "a": "b", "score": 1}\n\n{"q": "c?", "a": "d", "score": 0.5}\n')
    texts, labels = read_jsonl(path, config(column=["q", "a"], label="score"))
    assert texts == [("a?", "b"), ("c?", "d")]
    assert labels is not None
    assert (labels.dtype, labels.tolist()) == (np.float32, [1.0, 0.5])


def test_whole_numbers_are_classes_unless_the_recipe_says_otherwise(tmp_path: Path) -> None:
    path = file(tmp_path, "a.csv", "text;label\na;3\nb;4\n")
    for quantity, dtype in ((False, np.int64), (True, np.float32)):
        _, labels = read_table(path, config(quantity=quantity), delimiter=";")
        assert labels is not None
        assert labels.dtype == dtype


def test_a_language_model_needs_no_labels(tmp_path: Path) -> None:
    path = file(tmp_path, "a.csv", "text\nonce upon\n")
    assert read_table(path, config(task="language_model")) == (["once upon"], None)


@pytest.mark.parametrize(
    ("name", "content", "keys", "message"),
    [
        ("a.csv", "txt,label\na,b\n", {}, r"a\.csv:2: there is no 'text'. Did you mean 'txt'\?"),
        ("a.csv", "text,lable\na,b\n", {}, "there is no 'label'. Did you mean 'lable'"),
        ("a.csv", "text,label\na,b\n ,c\n", {}, r"a\.csv:3: the text in 'text' is empty"),
        ("a.csv", "text,label\na,b\nb,\n", {}, r"a\.csv:3: the label is missing"),
        ("a.csv", "text,label\na,b,c\n", {}, r"a\.csv:2: 3 values, but the header has 2 columns"),
        ("a.csv", "text,text\na,b\n", {}, "every column needs a name of its own"),
        ("a.csv", "", {}, "every column needs a name of its own"),
        ("a.csv", "text,label\n", {}, "has no rows"),
        ("a.csv", 'text,label\n"a,b\n', {}, "cannot be read as a table"),
        ("a.csv", "text,label\na,good\n", {"quantity": True}, "the label 'good' is no number"),
        ("a.jsonl", '{"text": "a", "label": "b"}\nno\n', {}, r"a\.jsonl:2 is no JSON"),
        ("a.jsonl", "[1]\n", {}, r"a\.jsonl:1 is a list"),
        ("a.jsonl", '{"text": 3, "label": "b"}\n', {}, "'text' is a int, not a text"),
        ("a.jsonl", '{"text": null, "label": "b"}\n', {}, "'text' is missing"),
        ("a.jsonl", '{"text": "a", "label": "b"}\n{"text": "a", "label": 1}\n', {}, r"a\.jsonl:2: the label 1 is a nu"),
        ("a.jsonl", '{"text": "a", "label": [1]}\n', {}, "the label is a list"),
    ],
)
def test_a_mistake_is_told_with_its_line(
    tmp_path: Path, name: str, content: str, keys: dict[str, Any], message: str
) -> None:
    path = file(tmp_path, name, content)
    with pytest.raises(StageError, match=message):
        (read_jsonl if name.endswith("l") else read_table)(path, config(**keys))


@pytest.mark.parametrize(
    ("content", "written", "said", "message", "hint"),
    [
        ("text,label\ncafé,b\n", "latin-1", "utf-8", r"a\.csv:2 is not utf-8 text: byte 0xe9", "latin-1"),
        ("text,label\na,b\n", "utf-16", "utf-8", "is not utf-8 text", "utf-16"),
        ("text,label\na,b\n", "utf-16-le", "utf-8", "has a NUL character", "utf-16"),
        ("text,label\ncafé,b\n", "utf-8", "latin-1", "is UTF-8 text with letters beyond ASCII", "Remove"),
    ],
)
def test_a_wrong_encoding_is_told(
    tmp_path: Path, content: str, written: str, said: str, message: str, hint: str
) -> None:
    with pytest.raises(StageError, match=message) as caught:
        read_table(file(tmp_path, "a.csv", content, written), config(encoding=said))
    assert hint in caught.value.hint


def test_the_encoding_of_the_recipe_is_used(tmp_path: Path) -> None:
    path = file(tmp_path, "a.csv", "text,label\ncafé,b\n", "latin-1")
    assert read_table(path, config(encoding="latin-1"))[0] == ["café"]
