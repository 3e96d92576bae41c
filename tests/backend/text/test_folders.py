"""Folders of texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tfopt.backend.text.folders import read_folder, reader_of
from tfopt.core.config.text.text import TextConfig
from tfopt.errors import StageError


def config(**keys: Any) -> TextConfig:
    return TextConfig.model_validate({"tokenizer": {"kind": "word"}, "length": 4, **keys})


def written(folder: Path, **files: str) -> Path:
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return folder


def test_a_subfolder_for_each_class(tmp_path: Path) -> None:
    folder = written(tmp_path, good__1_txt="fine", good__2_txt="great", bad__1_txt="poor")
    texts, labels = read_folder(folder, config())["train"]
    assert texts == ["poor", "fine", "great"]
    assert labels is not None
    assert labels.tolist() == ["bad", "good", "good"]


def test_classes_inside_of_splits(tmp_path: Path) -> None:
    folder = written(tmp_path, train__a__1_txt="x", test__a__1_txt="y")
    assert {name: texts for name, (texts, _) in read_folder(folder, config()).items()} == {
        "test": ["y"],
        "train": ["x"],
    }


def test_a_table_for_each_split(tmp_path: Path) -> None:
    table = "text,label\n{},b\n"
    folder = written(tmp_path, train_csv=table.format("x"), test_csv=table.format("y"), README_md="about")
    assert [texts for texts, _ in read_folder(folder, config()).values()] == [["x"], ["y"]]


def test_texts_of_a_language_model(tmp_path: Path) -> None:
    folder = written(tmp_path / "one", b_txt="two", a_txt="one")
    assert read_folder(folder, config(task="language_model")) == {"train": (["one", "two"], None)}
    folder = written(tmp_path / "split", train_txt="x", validation_txt="y")
    assert list(read_folder(folder, config(task="language_model"))) == ["train", "validation"]


@pytest.mark.parametrize(
    ("files", "keys", "message"),
    [
        ({"train_csv": "", "dev_csv": ""}, {}, r"has train and also dev\.csv|has train\.csv and also dev\.csv"),
        ({"train_csv": "", "train_tsv": ""}, {}, r"has train\.csv and also train\.tsv"),
        ({"train_txt": "x"}, {}, "have no labels"),
        ({"train__a__1_txt": "x", "dev__a__1_txt": "x"}, {}, "has train/ and also dev/"),
        ({"a__1_txt": "x", "a__2_pdf": "x"}, {}, r"has 2\.pdf, which is no \.txt file"),
        ({"a__1_txt": " "}, {}, "is empty"),
        ({"1_txt": "x"}, {}, "has no subfolders"),
        ({"notes_md": "x"}, {"task": "language_model"}, r"notes\.md, which is no \.txt file"),
    ],
)
def test_a_mistake_is_told(tmp_path: Path, files: dict[str, str], keys: dict[str, Any], message: str) -> None:
    with pytest.raises(StageError, match=message):
        read_folder(written(tmp_path, **files), config(**keys))


def test_other_files_are_not_read() -> None:
    with pytest.raises(StageError, match="unknown type"):
        reader_of(Path("a.pdf"))
