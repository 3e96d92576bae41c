"""CLINC150 and Tiny Shakespeare, from small files of the same form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tfopt.backend.data.load import load
from tfopt.backend.data.splits import Data
from tfopt.core.config.data import DataConfig
from tfopt.errors import StageError, TfoptError

WORDS = {"kind": "word"}


def read(source: str, folder: Path | None, text: dict[str, Any], **args: Any) -> Data:
    args = {**args, **({"folder": str(folder)} if folder else {})}
    body = {"tokenizer": WORDS, "length": 4, **text}
    return load(DataConfig.model_validate({"source": source, "args": args, "text": body}))


@pytest.fixture
def clinc(tmp_path: Path) -> Path:
    rows = [["pay my bill", "pay_bill"], ["what time is it", "time"]]
    oos = [["sing to me", "oos"]]
    content = {"train": rows * 3, "val": rows, "test": rows * 2, "oos_train": oos, "oos_val": oos, "oos_test": oos}
    (tmp_path / "data_full.json").write_text(json.dumps(content))
    return tmp_path


def test_clinc150_has_its_own_splits(clinc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = read("clinc150", clinc, {})
    assert (len(data.train), len(data.validation), len(data.test), data.num_classes) == (6, 2, 4, 2)
    wide = read("clinc150", clinc, {}, out_of_scope=True)
    assert (len(wide.test), wide.class_names) == (5, ("oos", "pay_bill", "time"))
    monkeypatch.setenv("CLINC150", str(clinc))
    assert read("clinc150", None, {}).fingerprint == data.fingerprint


def test_tiny_shakespeare_is_one_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "input.txt").write_text("First Citizen:\nSpeak, speak.\n" * 20)
    monkeypatch.setenv("TINY_SHAKESPEARE", str(tmp_path))
    data = read("tiny_shakespeare", None, {"task": "language_model", "tokenizer": {"kind": "char"}})
    assert isinstance(data.train.targets, np.ndarray)
    assert data.train.targets.shape == (len(data.train), 4)


@pytest.mark.parametrize("source", ["clinc150", "tiny_shakespeare"])
def test_what_is_missing_is_named(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(source.upper(), raising=False)
    with pytest.raises(TfoptError, match="not downloaded") as caught:
        read(source, None, {})
    assert source.upper() in caught.value.hint
    with pytest.raises(StageError, match="cannot be read"):
        read(source, tmp_path, {})


def test_another_file_is_told(clinc: Path) -> None:
    (clinc / "data_full.json").write_text('{"train": []}')
    with pytest.raises(StageError, match="cannot be read as CLINC150: 'val'"):
        read("clinc150", clinc, {})
