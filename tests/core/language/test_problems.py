"""Every type of pydantic's errors becomes one message in our words."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, ValidationError, field_validator, model_validator

from tfopt.core.language.block import Block, KeyMistake
from tfopt.core.language.problems import problems_from
from tfopt.core.language.wording import quote
from tfopt.errors import Problem


class Round(Block):
    """A shape."""

    kind: Literal["round"] = "round"
    """The shape."""
    radius: Annotated[float, Field(gt=0)]
    """Half of its width."""


class Square(Block):
    """A shape."""

    kind: Literal["square"] = "square"
    """The shape."""
    side: Annotated[int, Field(ge=1, le=9)]
    """Its width."""


class Sample(Block):
    """One key of every sort."""

    whole: int = 1
    """A number."""
    number: float = 1.0
    """A number."""
    truth: bool = False
    """Yes or no."""
    text: str = ""
    """Some text."""
    short: Annotated[str, Field(max_length=3, min_length=1)] = "a"
    """Little text."""
    choice: Literal["red", "green"] = "red"
    """A colour."""
    level: Literal[2, 4] = 2
    """A number out of two."""
    shape: Round | Square = Field(default=Round(radius=1), discriminator="kind")
    """One of two."""
    size: float | Round = 1.0
    """A number or a block."""
    weights: Literal["balanced"] | dict[int, float] | None = None
    """A word or a mapping."""
    pair: tuple[int, int] = (1, 1)
    """Two numbers."""
    many: Annotated[tuple[Square, ...], Field(max_length=2)] = ()
    """A few squares."""
    below: Annotated[float, Field(lt=1)] = 0.5
    """Less than one."""
    even: Annotated[int, Field(multiple_of=2)] = 2
    """Even."""
    letters: Annotated[str, Field(pattern="^[a-z]+$")] = "a"
    """Small letters."""
    checked: int = 0
    """ValidationResult by a function."""

    @field_validator("checked")
    @classmethod
    def _small(cls, value: int) -> int:
        if value > 5:
            raise ValueError("must be small (write 5)")
        return value

    @model_validator(mode="after")
    def _fit(self) -> Sample:
        if self.whole == 13:
            raise ValueError("13 brings bad luck")
        if self.whole == 14:
            raise KeyMistake(("whole",), "whole is 14, which is 13 in disguise", code="out_of_range")
        return self


def told(document: dict[Any, Any]) -> list[Problem]:
    with pytest.raises(ValidationError, match="Sample") as caught:
        Sample.model_validate(document)
    return problems_from(caught.value, document, Sample, ("stages", 0, "sample"), "sample")


CASES: list[tuple[dict[Any, Any], tuple[Any, ...], str]] = [
    ({"whole": "3"}, ("whole",), "sample.whole must be a whole number. Got '3' (without the quotes)."),
    ({"whole": None}, ("whole",), "sample.whole must be a whole number. Got nothing."),
    ({"number": "fast"}, ("number",), "sample.number must be a number. Got 'fast'."),
    ({"number": float("nan")}, ("number",), "sample.number must be a finite number. Got nan."),
    ({"truth": "yes"}, ("truth",), "sample.truth must be true or false. Got 'yes'."),
    ({"text": 5}, ("text",), "sample.text must be a text. Got 5 (put it in quotes: '5')."),
    ({"text": True}, ("text",), "sample.text must be a text. Got true (put it in quotes: 'true')."),
    ({"text": ["a"]}, ("text",), 'sample.text must be a text. Got ["a"].'),
    ({"short": "long"}, ("short",), "sample.short must be at most 3 characters long. Got 'long'."),
    ({"short": ""}, ("short",), "sample.short must be at least 1 characters long. Got ''."),
    ({"choice": "gren"}, ("choice",), "sample.choice must be red or green. Got 'gren'. Did you mean 'green'?"),
    ({"level": 3}, ("level",), "sample.level must be 2 or 4. Got 3."),
    ({"shape": {"radius": 1}}, ("shape",), "sample.shape needs the key 'kind': round or square."),
    (
        {"shape": {"kind": "sqare", "side": 1}},
        ("shape", "kind"),
        "sample.shape.kind must be round or square. Got 'sqare'. Did you mean 'square'?",
    ),
    ({"shape": "round"}, ("shape",), "sample.shape must be a mapping (keys with values). Got 'round'."),
    ({"shape": {"kind": "round"}}, ("shape", "radius"), "sample.shape needs the key 'radius': half of its width."),
    ({"shape": {"kind": "square", "side": 12}}, ("shape", "side"), "sample.shape.side must be at most 9. Got 12."),
    (
        {"shape": {"kind": "square", "side": 1, "radius": 1}},
        ("shape", "radius"),
        "sample.shape has no key 'radius'. Its keys: kind, side.",
    ),
    ({"size": "big"}, ("size",), "sample.size must be a number or a mapping (keys with values). Got 'big'."),
    ({"size": {"radius": -1}}, ("size", "radius"), "sample.size.radius must be above 0. Got -1."),
    (
        {"weights": "balance"},
        ("weights",),
        "sample.weights must be 'balanced' or a mapping (keys with values). Got 'balance'.",
    ),
    ({"weights": {"a": 1.0}}, ("weights", "a"), "the keys of sample.weights must be a whole number. Got 'a'."),
    ({"weights": {0: "x"}}, ("weights", 0), "sample.weights.0 must be a number. Got 'x'."),
    ({"pair": [1]}, ("pair",), "sample.pair must be a list with more entries. Got [1]."),
    ({"pair": []}, ("pair",), "sample.pair must be a list with more entries. Got an empty list."),
    ({"pair": [1, 2, 3]}, ("pair",), "sample.pair must be a list of at most 2 entries. Got [1, 2, 3]."),
    ({"pair": [1, "b"]}, ("pair", 1), "sample.pair.1 must be a whole number. Got 'b'."),
    ({"pair": 3}, ("pair",), "sample.pair must be a list. Got 3 (write [3])."),
    ({"many": [{"side": 1}, {"sid": 1}]}, ("many", 1, "sid"), "sample.many.1 has no key 'sid'. Did you mean 'side'?"),
    ({"many": [{"side": 1}] * 3}, ("many",), "sample.many must be a list of at most 2 entries. Got "),
    ({"below": 1}, ("below",), "sample.below must be below 1. Got 1."),
    ({"even": 3}, ("even",), "sample.even must be a multiple of 2. Got 3."),
    ({"letters": "A"}, ("letters",), "sample.letters must be a text of the form ^[a-z]+$. Got 'A'."),
    ({"checked": 6}, ("checked",), "sample.checked must be small. Got 6 (write 5)."),
    ({"whole": 13}, (), "sample: 13 brings bad luck."),
    ({"whole": 14}, ("whole",), "sample: whole is 14, which is 13 in disguise."),
    ({"hole": 1}, ("hole",), "sample has no key 'hole'. Did you mean 'whole'?"),
    ({1: 1}, (1,), "sample has no key '1'."),
]


@pytest.mark.parametrize(("document", "path", "message"), CASES, ids=lambda value: str(value)[:40])
def test_one_mistake_gives_one_problem(document: dict[str, Any], path: tuple[Any, ...], message: str) -> None:
    (problem,) = told(document)
    assert problem.path == ("stages", 0, "sample", *path)
    assert str(problem).startswith(message)


def test_several_mistakes_give_several_problems() -> None:
    assert len(told({"whole": "a", "truth": 3, "shape": {"kind": "round", "radius": 0, "x": 1}})) == 4


def test_a_problem_with_a_key_says_so() -> None:
    assert told({"hole": 1})[0].on_key
    assert not told({"whole": "a"})[0].on_key


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        (None, "nothing"),
        (True, "true"),
        (3, "3"),
        (0.5, "0.5"),
        ("15", "'15'"),
        ("120%", "120%"),
        ("60 kB", "60 kB"),
        ("x" * 100, f"'{'x' * 66}..."),
        ({}, "an empty mapping"),
        ({"a": 1, "b": 2}, "a mapping with the keys a, b"),
        ([], "an empty list"),
        ([1, "a"], '[1, "a"]'),
    ],
)
def test_values_are_quoted_as_written(value: object, quoted: str) -> None:
    assert quote(value) == quoted
