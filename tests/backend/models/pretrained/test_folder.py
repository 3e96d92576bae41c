"""Folders of Transformers are found and read; what is wrong with one is said."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.support.pretrained.folders import CONFIGS, tensors, write
from tfopt.backend.models.pretrained.folder import open_folder
from tfopt.errors import EnvironmentProblem, StageError, TfoptError


def test_tensors_of_all_float_types_are_read_as_float32(tmp_path: Path) -> None:
    values = np.array([[1.5, -2.0]], np.float32)
    halves = (values.view(np.uint32) >> 16).astype("<u2")
    header = json.dumps({"w": {"dtype": "BF16", "shape": [1, 2], "data_offsets": [0, 4]}}).encode()
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + halves.tobytes())
    folder = open_folder(str(tmp_path))
    assert folder.shapes == {"w": (1, 2)}
    assert np.array_equal(folder.read("w"), values)
    write(tmp_path, "bert", {"w": values.astype(np.float16)})
    assert np.array_equal(open_folder(str(tmp_path)).read("w"), values)


def test_tensors_may_be_in_several_files(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    values = tensors("gpt2")
    write(tmp_path, "gpt2", {})
    (tmp_path / "model.safetensors").unlink()
    names = sorted(values)
    places = {name: f"part{index % 2}.safetensors" for index, name in enumerate(names)}
    for file in set(places.values()):
        save_file({name: values[name] for name in names if places[name] == file}, tmp_path / file)
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    folder = open_folder(str(tmp_path))
    assert set(folder.shapes) == set(names)
    assert all(np.array_equal(folder.read(name), values[name]) for name in names)


def test_a_tensor_with_nan_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, "bert", {"w": np.array([1.0, np.nan], np.float16), "ids": np.array([1, 2])})
    folder = open_folder(str(tmp_path))
    assert list(folder.read("ids")) == [1, 2]
    with pytest.raises(StageError, match="1 of 2 values of the tensor w are NaN or infinite"):
        folder.read("w")


def test_variables_in_the_path_are_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "bert", {})
    monkeypatch.setenv("FOLDER_OF_WEIGHTS", str(tmp_path))
    assert open_folder("$FOLDER_OF_WEIGHTS").config == CONFIGS["bert"]
    with pytest.raises(StageError) as caught:
        open_folder("$NO_SUCH_VARIABLE/weights")
    assert caught.value.hint == "Set the variable in it."


@pytest.mark.parametrize(
    ("change", "message", "code"),
    [
        ("no folder", "there is no folder", "data_missing"),
        ("no config", "has no config.json", "data_missing"),
        ("no tensors", "has no model.safetensors", "data_missing"),
        ("cut off", "cannot be read", "data_unreadable"),
        ("no json", "cannot be read", "data_unreadable"),
    ],
)
def test_a_broken_folder_is_one_error(tmp_path: Path, change: str, message: str, code: str) -> None:
    folder = write(tmp_path / "folder", "bert", tensors("bert"))
    if change == "no folder":
        folder = tmp_path / "other"
    elif change == "no config":
        (folder / "config.json").unlink()
    elif change == "no tensors":
        (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    elif change == "cut off":
        content = (folder / "model.safetensors").read_bytes()
        (folder / "model.safetensors").write_bytes(content[: len(content) // 2])
    else:
        (folder / "config.json").write_text("{")
    with pytest.raises(StageError, match=message) as caught:
        open_folder(str(folder))
    assert caught.value.code == code


def test_a_package_that_is_not_installed_is_an_error() -> None:
    with pytest.raises(EnvironmentProblem, match="no_such_package") as caught:
        open_folder("no_such_package:model")
    assert isinstance(caught.value, TfoptError)
