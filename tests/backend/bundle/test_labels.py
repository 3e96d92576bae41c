"""Labels come from a list or a file; a wrong number is known before training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tfopt.backend.bundle.labels import files_of, labels_of_outputs, read_labels
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


def test_labels_belong_to_the_outputs_with_as_many_values(tmp_path: Path) -> None:
    sizes = {"a": 3, "b": 5, "c": 3}
    assert labels_of_outputs(["x", "y", "z"], sizes, tmp_path) == dict.fromkeys("ac", ("x", "y", "z"))
    assert labels_of_outputs(["no", "yes"], {"yes": 1}, tmp_path) == {"yes": ("no", "yes")}


def test_labels_of_several_outputs_have_their_names_and_files_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "places.txt").write_text("in\nout\n", encoding="utf-8")
    found = labels_of_outputs({"kind": ["x", "y", "z"], "place": "places.txt"}, {"kind": 3, "place": 2}, tmp_path)
    assert found == {"kind": ("x", "y", "z"), "place": ("in", "out")}
    assert files_of(found) == {"kind": "labels_kind.txt", "place": "labels_place.txt"}
    assert files_of({"a": ("x",), "b": ("x",)}) == dict.fromkeys("ab", "labels.txt")


@pytest.mark.parametrize(
    ("labels", "sizes", "message"),
    [
        ([*"abcdefghi"], {"out": 10}, "There are 9 labels, but the output 'out' has 10 values."),
        (["a"], {"a": 3, "b": None}, "There is 1 label, but no output has as many values (a: 3, b: None)."),
        ({"kind": ["a"]}, {"kind": 3, "age": 1}, "There is 1 label, but the output 'kind' has 3 values."),
        ({"kid": ["a"]}, {"kind": 3, "age": 1}, "Labels are of 'kid', which is no output of the model. Did you"),
    ],
)
def test_labels_that_fit_no_output_are_refused(tmp_path: Path, labels: Any, sizes: Any, message: str) -> None:
    with pytest.raises(ExportError) as error:
        labels_of_outputs(labels, sizes, tmp_path)
    assert str(error.value).startswith(message)
