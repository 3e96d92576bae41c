"""The block `data.text`: what a recipe can say about texts, and what it cannot."""

from __future__ import annotations

from typing import Any

import pytest

from tfopt.catalog.catalog import catalog
from tfopt.core.recipe.recipe import Recipe, read_recipe
from tfopt.errors import Problem

WORDS = {"kind": "word"}


def read(text: Any, **data: Any) -> tuple[Recipe | None, list[Problem]]:
    body = {"tokenizer": WORDS, "length": 8, **text} if isinstance(text, dict) else text
    document = {
        "name": "texts",
        "data": {"source": "reviews.csv", **data, **({"text": body} if body is not None else {})},
        "model": {"source": "mlp"},
        "stages": [{"train": {"epochs": 1}}],
    }
    return read_recipe(document, catalog())


def test_a_short_block_is_enough_and_reads_itself_again() -> None:
    recipe, problems = read({})
    assert problems == []
    assert recipe is not None
    assert recipe.data.text is not None
    assert (recipe.data.text.columns, recipe.data.text.label_column) == (("text",), "label")
    again, problems = read_recipe(recipe.to_document(), catalog())
    assert (again, problems) == (recipe, [])


def test_a_recipe_without_texts_is_written_as_before() -> None:
    recipe, _ = read(None)
    assert recipe is not None
    assert "text" not in recipe.to_document()["data"]


@pytest.mark.parametrize(
    ("text", "data", "message"),
    [
        ({"length": 0}, {}, "data.text.length must be at least 1. Got 0."),
        ({"tokenizer": {"kind": "wordpeice"}}, {}, "Got 'wordpeice'"),
        ({"tokenizer": {"kind": "bpe", "vocabulary_size": 200}}, {}, "at least 258: 256 bytes and 2 special tokens"),
        ({"tokenizer": {"kind": "word", "vocabulary_size": 3, "begin": "[CLS]"}}, {}, "at least 4: 3 are special"),
        ({"tokenizer": {"kind": "file"}}, {}, "needs the key 'path'"),
        ({"tokenizer": {"kind": "file", "path": " "}}, {}, "must be the path of a tokenizer"),
        ({"tokenizer": {"kind": "file", "path": "t.json", "lowercase": True}}, {}, "lowercase is for vocab.txt"),
        ({"tokenizer": {"kind": "char", "vocabulary_size": 30}}, {}, "has no key 'vocabulary_size'"),
        ({"tokenizer": {"kind": "word", "special_tokens": [""]}}, {}, "must have a letter or sign in each token"),
        ({"tokenizer": {"kind": "word", "end": " "}}, {}, "end must be a token"),
        ({"task": "language_model", "label": "x"}, {}, "label has no meaning for a language model"),
        ({"task": "language_model", "padding": "start"}, {}, "padding has no meaning for a language model"),
        ({"task": "language_model", "column": ["a", "b"]}, {}, "a language model reads one column"),
        ({"stride": 3}, {}, "stride needs task: language_model"),
        ({"column": ["a"]}, {}, "must be one column, or two"),
        ({"column": ["a", "a"]}, {}, "must name different columns"),
        ({"label": "text"}, {}, "label 'text' is the column of the text, too"),
        ({"inputs": {"a": "mask"}}, {}, "must have an input that is `ids`"),
        ({"encoding": "klingon"}, {}, "must be an encoding that Python knows"),
        ({}, {"source": "a.txt"}, "source a.txt has no labels"),
        ({"task": "language_model", "column": "a"}, {"source": "a.txt"}, "text.column is of tables"),
        ({}, {"source": "a.npz"}, "source a.npz holds numbers"),
        (None, {"source": "a.jsonl"}, "source a.jsonl holds texts: add a block such as text:"),
        ({}, {"targets": "inputs"}, "text.task: language_model predicts tokens"),
        ({}, {"augment": {"flip": "both"}}, "augment changes images by flip, shift, crop and mixup"),
        ({}, {"augment": {"tokens": {"mask": "0%"}}}, "needs mask, replace or drop above 0%"),
        ({}, {"augment": {"tokens": {"mask": "60%", "drop": "50%"}}}, "less than 100% of the tokens. Got 110%"),
        ({"task": "language_model"}, {"augment": {"tokens": {"drop": "5%"}}}, "the targets of a language model stay"),
        (None, {"source": "digits", "augment": {"tokens": {"drop": "5%"}}}, "augment.tokens changes texts"),
    ],
)
def test_a_mistake_is_one_problem(text: Any, data: dict[str, Any], message: str) -> None:
    recipe, problems = read(text, **data)
    assert recipe is None
    assert len(problems) == 1
    assert message in problems[0].message


def test_texts_are_changed_by_token_or_by_a_function() -> None:
    for augment in ({"tokens": {"mask": "10%", "drop": "5%", "variants": 4}}, {"function": "mine:changed"}):
        assert read({}, augment=augment)[1] == []


def test_special_tokens_come_once_and_first() -> None:
    recipe, _ = read({"tokenizer": {"kind": "char", "begin": "<s>", "end": "<s>", "special_tokens": ["<x>", "[UNK]"]}})
    assert recipe is not None
    assert recipe.data.text is not None
    tokenizer = recipe.data.text.tokenizer
    assert tokenizer.kind == "char"
    assert tokenizer.all_special_tokens() == ("[PAD]", "[UNK]", "<s>", "<x>")
