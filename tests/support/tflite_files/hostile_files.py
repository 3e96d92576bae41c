"""Model files that try to run code when they are loaded: each leaves a witness file if it succeeds."""

from __future__ import annotations

import base64
import json
import marshal
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py

Config = dict[str, Any]
Change = Callable[[Config], None]


def rewrite(path: Path, change: Change) -> None:
    """Changes the configuration in a model file of any kind."""
    if path.is_dir():
        _rewrite_saved_model(path, change)
    elif path.suffix == ".h5":
        with h5py.File(path, "r+") as file:
            file.attrs["model_config"] = _changed(file.attrs["model_config"], change)
    else:
        with zipfile.ZipFile(path) as archive:
            contents = {name: archive.read(name) for name in archive.namelist()}
        contents["config.json"] = _changed(contents["config.json"], change).encode()
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in contents.items():
                archive.writestr(name, content)


def _rewrite_saved_model(path: Path, change: Change) -> None:
    from tf_keras.protobuf import saved_metadata_pb2

    metadata = saved_metadata_pb2.SavedMetadata()
    metadata.ParseFromString((path / "keras_metadata.pb").read_bytes())
    for node in metadata.nodes:
        if node.node_path == "root":
            node.metadata = _changed(node.metadata, change)
    (path / "keras_metadata.pb").write_bytes(metadata.SerializeToString())


def _changed(text: str | bytes, change: Change) -> str:
    config = json.loads(text)
    change(config)
    return json.dumps(config)


def layer(config: Config, name: str) -> Config:
    """The entry of a layer by its name, anywhere inside a model's configuration."""
    for part in config["config"]["layers"]:
        if part["config"].get("name") == name:
            return part
        if "layers" in part["config"]:
            try:
                return layer(part, name)
            except KeyError:
                continue
    raise KeyError(name)


def bytecode(witness: Path) -> list[Any]:
    """A marshalled function that leaves the witness, as Keras stores a lambda."""

    code = compile(f"lambda x: (open({str(witness)!r}, 'w').close(), x)[1]", "<hostile>", "eval").co_consts[0]
    return [base64.b64encode(marshal.dumps(code)).decode(), None, None]


def planted(folder: Path, witness: Path, name: str) -> str:
    """Writes a module that leaves the witness when it is imported or anything of it is called; gives its name."""
    (folder / f"{name}.py").write_text(
        f"""
def run(*args, **kwargs):
    open({str(witness)!r}, "w").close()
    return args[0] if args else None

class Run:
    def __init__(self, *args, **kwargs):
        run()

    @classmethod
    def from_config(cls, config):
        run()
        return cls()

run()
""",
        encoding="utf-8",
    )
    return name


def attacks(module: str, witness: Path) -> dict[str, Change]:
    """Ways to have code run, by name: each changes the configuration of a model with the layers first, inside, last.

    Args:
        module: a planted one.
        witness: what the bytecode leaves.
    """
    function = {"module": module, "class_name": "function", "config": "run", "registered_name": "run"}
    instance = {"module": module, "class_name": "Run", "config": {}, "registered_name": None}
    system = {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"}
    code = bytecode(witness)
    old_lambda = {
        "name": "first", "trainable": True, "dtype": "float32", "function": code, "function_type": "lambda",
        "module": "builtins", "output_shape": None, "output_shape_type": "raw", "output_shape_module": None,
        "arguments": {},
    }  # fmt: skip
    new_lambda = {"class_name": "__lambda__", "config": {"value": code, "code": code[0], "defaults": None}}

    def at(name: str, key: str, value: Any) -> Change:
        def change(config: Config) -> None:
            layer(config, name)["config"][key] = value

        return change

    def replaced(name: str, **entry: Any) -> Change:
        def change(config: Config) -> None:
            part = layer(config, name)
            part.pop("module", None)
            part.pop("registered_name", None)
            part.update(entry)
            if isinstance(part["config"], dict):
                part["config"].setdefault("name", name)

        return change

    def wrapped(config: Config) -> None:
        part = layer(config, "first")
        inner = {key: value for key, value in part.items() if key in ("module", "class_name", "config")}
        inner["config"] = {**inner["config"], "name": "dense", "activation": function}
        part.update(class_name="TimeDistributed", config={"name": "first", "layer": inner})

    return {
        "a function of another module as activation": at("first", "activation", function),
        "os.system as activation": at("first", "activation", system),
        "a class of another module as initializer": at("first", "kernel_initializer", instance),
        "a class of another module, deep in a custom setting": at("inside", "kernel_regularizer", {"a": [instance]}),
        "a layer of another module": replaced("inside", module=module, class_name="Run", config={}),
        "a registered name of other code": replaced(
            "first", module="keras.layers", class_name="Dense", registered_name=f"{module}>Run"
        ),
        "a function of Keras that is no layer": at(
            "first", "activation",
            {"module": "keras.utils", "class_name": "function", "config": "get_file", "registered_name": "get_file"},
        ),
        "a class of Keras that is no layer": at(
            "first", "kernel_initializer",
            {"module": "keras.utils", "class_name": "get_file", "config": {"fname": "x", "origin": "file:///x"}},
        ),
        "a lambda as activation": at("first", "activation", new_lambda),
        "a lambda in a nested model": at("inside", "activation", new_lambda),
        "a Lambda layer": replaced("first", class_name="Lambda", config=old_lambda),
        "a Lambda layer under a registered name": replaced("first", class_name="X>Lambda", config=old_lambda),
        "a Lambda layer of Keras 3": replaced(
            "first", module="keras.layers", class_name="Lambda", config={"name": "first", "function": new_lambda}
        ),
        "a Lambda layer that names os.system": replaced(
            "first", class_name="Lambda",
            config={**old_lambda, "function": "system", "function_type": "function", "module": "os"},
        ),
        "a wrapped layer": wrapped,
        "a callable standardize": replaced(
            "first", module="keras.layers", class_name="TextVectorization", config={"standardize": function}
        ),
        "a file as vocabulary": replaced(
            "first", module="keras.layers", class_name="StringLookup", config={"vocabulary": "/etc/passwd"}
        ),
        "a type of another module": at(
            "first", "dtype",
            {"class_name": "__typespec__", "spec_name": "Run", "module": module, "config": [], "registered_name": None},
        ),
        "an operation that writes a file": replaced(
            "first", class_name="TFOpLambda", config={"name": "first", "function": "io.write_file"}
        ),
        "an operation that calls Python": replaced(
            "first", class_name="TFOpLambda", config={"name": "first", "function": "compat.v1.py_func"}
        ),
        "a stored node that writes a file": replaced(
            "first", class_name="TensorFlowOpLayer",
            config={"node_def": {"name": "'op': 'AddV2'", "op": "WriteFile"}, "constants": {}},
        ),
        "a method of any TensorFlow class": replaced(
            "first", class_name="ClassMethod", config={"cls_symbol": "io.gfile.GFile", "method_name": "write"}
        ),
        "a model of another file": replaced(
            "first", module="keras.layers", class_name="TFSMLayer", config={"filepath": module}
        ),
    }  # fmt: skip
