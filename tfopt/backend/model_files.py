"""Opens model files written by others: which library wrote them, and whether loading them would run their code.

Nothing here builds a layer: the configuration is read as data first, because tf_keras runs the bytecode of a Lambda
layer in an `.h5` or a SavedModel while loading it, and imports any module that a `.keras` file names.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import tf_keras
from tf_keras.protobuf import saved_metadata_pb2

from tfopt.backend.references import guarded
from tfopt.errors import StageError

KERAS_3 = (
    "tfmot works on Keras 2 models only (the package tf_keras). Today: rebuild the model with `import tf_keras` in "
    "place of `import keras` and copy the weights layer by layer, in a function named as package.module:function."
)
SUFFIXES = (".keras", ".h5", ".hdf5")
_OWN_MODULES = ("keras", "tf_keras", "tensorflow.keras")


def is_model_file(source: str) -> bool:
    """Whether a model source is a path."""
    return Path(source).suffix in (*SUFFIXES, ".tflite", ".pb") or "/" in source


def load_file(path: Path) -> tf_keras.Model:
    """Loads a `.keras`, `.h5` or SavedModel written by Keras 2.

    Raises:
        StageError: no such file, written by Keras 3, holds code (Lambda, other modules) or weights only, or is broken.
    """
    if not path.exists():
        raise StageError(f"There is no model file {path}.", "A relative path starts at the recipe.")
    if path.is_dir():
        _check_saved_model(path)
    elif path.suffix not in SUFFIXES:
        raise StageError(
            f"{path} is no model that can be trained.", "Expected .keras, .h5, or a SavedModel folder made by Keras 2."
        )
    elif zipfile.is_zipfile(path):
        _check_archive(path)
    elif h5py.is_hdf5(path):
        _check_h5(path)
    else:
        raise StageError(f"{path} is neither a .keras archive nor an HDF5 file: it is broken or cut off.")
    return guarded(lambda: tf_keras.models.load_model(path, compile=False), f"Loading {path}")


def _check_archive(path: Path) -> None:
    def read() -> tuple[Any, Any]:
        with zipfile.ZipFile(path) as archive:
            return json.loads(archive.read("metadata.json")), json.loads(archive.read("config.json"))

    metadata, config = guarded(read, f"Reading {path}")
    _check_version(path, metadata.get("keras_version"))
    _check_config(path, config)


def _check_h5(path: Path) -> None:
    with h5py.File(path, "r") as file:
        config, version = file.attrs.get("model_config"), file.attrs.get("keras_version")
    if config is None:
        raise StageError(f"{path} holds no model, only weights.", "Save the whole model with model.save(...).")
    _check_version(path, version.decode() if isinstance(version, bytes) else version)
    _check_config(path, guarded(lambda: json.loads(config), f"Reading {path}"))


def _check_saved_model(path: Path) -> None:
    metadata = path / "keras_metadata.pb"
    if not (path / "saved_model.pb").is_file():
        raise StageError(f"The folder {path} is no SavedModel: it has no saved_model.pb.")
    if not metadata.is_file():
        raise StageError(
            f"The SavedModel {path} was not written by Keras 2: it has no keras_metadata.pb.",
            "Only the Keras model itself can be trained on; a SavedModel made for serving holds bare operations.",
        )
    nodes = saved_metadata_pb2.SavedMetadata()
    guarded(lambda: nodes.ParseFromString(metadata.read_bytes()), f"Reading {metadata}")
    for node in nodes.nodes:
        if node.metadata:
            _check_config(path, guarded(lambda node=node: json.loads(node.metadata), f"Reading {metadata}"))


def _check_version(path: Path, version: str | None) -> None:
    if version is not None and int(version.split(".")[0]) >= 3:
        raise StageError(f"{path} was written by Keras {version}.", KERAS_3)


def _check_config(path: Path, config: Any) -> None:
    for part in _parts(config):
        name, module = part.get("class_name"), part.get("module")
        if name in ("Lambda", "__lambda__") or part.get("function_type") == "lambda":
            layer = f" {part['config'].get('name')!r}" if isinstance(part.get("config"), dict) else ""
            raise StageError(
                f"{path} holds Python bytecode in a Lambda layer{layer}: loading it would run it.",
                "Rebuild the model in a function of yours (package.module:function) with a layer class in its place.",
            )
        if isinstance(module, str) and not _is_keras(module):
            raise StageError(
                f"{path} names code of another module: {module}.{name}.",
                "Load it in a function of yours, named as package.module:function.",
            )


def _parts(config: Any) -> Iterator[dict[str, Any]]:
    """Every dict inside, but for the compile settings, which are not loaded."""
    if isinstance(config, dict):
        yield config
        children: Any = [value for key, value in config.items() if key not in ("compile_config", "training_config")]
    else:
        children = config if isinstance(config, list) else []
    for child in children:
        yield from _parts(child)


def _is_keras(module: str) -> bool:
    return any(module == own or module.startswith(f"{own}.") for own in _OWN_MODULES)
