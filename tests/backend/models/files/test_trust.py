"""Loading a file of a stranger runs none of its Python: every way in that we know of is tried on every format."""

from __future__ import annotations

import json
import shutil
import sys
import warnings
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tf_keras import layers

from tests.support.models import answers
from tests.support.tflite_files.hostile_files import attacks, bytecode, layer, planted, rewrite
from tfopt import api
from tfopt.backend.audit.inspect import audit_file as inspect
from tfopt.backend.data.splits import Data, Split
from tfopt.backend.models import build as models
from tfopt.backend.models.files import load_file, trust
from tfopt.core.recipe.recipe import ModelConfig
from tfopt.errors import StageError

pytestmark = pytest.mark.tf

FORMATS = ["two.keras", "two.h5", "two", "three.keras", "three.h5"]
NAMES = list(attacks("m", Path("w")))


def honest(path: Path, library: Any = None) -> Any:
    """A small model with a nested one, saved."""
    library = library or (keras if path.name.startswith("three") else tf_keras)
    layers = library.layers
    inner = library.Sequential([library.Input((5,)), layers.Dense(4, name="inside")], name="inner")
    inputs = library.Input((4,), name="inputs")
    hidden = inner(layers.Dense(5, name="first", activation="relu")(inputs))
    model = library.Model(inputs, layers.Dense(3, name="last")(hidden))
    model.compile("adam", "mse")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(path, **({} if path.suffix else {"save_format": "tf"}))
    return model


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("honest")
    for name in FORMATS:
        honest(folder / name)
    return folder


def copied(files: Path, name: str, folder: Path) -> Path:
    source = files / name
    target = folder / name
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy(source, target)
    return target


@pytest.mark.parametrize("name", FORMATS)
def test_an_honest_file_is_loaded(files: Path, name: str) -> None:
    model = load_file(files / name)
    assert isinstance(model, keras.Model if name.startswith("three") else tf_keras.Model)
    assert [layer.name for layer in model.layers] == ["inputs", "first", "inner", "last"]
    assert getattr(model, "optimizer", None) is None


