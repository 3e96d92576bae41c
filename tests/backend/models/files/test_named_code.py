"""Files made of classes and functions of their user: found where the recipe allows it, else named."""

from __future__ import annotations

import base64
import dis
import json
import marshal
import sys
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow")

import keras
import tf_keras

from tfopt.backend.models.files.loading import load_file
from tfopt.catalog.own_code import importable
from tfopt.errors import StageError

pytestmark = pytest.mark.tf

MODULE = """
import keras
import tf_keras

@keras.saving.register_keras_serializable(package="mylab")
class Scale(keras.layers.Layer):
    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor
    def call(self, x):
        return x * self.factor
    def get_config(self):
        return {**super().get_config(), "factor": self.factor}

@keras.saving.register_keras_serializable(package="mylab", name="squared")
def squared_relu(x):
    return keras.ops.square(keras.ops.relu(x))

@keras.saving.register_keras_serializable(package="mylab")
class Spread(keras.initializers.Initializer):
    def __call__(self, shape, dtype=None, **kwargs):
        return keras.random.normal(shape, dtype=dtype, seed=3)
    def get_config(self):
        return {}

@keras.saving.register_keras_serializable(package="mylab")
class Shrink(keras.regularizers.Regularizer):
    def __call__(self, x):
        return 1e-3 * keras.ops.sum(keras.ops.square(x))
    def get_config(self):
        return {}

@keras.saving.register_keras_serializable(package="mylab")
class Bounded(keras.constraints.Constraint):
    def __call__(self, w):
        return keras.ops.clip(w, -1.0, 1.0)

def swishy(x):
    return x * keras.ops.sigmoid(2 * x)

keras.utils.get_custom_objects()["swishy"] = swishy

def cubed(x):
    return x ** 3

def keras_3():
    inputs = keras.Input((8,))
    x = Scale(0.5)(inputs)
    x = keras.layers.Dense(6, activation=squared_relu, kernel_initializer=Spread(), kernel_regularizer=Shrink(),
                           kernel_constraint=Bounded())(x)
    x = keras.layers.Dense(4, activation=swishy)(x)
    return keras.Model(inputs, x)

def keras_2():
    inputs = tf_keras.Input((8,))
    return tf_keras.Model(inputs, tf_keras.layers.Dense(4, activation=cubed)(inputs))
"""


def forget() -> None:
    sys.modules.pop("namedparts", None)
    for known in (keras.saving.get_custom_objects(), tf_keras.saving.get_custom_objects()):
        for name in [name for name in known if name.startswith("mylab>") or name == "swishy"]:
            del known[name]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Files written by one program, to be read by another that knows nothing of its classes."""
    folder = tmp_path_factory.mktemp("named")
    (folder / "namedparts.py").write_text(MODULE, encoding="utf-8")
    with importable(folder):
        import namedparts  # type: ignore[import-not-found]

        three, two = namedparts.keras_3(), namedparts.keras_2()
    three.save(folder / "three.keras")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        three.save(folder / "three.h5")
        two.save(folder / "two.h5")
    values = np.linspace(-1, 1, 24, dtype=np.float32).reshape(3, 8)
    np.savez(folder / "values.npz", x=values, three=three(values), two=two(values))
    yield folder
    forget()


@pytest.mark.parametrize(("name", "expected"), [("three.keras", "three"), ("three.h5", "three"), ("two.h5", "two")])
def test_a_module_that_the_recipe_names_is_enough(folder: Path, name: str, expected: str) -> None:
    forget()
    loaded = load_file(folder / name, folder=folder, objects=("namedparts",))
    with np.load(folder / "values.npz") as values:
        np.testing.assert_allclose(loaded(values["x"]), values[expected], atol=1e-6)


def test_what_an_imported_module_registers_is_found(folder: Path) -> None:
    forget()
    with importable(folder):
        __import__("namedparts")
    loaded = load_file(folder / "three.keras", allow_unsafe=True, folder=folder)
    assert loaded.layers[1].name.startswith("scale")


def test_what_is_missing_is_named_with_how_to_give_it(folder: Path) -> None:
    forget()
    with pytest.raises(StageError) as caught:
        load_file(folder / "two.h5", allow_unsafe=True)
    assert "cubed" in str(caught.value)
    assert "model.objects: [package.module]" in caught.value.hint
    with pytest.raises(StageError) as caught:
        load_file(folder / "three.keras", folder=folder, objects=("namedpart",))
    assert "there is no module 'namedpart'" in str(caught.value)


def lambda_file(path: Path, code: bytes) -> Path:
    """A Keras 3 file with a Lambda layer whose bytecode is `code`."""
    inputs = keras.Input((2,))
    keras.Model(inputs, keras.layers.Lambda(lambda x: abs(x) * 2, name="double")(inputs)).save(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}

    def replaced(value: Any) -> Any:
        if isinstance(value, dict):
            if value.get("class_name") == "__lambda__":
                value["config"] = json.loads(json.dumps(value["config"]).replace(own(value), encoded(code)))
                return value
            return {key: replaced(part) for key, part in value.items()}
        return [replaced(part) for part in value] if isinstance(value, list) else value

    parts["config.json"] = json.dumps(replaced(json.loads(parts["config.json"]))).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def own(part: dict[str, Any]) -> str:
    config = part["config"]
    text = config["code"] if "code" in config else config["value"][0]
    return str(json.dumps(text))[1:-1]


def encoded(code: bytes) -> str:
    return json.dumps(base64.b64encode(code).decode())[1:-1]


def test_bytecode_of_another_python_is_told_as_that(tmp_path: Path) -> None:
    code: CodeType = (lambda x: abs(x) * 2).__code__
    old = b"\xe3" + (b"\x01\0\0\0" * 6) + b"s\x04\0\0\0|\0S\0"
    no_operation = next(number for number in range(2, 120) if dis.opname[number].startswith("<"))
    strange = marshal.dumps(code.replace(co_code=code.co_code[:2] + bytes([no_operation, 0]) + code.co_code[2:]))
    for number, content in enumerate((old, strange)):
        path = lambda_file(tmp_path / f"{number}.keras", content)
        with pytest.raises(StageError, match=r"bytecode in the Lambda of the layer 'double' that Python") as caught:
            load_file(path, allow_unsafe=True)
        assert caught.value.code == "foreign_bytecode"
    assert (
        load_file(lambda_file(tmp_path / "own.keras", marshal.dumps(code)), allow_unsafe=True)(np.ones((1, 2)))[0, 0]
        == 2
    )
