"""Names of the classes of a data set whose labels are numbers, for apps and reports.

They change nothing of what is trained, so they are not part of the fingerprint of the data, unlike `Data.class_names`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

F = TypeVar("F", bound=Callable[..., object])

_ATTRIBUTE = "label_names"


def labelled(*names: str) -> Callable[[F], F]:
    """Decorates the function of a source.

    Args:
        names: one for each class, in the order of the labels.
    """

    def mark(source: F) -> F:
        source.__dict__[_ATTRIBUTE] = names
        return source

    return mark


def label_names_of(source: Callable[..., object]) -> tuple[str, ...] | None:
    """The names that a source gives its classes; None where it gives none.

    Args:
        source: its function, or a partial one.
    """
    found: tuple[str, ...] | None = getattr(getattr(source, "func", source), _ATTRIBUTE, None)
    return found
