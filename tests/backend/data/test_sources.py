"""Every kind of data source; no TensorFlow."""

from __future__ import annotations

import textwrap
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tfopt.backend.data.load import Data, load
from tfopt.catalog import references
from tfopt.core.config.data import DataConfig
from tfopt.errors import EnvironmentProblem, StageError


def loaded(source: str, folder: Path, **args: Any) -> Data:
    return load(DataConfig(source=source, args=args), folder)


def module(folder: Path, name: str, code: str) -> None:
    (folder / f"{name}.py").write_text("import numpy as np\n" + textwrap.dedent(code), encoding="utf-8")


# Functions


@pytest.mark.parametrize(
    ("expression", "sizes"),
    [
        ("(x, y)", (28, 4, 8)),
        ("((x, y), (x[:6], y[:6]))", (36, 4, 6)),
        ("((x, y), (x[:5], y[:5]), (x[:6], y[:6]))", (40, 5, 6)),
        ("{'train': (x, y), 'test': (x[:6], y[:6])}", (36, 4, 6)),
        ("{'train': ({'a': x, 'b': x}, y)}", (28, 4, 8)),
        ("[(x, y), (x[:6], y[:6])]", (36, 4, 6)),
    ],
)
def test_what_a_function_may_return(tmp_path: Path, expression: str, sizes: tuple[int, int, int]) -> None:
    name = f"forms_{abs(hash(expression))}"
    module(
        tmp_path, name, f"def load():\n    x, y = np.random.rand(40, 3), np.arange(40) % 2\n    return {expression}\n"
    )
    data = loaded(f"{name}:load", tmp_path)
    assert (len(data.train), len(data.validation), len(data.test)) == sizes


def test_arguments_reach_the_function_and_are_checked(tmp_path: Path) -> None:
    module(
        tmp_path,
        "with_arguments",
        "def load(rows, classes=2):\n    return np.zeros((rows, 3)), np.arange(rows) % classes\n",
    )
    assert loaded("with_arguments:load", tmp_path, rows=60, classes=3).num_outputs == 3
    with pytest.raises(StageError, match=r"has no argument 'clases'\. Did you mean 'classes'"):
        loaded("with_arguments:load", tmp_path, rows=60, clases=3)
    with pytest.raises(StageError, match="needs the argument 'rows'"):
        loaded("with_arguments:load", tmp_path)


def test_function_that_is_not_there_or_fails(tmp_path: Path) -> None:
    module(tmp_path, "failing", "def load():\n    return 1 / 0\n\ndef load_nothing():\n    return 5\n")
    module(tmp_path, "broken", "import a_package_nobody_has\n")
    module(tmp_path, "raising", "raise RuntimeError('no licence')\n")
    for source, match in [
        ("failing:lode", "has no function 'lode'. Did you mean 'load'"),
        ("failing:load", "failing:load failed: ZeroDivisionError"),
        ("failing:load_nothing", "returned a int. Expected"),
        ("no_such_module:load", "there is no module 'no_such_module'.*put no_such_module.py next to the recipe"),
        ("broken:load", "itself imports 'a_package_nobody_has'"),
        ("raising:load", "importing 'raising' failed: RuntimeError: no licence"),
    ]:
        with pytest.raises(StageError, match=match):
            loaded(source, tmp_path)


def test_unknown_split_in_a_dict(tmp_path: Path) -> None:
    module(
        tmp_path, "odd_split", "def load():\n    x = np.zeros((9, 1))\n    return {'train': (x, x), 'val': (x, x)}\n"
    )
    with pytest.raises(StageError, match="dict with the key 'val'"):
        loaded("odd_split:load", tmp_path)


# Names


def test_unknown_name_is_answered_with_a_suggestion(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"There is no dataset 'digit'\. Did you mean 'digits'.*mnist"):
        loaded("digit", tmp_path)


def test_argument_of_a_named_data_set(tmp_path: Path) -> None:
    assert loaded("digits", tmp_path, scale="none").train.inputs.max() == 16
    with pytest.raises(StageError, match=r"scale must be 'unit'.*Got 'percent'"):
        loaded("digits", tmp_path, scale="percent")


