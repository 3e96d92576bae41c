"""A `data` block with `text`, from the source to splits of token ids."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tfopt.backend.data.load import load
from tfopt.backend.data.splits import Data
from tfopt.backend.data.vocabulary import tokenizer_of, vocabulary_size
from tfopt.backend.text.tokenizer import Tokenizer
from tfopt.core.config.data import DataConfig
from tfopt.errors import StageError

MODULE = """
TEXTS = [f"item {number} is good" for number in range(20)]
LABELS = ["yes", "no"] * 10

def pair(): return TEXTS, LABELS
def splits(): return {"train": (TEXTS, LABELS), "test": (["rare words"], ["yes"])}
def two(): return (TEXTS, LABELS), (["rare words"], ["yes"])
def numbers(): return TEXTS, [0.5] * 20
def pairs(): return [("how?", text) for text in TEXTS], LABELS
def raw(): return [text.encode() for text in TEXTS], LABELS
def play(): return "to be or not to be " * 40
def acts(): return {"train": "to be or not to be " * 9, "validation": "or not " * 9, "test": ["be " * 9]}
def many(): return TEXTS
def empty(): return ["a", " "], ["yes", "no"]
def none(): return ["a", None], ["yes", "no"]
def short(): return TEXTS, LABELS[:3]
def strange(): return {"train": (TEXTS, LABELS), "test": (TEXTS, ["maybe"] * 20)}
def number(): return 3
def mapping(): return {"texts": TEXTS}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sources")
    (folder / "text_sources.py").write_text(MODULE)
    return folder


def read(folder: Path, function: str, *, seed: int = 0, **text: Any) -> Data:
    body = {"tokenizer": {"kind": "word"}, "length": 6, **text}
    source = function if "." in function else f"text_sources:{function}"
    return load(DataConfig.model_validate({"source": source, "seed": seed, "text": body}), folder)


def words(data: Data, row: int = 0) -> str:
    tokenizer = tokenizer_of(data)
    assert tokenizer is not None
    assert isinstance(data.train.inputs, np.ndarray)
    return tokenizer.decode(data.train.inputs[row])


def test_texts_and_labels_of_a_function(folder: Path) -> None:
    data = read(folder, "pair")
    assert (len(data.train), len(data.validation), len(data.test)) == (14, 2, 4)
    assert data.class_names == ("no", "yes")
    assert isinstance(data.train.inputs, np.ndarray)
    assert (data.train.inputs.dtype, data.input_shape, data.num_outputs) == (np.int32, (6,), 2)
    assert words(data).startswith("item")
    tokenizer = tokenizer_of(data)
    assert tokenizer is not None
    assert vocabulary_size(data) == tokenizer.vocabulary_size


def test_the_tokenizer_sees_the_training_split_only(folder: Path) -> None:
    for function in ("splits", "two"):
        data = read(folder, function)
        tokenizer = tokenizer_of(data)
        assert tokenizer is not None
        assert tokenizer.id_of("rare") is None
        assert data.text is not None
        assert data.text.unknown == 1.0
    held = [word for word in read(folder, "pair").test.inputs.ravel().tolist() if word == 1]
    assert held, "numbers of test items were in the vocabulary"


def test_what_travels_is_the_tokenizer_that_made_the_ids(folder: Path) -> None:
    data = read(folder, "pair")
    assert data.preprocessing is not None
    again = Tokenizer.from_files(data.preprocessing.files)
    assert isinstance(data.train.inputs, np.ndarray)
    ids = data.train.inputs[0]
    assert again.encode(again.decode(ids)) == ids[ids != 0].tolist()


def test_the_tokenizer_is_part_of_the_fingerprint(folder: Path) -> None:
    first = read(folder, "pair")
    assert read(folder, "pair").fingerprint == first.fingerprint
    assert read(folder, "pair", tokenizer={"kind": "word", "special_tokens": ["<x>"]}).fingerprint != first.fingerprint
    assert read(folder, "pair", seed=1).fingerprint != first.fingerprint


