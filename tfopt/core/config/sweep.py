"""The `sweep:` block of a recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field, field_validator

from tfopt.core.language.axes import alternatives
from tfopt.core.language.block import Block, KeyMistake

if TYPE_CHECKING:
    pass


_NOT_AXES = {
    "seed": "seeds have their own key: write seeds: [1, 2, 3]",
    "name": "all trials of a sweep belong to one recipe",
    "sweep": "a sweep cannot change itself",
}


class SweepConfig(Block):
    """Which variants of the recipe `tfopt sweep` runs: every combination of the axes, each with every seed."""

    axes: tuple[dict[str, object], ...] = ()
    """Values by recipe path, one axis per entry: a list, or a range such as `50%..90%/5`. Several paths in one entry go
    together, first value with first value."""
    seeds: Annotated[int, Field(ge=1)] | tuple[Annotated[int, Field(ge=0)], ...] = 1
    """How many seeds, counted up from the recipe's own; or a list of seeds."""
    max_trials: Annotated[int, Field(ge=1)] | None = None
    """Run only the first trials: all alternatives with the first seed come first."""

    @field_validator("axes")
    @classmethod
    def _readable(cls, axes: tuple[dict[str, object], ...]) -> tuple[dict[str, object], ...]:
        taken: set[str] = set()
        for index, axis in enumerate(axes):
            if not axis:
                raise KeyMistake((index,), "names no path of the recipe", code="invalid_override")
            for path in axis:
                if path.split(".")[0] in _NOT_AXES:
                    raise KeyMistake(
                        (index, path),
                        f"{path} cannot be an axis: {_NOT_AXES[path.split('.')[0]]}",
                        on_key=True,
                        code="invalid_override",
                    )
                if path in taken:
                    raise KeyMistake((index, path), f"{path} is in two axes", on_key=True, code="duplicate_name")
                taken.add(path)
            try:
                alternatives(axis)
            except ValueError as error:
                raise KeyMistake((index,), f"{' and '.join(axis)} {error}", code="invalid_value") from None
        return axes

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, seeds: int | tuple[int, ...]) -> int | tuple[int, ...]:
        if isinstance(seeds, tuple) and (not seeds or len(set(seeds)) < len(seeds)):
            raise ValueError("must name each seed once, and at least one")
        return seeds

    def seeds_from(self, first: int) -> tuple[int, ...]:
        """The seeds of a recipe whose own seed is `first`."""
        return self.seeds if isinstance(self.seeds, tuple) else tuple(range(first, first + self.seeds))