def entry(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    found = metadata.EntryPoint(name, value, "tfopt.datasets")

    def entry_points(group: str) -> metadata.EntryPoints:
        return metadata.EntryPoints((found,)).select(group=group)

    monkeypatch.setattr(references, "entry_points", entry_points)


def test_entry_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    module(tmp_path, "their_data", "def load():\n    return np.zeros((40, 3)), np.arange(40) % 2\n")
    entry(monkeypatch, "theirs", "their_data:load")
    assert loaded("theirs", tmp_path).num_outputs == 2
    assert "theirs" in references.names("dataset")
    entry(monkeypatch, "theirs", "their_data")
    assert loaded("theirs", tmp_path).num_outputs == 2
    entry(monkeypatch, "theirs", "textwrap")
    with pytest.raises(EnvironmentProblem, match=r"or a module with 'load', but textwrap is a module"):
        loaded("theirs", tmp_path)
    entry(monkeypatch, "theirs", "their_data:gone")
    with pytest.raises(EnvironmentProblem, match=r"entry point 'theirs'.*their_data:gone.*cannot be loaded"):
        loaded("theirs", tmp_path)
    entry(monkeypatch, "digits", "their_data:load")
    with pytest.raises(EnvironmentProblem, match="'digits' is defined more than once: tfopt, their_data:load"):
        loaded("digits", tmp_path)


# Files


def test_missing_and_unknown_files(tmp_path: Path) -> None:
    (tmp_path / "table.xlsx").write_bytes(b"")
    (tmp_path / "cut.npz").write_bytes(b"PK\x03\x04 cut off")
    np.savez(tmp_path / "other.npz", images=np.zeros(3))
    np.savez(tmp_path / "objects.npz", x=np.array([object()]), y=np.zeros(1))
    for source, match in [
        ("none.npz", r"does not exist: there is no .*none\.npz"),
        ("table.xlsx", "is of an unknown type"),
        ("cut.npz", r"cannot be read as \.npz"),
        ("other.npz", "holds the arrays images. Expected x_train"),
        ("objects.npz", "arrays of Python objects are refused"),
    ]:
        with pytest.raises(StageError, match=match):
            loaded(source, tmp_path)


def csv(folder: Path, text: str) -> Path:
    (folder / "table.csv").write_text(textwrap.dedent(text).lstrip(), encoding="utf-8")
    return folder


def test_csv(tmp_path: Path) -> None:
    lines = ["height, width, kind, price"] + [f"{k}, {k * 2}, {'ab'[k % 2]}, {k}.5" for k in range(40)]
    csv(tmp_path, "\n".join(lines))
    data = loaded("table.csv", tmp_path, target="kind", features=["width", "height"])
    assert data.class_names == ("a", "b")
    assert np.array_equal(data.train.inputs[:, 0], data.train.inputs[:, 1] * 2)
    assert data.train.inputs.dtype == np.float32
    price = loaded("table.csv", tmp_path, target="price", features=["height"])
    assert price.num_classes is None
    assert np.allclose(price.test.targets, price.test.inputs + 0.5)
    assert loaded("table.csv", tmp_path, target="height", features=["width"], quantity=True).num_classes is None


@pytest.mark.parametrize(
    ("text", "args", "match"),
    [
        ("a,b\n1,2\n3\n", {"target": "b"}, r"table.csv:3: 1 value, but the header has 2 columns"),
        ("a,b\n1,2\n\n,4\n", {"target": "b"}, r"table.csv:4: the value of 'a' is missing"),
        ("a,b\n1,2\nNaN,4\n", {"target": "b"}, r"table.csv:3: the value of 'a' is missing \('NaN'\)"),
        ("a,b\n1,2\nx,4\n", {"target": "b"}, r"table.csv:3: 'a' is 'x', not a number"),
        ("a,b\n1,2\n", {"target": "c"}, r"there is no column 'c'.*Its columns: a, b"),
        ("a,b\n1,2\n", {"target": "b", "features": ["b"]}, "the target 'b' is also a feature"),
        ("a,a\n1,2\n", {"target": "a"}, "every column needs a name of its own"),
        ("a,b\n", {"target": "b"}, "has a header and no rows"),
        ("", {"target": "b"}, "every column needs a name"),
        ("a,b\n1,2\n", {"traget": "b"}, "has no argument 'traget'. Did you mean 'target'"),
    ],
)
def test_csv_mistakes_name_the_line(tmp_path: Path, text: str, args: dict[str, Any], match: str) -> None:
    with pytest.raises(StageError, match=match):
        loaded("table.csv", csv(tmp_path, text), **args)


def images(folder: Path, *classes: str, n: int = 20, size: tuple[int, int] = (6, 4)) -> None:
    for number, name in enumerate(classes):
        (folder / name).mkdir(parents=True)
        for k in range(n):
            Image.fromarray(np.full((*size, 3), number * 100 + k, np.uint8)).save(folder / name / f"{k:02}.png")


def test_image_folder(tmp_path: Path) -> None:
    images(tmp_path / "pets", "dog", "cat")
    data = loaded("./pets", tmp_path)
    assert data.class_names == ("cat", "dog")
    assert data.input_shape == (6, 4, 3)
    # Pixel values tell the class: cats 100.., dogs 0.. (they were written in the order dog, cat).
    assert np.array_equal(data.train.inputs[:, 0, 0, 0] < 90 / 255, data.train.targets == 1)
    grey = loaded("pets/", tmp_path, size=[3, 2], channels=1, scale="none")
    assert grey.input_shape == (3, 2, 1)
    assert grey.train.inputs.max() > 100


def test_image_folder_with_declared_splits(tmp_path: Path) -> None:
    images(tmp_path / "pets" / "train", "cat", "dog")
    images(tmp_path / "pets" / "test", "cat", n=3)
    data = loaded("./pets", tmp_path)
    assert (len(data.train), len(data.validation), len(data.test)) == (36, 4, 3)


def test_image_folder_mistakes(tmp_path: Path) -> None:
    images(tmp_path / "broken", "cat", "dog")
    (tmp_path / "broken" / "cat" / "07.png").write_bytes(b"no image")
    images(tmp_path / "mixed", "cat")
    images(tmp_path / "mixed", "dog", size=(5, 5))
    images(tmp_path / "hollow", "cat")
    (tmp_path / "hollow" / "dog").mkdir()
    images(tmp_path / "foreign" / "train", "cat")
    images(tmp_path / "foreign" / "test", "cow")
    images(tmp_path / "stray" / "train", "cat")
    images(tmp_path / "stray" / "tset", "cat")
    (tmp_path / "flat").mkdir()
    for source, args, match in [
        ("broken", {}, r"cat/07\.png cannot be read as an image"),
        ("mixed", {}, r"has 5x5 pixels, but others have 6x4.*size"),
        ("hollow", {}, "class folder .*dog is empty"),
        ("foreign", {}, "has the class 'cow', which .*train lacks"),
        ("stray", {}, "also tset/"),
        ("flat", {}, "has no subfolders"),
        ("mixed", {"channels": 2}, "channels must be 1"),
        ("mixed", {"size": [5]}, r"size must be \[height, width\]"),
    ]:
        with pytest.raises(StageError, match=match):
            loaded(f"./{source}", tmp_path, **args)
