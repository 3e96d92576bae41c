"""How much each class counts in the loss of a stage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Discriminator, Tag

from tfopt.core.config.training.compile import Compile
from tfopt.core.config.training.outputs import Outputs
from tfopt.core.language.mistakes import Mistake
from tfopt.core.language.suggest import closest

OfClasses = Literal["balanced"] | dict[int, float]
"""Weights of the classes of one output."""


def _form(value: object) -> str:
    """Which form a value is, so that an error is about that form alone."""
    names = isinstance(value, Mapping) and any(not str(key).lstrip("-").isdigit() for key in value)
    return "by_output" if names else "one"


ClassWeights = Annotated[
    Annotated[OfClasses, Tag("one")] | Annotated[dict[str, OfClasses], Tag("by_output")], Discriminator(_form)
]
"""Weights of the classes of the only output, or of each output by its name."""


def class_weight_problems(weights: ClassWeights | None, compile: Compile) -> Iterator[Mistake]:
    """What is wrong with the weights of classes together with the outputs of a recipe."""
    if weights is None:
        return
    by_output = _form(weights) == "by_output"
    classes = [name for name, of in compile.of_each().items() if Outputs.of(of).are_classes]
    if not compile.outputs:
        if by_output and isinstance(weights, dict):
            names = ", ".join(map(str, weights))
            text = f"names {names}, but compile.loss names no outputs. Expected balanced, or weights by class"
            yield Mistake(("class_weights",), text, code="conflicting_keys")
        return
    if not by_output:
        text = f"must name the output, as compile.loss does, such as {{{(classes or compile.outputs)[0]}: balanced}}"
        yield Mistake(("class_weights",), text, code="conflicting_keys")
        return
    for name in weights:
        if name not in classes:
            guess = closest(str(name), classes) or f" Outputs with classes: {', '.join(classes) or 'none'}."
            text = f"is about {name!r}, which is no output with classes.{guess}"
            yield Mistake(("class_weights", str(name)), text, code="unknown_output")