@pytest.mark.parametrize(("function", "classes"), [("raw", 2), ("pairs", 2), ("numbers", None)])
def test_other_forms_of_texts_and_labels(folder: Path, function: str, classes: int | None) -> None:
    assert read(folder, function).num_classes == classes


def test_inputs_have_the_names_of_the_model(folder: Path) -> None:
    data = read(folder, "pairs", inputs={"token_ids": "ids", "padding_mask": "mask", "segment_ids": "segments"})
    assert isinstance(data.train.inputs, dict)
    assert {name: array.shape for name, array in data.train.inputs.items()} == dict.fromkeys(
        ("token_ids", "padding_mask", "segment_ids"), (14, 6)
    )
    assert data.train.inputs["segment_ids"].max() == 1
    assert vocabulary_size(data) == max(array.max() for array in data.train.inputs.values()) + 1


def test_a_truncated_vocabulary_is_smaller_and_says_the_same(folder: Path) -> None:
    full = read(folder, "pair", tokenizer={"kind": "wordpiece", "vocabulary_size": 100})
    small = read(folder, "pair", tokenizer={"kind": "wordpiece", "vocabulary_size": 100}, truncate_vocabulary=True)
    assert (vocabulary_size(small) or 0) < (vocabulary_size(full) or 0)
    assert words(small) == words(full)


def test_windows_of_a_play_are_cut_in_order(folder: Path) -> None:
    data = read(folder, "play", task="language_model", length=5)
    assert (data.num_classes, data.num_outputs) == (vocabulary_size(data), vocabulary_size(data))
    for split in (data.train, data.validation, data.test):
        assert isinstance(split.inputs, np.ndarray)
        assert isinstance(split.targets, np.ndarray)
        assert split.inputs.shape == split.targets.shape
        assert (split.inputs[:, 1:] == split.targets[:, :-1]).all()
    assert len(data.train) > len(data.test) > len(data.validation) > 0


@pytest.mark.parametrize("function", ["acts", "many", "pair"])
def test_other_sources_of_language_models(folder: Path, function: str) -> None:
    data = read(folder, function, task="language_model", length=3)
    assert min(len(data.train), len(data.validation), len(data.test)) > 0


def test_files_beside_the_recipe(folder: Path) -> None:
    rows = [{"text": f"row {number}", "label": number % 2} for number in range(20)]
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert read(folder, "rows.jsonl").num_classes == 2
    (folder / "play.txt").write_text("to be or not to be " * 30)
    assert read(folder, "play.txt", task="language_model").num_classes == 6


@pytest.mark.parametrize(
    ("function", "keys", "message"),
    [
        ("empty", {}, "train split, text 1 is empty"),
        ("none", {}, "train split, text 1 is missing"),
        ("short", {}, "targets has 3 examples, but there are 20"),
        ("strange", {}, "the class 'maybe' does not occur in training"),
        ("number", {}, "returned a int"),
        ("number", {"task": "language_model"}, "the texts are a int"),
        ("mapping", {"task": "language_model"}, "returned a dict with the key 'texts'"),
        ("many", {}, "returned a list"),
        ("play", {}, "returned a text without labels. Use data.text.task: language_model"),
        ("play", {"task": "language_model", "length": 99}, "test split: 48 tokens, but a window needs 100"),
        ("missing.csv", {}, "does not exist"),
        ("pair", {"tokenizer": {"kind": "file", "path": "none.json"}}, r"data.text.tokenizer.path: there is no"),
    ],
)
def test_bad_input_is_one_clear_error(folder: Path, function: str, keys: dict[str, Any], message: str) -> None:
    with pytest.raises(StageError) as caught:
        read(folder, function, **keys)
    assert message in str(caught.value)


def test_texts_without_the_block_are_told_what_they_need(folder: Path) -> None:
    for function in ("pair", "play"):
        with pytest.raises(StageError, match=r"need a data\.text block"):
            load(DataConfig(source=f"text_sources:{function}"), folder)