@pytest.mark.parametrize("attack", NAMES)
@pytest.mark.parametrize("name", FORMATS)
def test_no_attack_runs_and_each_is_refused(
    files: Path, tmp_path: Path, name: str, attack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    witness = tmp_path / "it ran"
    module = planted(tmp_path, witness, f"hostile_{FORMATS.index(name)}_{NAMES.index(attack)}")
    monkeypatch.syspath_prepend(tmp_path)
    path = copied(files, name, tmp_path)
    rewrite(path, attacks(module, witness)[attack])
    with pytest.raises(StageError, match=r"allow_unsafe: true|package\.module:function"):
        load_file(path, folder=tmp_path)
    inspect(path)
    assert not witness.exists()
    assert module not in sys.modules


@pytest.mark.parametrize("name", FORMATS)
def test_compile_settings_are_not_carried_out(
    files: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    witness = tmp_path / "it ran"
    module = planted(tmp_path, witness, f"hostile_compile_{FORMATS.index(name)}")
    monkeypatch.syspath_prepend(tmp_path)
    path = copied(files, name, tmp_path)
    loss = {"module": module, "class_name": "Run", "config": {}, "registered_name": None}
    compile_config = {"optimizer": "adam", "loss": loss, "metrics": [loss]}

    def change(config: dict[str, Any]) -> None:
        config["compile_config"] = compile_config
        layer(config, "inner")["compile_config"] = compile_config

    rewrite(path, change)
    if path.suffix == ".h5":
        with h5py.File(path, "r+") as file:
            file.attrs["training_config"] = json.dumps(compile_config)
    load_file(path, folder=tmp_path)
    assert not witness.exists()
    assert module not in sys.modules


def test_the_graph_of_a_saved_model_is_never_loaded(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = copied(files, "two", tmp_path)
    (path / "saved_model.pb").write_bytes(b"")
    values = np.random.RandomState(0).rand(3, 4).astype(np.float32)
    expected = answers(tf_keras.models.load_model(files / "two", compile=False), values)
    np.testing.assert_array_equal(answers(load_file(path), values), expected)

    def load(*args: object) -> None:
        raise AssertionError("the graph was loaded")

    monkeypatch.setattr(tf.saved_model, "load", load)
    audit = inspect(files / "two")
    assert [tensor.name for tensor in audit.tensors] == [
        f"{layer}/{name}" for layer in ("first", "inside", "last") for name in ("bias", "kernel")
    ]
    assert [(port.name, port.dtype, port.shape) for port in audit.inputs] == [("inputs", "float32", [-1, 4])]


def test_doctor_looks_at_a_hostile_file_without_running_it(files: Path, tmp_path: Path) -> None:
    witness = tmp_path / "it ran"
    for name in FORMATS:
        path = copied(files, name, tmp_path)
        rewrite(path, attacks("os", witness)["a Lambda layer"])
        with pytest.raises(StageError, match=r"holds Python bytecode.*model\.allow_unsafe: true"):
            api.doctor(str(path))
    assert not witness.exists()


# With the flag


@pytest.mark.parametrize("name", ["two.keras", "three.keras"])
def test_the_flag_imports_the_modules_that_a_file_names(
    files: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = copied(files, name, tmp_path)
    module = f"trusted_{name.split('.')[0]}"
    (tmp_path / f"{module}.py").write_text("def half(x):\n    return 0.5 * x\n", encoding="utf-8")
    half = {"module": module, "class_name": "function", "config": "half", "registered_name": "half"}
    rewrite(path, lambda config: layer(config, "last")["config"].update(activation=half))
    with pytest.raises(StageError, match=rf"code of a different module: {module}\.half.*model\.allow_unsafe: true"):
        load_file(path, folder=tmp_path)
    values = np.ones((2, 4), np.float32)
    expected = answers(load_file(files / name), values)
    found = answers(load_file(path, allow_unsafe=True, folder=tmp_path), values)
    np.testing.assert_allclose(found, 0.5 * expected, rtol=1e-6)


@pytest.mark.parametrize("name", ["two.keras", "two.h5", "two"])
def test_the_flag_loads_lambda_layers(tmp_path: Path, name: str) -> None:
    model = tf_keras.Sequential(
        [layers.InputLayer((4,)), layers.Lambda(lambda x: 2 * x, name="double"), layers.Dense(3)]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(tmp_path / name, **({} if Path(name).suffix else {"save_format": "tf"}))
    with pytest.raises(StageError, match=r"Lambda layer 'double'.*model\.allow_unsafe: true"):
        load_file(tmp_path / name)
    loaded = load_file(tmp_path / name, allow_unsafe=True)
    values = np.random.RandomState(0).rand(3, 4).astype(np.float32)
    np.testing.assert_array_equal(answers(loaded, values), answers(model, values))


def test_a_lambda_of_keras_3_is_loaded_but_goes_no_further(tmp_path: Path) -> None:
    steps = [keras.layers.Lambda(lambda x: 2 * x, output_shape=(4,), name="double"), keras.layers.Dense(3)]
    keras.Sequential([keras.Input((4,)), *steps]).save(tmp_path / "three.keras")
    with pytest.raises(StageError, match=r"Lambda layer 'double'.*model\.allow_unsafe: true"):
        load_file(tmp_path / "three.keras")
    assert load_file(tmp_path / "three.keras", allow_unsafe=True)(np.ones((2, 4))).shape == (2, 3)
    config = ModelConfig(source="./three.keras", allow_unsafe=True)
    split = Split(np.zeros((3, 4), np.float32), np.zeros(3, np.int32))
    with pytest.raises(StageError, match=r"'double' of \./three\.keras is a Lambda of Keras 3: its code is bytecode"):
        models.build(config, Data(split, split, split, source="examples", num_classes=3), 0, tmp_path)


def test_a_lambda_of_keras_2_becomes_operations_that_the_store_keeps(tmp_path: Path) -> None:
    steps = [layers.InputLayer((4,)), layers.Lambda(lambda x: 2 * x, name="double"), layers.Dense(3)]
    model = tf_keras.Sequential(steps)
    model.save(tmp_path / "two.keras")
    split = Split(np.random.RandomState(0).rand(3, 4).astype(np.float32), np.zeros(3, np.int32))
    config = ModelConfig(source="./two.keras", allow_unsafe=True)
    made = models.build(config, Data(split, split, split, source="examples", num_classes=3), 0, tmp_path).model
    models.save_model(made, tmp_path)
    expected = answers(model, split.inputs)
    np.testing.assert_allclose(answers(models.load_model(tmp_path), split.inputs), expected, atol=1e-6)


def test_the_bytecode_of_the_tests_would_run(tmp_path: Path) -> None:
    import base64
    import marshal
    import types

    witness = tmp_path / "it ran"
    code = marshal.loads(base64.b64decode(bytecode(witness)[0]))
    assert types.FunctionType(code, {"open": open})(3) == 3
    assert witness.exists()


def test_layers_of_tfopt_itself_are_no_foreign_code() -> None:
    known = {
        "module": "tfopt.backend.layers.tied_embedding",
        "class_name": "TiedEmbedding",
        "config": {"name": "token_embedding"},
        "registered_name": "tfopt>TiedEmbedding",
    }
    function = {
        "module": "builtins",
        "class_name": "function",
        "config": "tfopt>gelu_tanh",
        "registered_name": "function",
    }
    assert list(trust.findings({"layers": [known, function]}, keras_3=False)) == []
    other = {**known, "class_name": "Other", "registered_name": "tfopt>Other"}
    assert [finding.danger for finding in trust.findings({"layers": [other]}, keras_3=False)] == ["module"]
    disguises: list[dict[str, Any]] = [
        {**known, "registered_name": "elsewhere>TiedEmbedding"},
        {**known, "registered_name": "function"},
        {**known, "registered_name": None},
        {**known, "class_name": "tfopt>TiedEmbedding", "registered_name": "elsewhere>TiedEmbedding"},
        {**function, "module": "elsewhere", "config": "gelu_tanh"},
    ]
    for disguised in disguises:
        assert [finding.danger for finding in trust.findings({"layers": [disguised]}, keras_3=False)] == ["module"]
