"""Labels come from a list or a file; a wrong number is known before training."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfopt.backend.bundle.labels import labelled_outputs, misfit, read_labels
from tfopt.errors import ExportError


def test_labels_are_a_list_or_the_lines_of_a_file_beside_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("cat\r\nhot dog \né\n\n", encoding="utf-8")
    assert read_labels("labels.txt", tmp_path) == ("cat", "hot dog", "é")
    assert read_labels(["a", "b"], tmp_path) == ("a", "b")


@pytest.mark.parametrize(
    ("labels", "code", "message"),
    [
        (["a", ""], "invalid_name", "Label 2 of 2 is empty"),
        (["a", "b", "a"], "duplicate_name", "Labels 1 and 3 are both 'a'"),
        (["a\nb"], "invalid_name", "more than one line"),
        ("gone.txt", "cannot_read", "No such file"),
        (".", "cannot_read", "directory"),
    ],
)
def test_labels_that_cannot_be_used_are_refused(tmp_path: Path, labels: object, code: str, message: str) -> None:
    with pytest.raises(ExportError, match=message) as error:
        read_labels(labels, tmp_path)  # type: ignore[arg-type]
    assert error.value.code == code


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_bytes(b"\xff\xfe\x00a")
    with pytest.raises(ExportError, match="not UTF-8 text"):
        read_labels("labels.txt", tmp_path)


def test_labels_belong_to_the_outputs_with_as_many_values() -> None:
    assert labelled_outputs(3, {"a": 3, "b": 5, "c": 3}) == ("a", "c")
    assert misfit(3, {"a": 3, "b": 5}) is None
    assert misfit(2, {"yes": 1}) is None
    assert misfit(9, {"out": 10}) == "9 labels, but the output 'out' has 10 values"
    assert misfit(1, {"a": 3, "b": None}) == "1 label, but no output has as many values (a: 3, b: None)"
