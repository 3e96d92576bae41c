"""Classes have names for apps, which change nothing of the data's fingerprint."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from tfopt.backend.data.label_names import label_names_of, labelled
from tfopt.backend.data.load import load
from tfopt.core.config.data import DataConfig


@labelled("cat", "dog")
def source(path: str) -> str:
    """A source whose labels are numbers."""
    return path


def test_a_source_names_its_classes() -> None:
    assert source("a") == "a"
    assert label_names_of(source) == label_names_of(partial(source, "a")) == ("cat", "dog")
    assert label_names_of(len) is None


def test_digits_are_called_as_they_are_read() -> None:
    data = load(DataConfig(source="digits"))
    assert data.label_names == tuple("0123456789")
    assert data.class_names is None
    assert replace(data, label_names=None).fingerprint == data.fingerprint
    assert load(DataConfig(source="digits", targets="inputs")).label_names is None


def test_text_labels_are_their_own_names(tmp_path: Path) -> None:
    np.savez(tmp_path / "own.npz", x=np.zeros((40, 2)), y=np.array(["b", "a"] * 20))
    assert load(DataConfig(source=str(tmp_path / "own.npz"))).label_names == ("a", "b")
