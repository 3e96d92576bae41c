"""A mistake inside a block, before its location in the recipe is known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from tfopt.errors import RecipePath as RecipePath


@dataclass(frozen=True)
class Mistake:
    """What is wrong inside a block: the type of `Stage.problems()`, `Preflight.problems` and the like.

    Args:
        path: keys and list positions below the block.
        message: continues the name of what is at `path`: `is 3, but the stage has 2 epochs`.
        code: what kind of mistake it is, in snake_case; `tfopt/core/language/error_codes.py` lists them.
    """

    path: RecipePath
    message: str
    code: str = field(kw_only=True)

    def below(self, *path: str | int) -> Mistake:
        """The same mistake, seen from a block in which this one is at `path`."""
        return replace(self, path=(*path, *self.path))


def below(path: RecipePath, mistakes: Iterable[Mistake]) -> list[Mistake]:
    """Mistakes of the block at `path`, seen from the block around it."""
    return [mistake.below(*path) for mistake in mistakes]
