"""Axes as typed on a command line: `stages.prune.schedule.kind=polynomial,cosine`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tfopt.core.language.axes import is_range
from tfopt.core.recipe.recipe import Recipe
from tfopt.errors import RecipeError, UsageError
from tfopt.io.recipes.yaml import parse_value

_HINT = "For example --axis stages.prune.schedule.final=50%,80% or --axis stages.prune.schedule.final=50%..90%/5."


def with_sweep(
    recipe: Recipe,
    axes: Sequence[str | Mapping[str, object]] = (),
    seeds: int | str | Sequence[int] | None = None,
    max_trials: int | None = None,
) -> Recipe:
    """A recipe whose `sweep:` block has the values of the command line; what was not given there stays.

    Args:
        recipe: with or without a `sweep:` block.
        axes: replace those of the block; texts as for `parse_axes`, or values by path.
        seeds: how many, or which.
        max_trials: how many at most.

    Raises:
        UsageError: an axis or seeds that cannot be read.
        RecipeError: an axis that the recipe language does not have.
    """
    block = recipe.to_document().get("sweep", {})
    if axes:
        block["axes"] = [parse_axes([axis])[0] if isinstance(axis, str) else axis for axis in axes]
    if isinstance(seeds, str):
        seeds = parse_seeds(seeds)
    if seeds is not None:
        block["seeds"] = seeds if isinstance(seeds, int) else list(seeds)
    if max_trials is not None:
        block["max_trials"] = max_trials
    return recipe.with_overrides({"sweep": block})


def parse_axes(texts: Sequence[str]) -> list[dict[str, object]]:
    """Axes for a `sweep:` block.

    Args:
        texts: `PATH=VALUE,VALUE`, `PATH=FIRST..LAST/COUNT`, or several of these with ` & ` between them, which then go
            together. Values are YAML: `{kind: constant, final: 50%}` is a block.

    Raises:
        UsageError: no `=`, or values that are not YAML.
    """
    return [_axis(text) for text in texts]


def parse_seeds(text: str) -> int | list[int]:
    """Seeds as typed: `3` is how many, `1,5,9` is which.

    Raises:
        UsageError: anything else.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdigit() for part in parts):
        raise UsageError(
            f"--seeds must be a number of seeds such as 3, or a list such as 1,5,9. Got {text!r}.", code="usage"
        )
    numbers = [int(part) for part in parts]
    return numbers[0] if len(numbers) == 1 else numbers


def _axis(text: str) -> dict[str, object]:
    axis: dict[str, object] = {}
    for part in text.split(" & "):
        path, equals, values = part.partition("=")
        path, values = path.strip(), values.strip()
        if not equals or not path or not values:
            raise UsageError(f"--axis must be PATH=VALUES. Got {part.strip()!r}.", _HINT, code="usage")
        if path in axis:
            raise UsageError(f"--axis gives {path} twice.", code="usage")
        axis[path] = values if is_range(values) else _values(path, values)
    return axis


def _values(path: str, text: str) -> object:
    try:
        return parse_value(f"[{text}]")
    except RecipeError as error:
        raise UsageError(
            f"--axis {path}: {text!r} cannot be read: {error.problems[0].message}", _HINT, code="usage"
        ) from None
