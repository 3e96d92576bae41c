"""Whether the error of a trial may come from its environment: then the same trial may succeed a second time. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from tfopt.errors import RecipeError, TfoptError

ENVIRONMENT_CODES = frozenset(
    {"process_crashed", "executor_failed", "download_failed", "remote_store", "cannot_write", "cannot_read"}
)
"""Codes of errors that a second attempt may not meet."""

_ENVIRONMENT_ERRORS = ("SystemError", "MemoryError", "OSError", "ResourceExhaustedError")
"""Exceptions of the same kind, by the names of their classes: that of TensorFlow cannot be imported here."""


def need_not_come_from_recipe(error: BaseException) -> bool:
    """Whether a trial with this error is worth a second attempt.

    A mistake in the recipe is made again. An error that tfopt does not raise on purpose, the crash of a child process,
    a lack of memory, or an error of the operating system may not be.

    Args:
        error: what ended the trial; its causes are looked at, too.
    """
    if isinstance(error, RecipeError):
        return False
    if not isinstance(error, TfoptError):
        return True
    return any(_is_of_environment(cause) for cause in _causes(error))


def _is_of_environment(error: BaseException) -> bool:
    if isinstance(error, TfoptError) and error.code in ENVIRONMENT_CODES:
        return True
    # A child process sends the names of the classes of its error.
    kinds = getattr(error, "kinds", None) or [kind.__name__ for kind in type(error).__mro__]
    return any(kind in _ENVIRONMENT_ERRORS for kind in kinds)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
