"""Running code of others: whatever it raises becomes one of our errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tfopt.errors import StageError, TfoptError

T = TypeVar("T")


def guarded(work: Callable[[], T], what: str) -> T:
    """Runs code that is not ours and puts whatever it raises into the user's words.

    A user's function, or Keras reading a broken file, can raise anything; here and where modules are imported is where
    that is caught.

    Raises:
        StageError: `work` raised; `TfoptError` passes unchanged.
    """
    try:
        return work()
    except TfoptError:
        raise
    except Exception as error:
        raise StageError(f"{what} failed: {type(error).__name__}: {error}", code="user_code_failed") from error
