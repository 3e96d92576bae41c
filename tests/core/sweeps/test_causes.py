"""Which errors of a trial are worth a second attempt."""

from __future__ import annotations

import pytest

from tfopt.core.sweeps.causes import need_not_come_from_recipe
from tfopt.errors import ExportError, Problem, RecipeError, StageError, TfoptError


def caused_by(error: BaseException | None, code: str = "stage_failed") -> TfoptError:
    failed = StageError("Stage train failed.", code=code)
    failed.__cause__ = error
    return failed


class ChildFailed(ExportError):
    def __init__(self, *kinds: str) -> None:
        super().__init__("x", code="process_failed")
        self.kinds = kinds


@pytest.mark.parametrize(
    "error",
    [
        SystemError("AST constructor recursion depth mismatch"),
        KeyError("a bug, or a race"),
        caused_by(MemoryError()),
        caused_by(ConnectionResetError()),
        caused_by(caused_by(SystemError())),
        caused_by(ExportError("killed", code="process_crashed"), code="conversion_failed"),
        caused_by(ChildFailed("BlockingIOError", "OSError")),
    ],
)
def test_errors_of_the_environment(error: BaseException) -> None:
    assert need_not_come_from_recipe(error)


@pytest.mark.parametrize(
    "error",
    [
        RecipeError([Problem(("name",), "wrong", code="invalid_name")]),
        caused_by(None),
        caused_by(ValueError("shapes")),
        caused_by(ChildFailed("ValueError")),
        StageError("NaN", code="loss_not_finite"),
    ],
)
def test_errors_of_the_recipe(error: BaseException) -> None:
    assert not need_not_come_from_recipe(error)
