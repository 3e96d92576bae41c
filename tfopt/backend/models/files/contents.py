"""Reads a model file as data: who wrote it, and its configuration. Nothing is built and nothing of it runs."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import h5py
from tf_keras.protobuf import saved_metadata_pb2

from tfopt.backend.types import Json
from tfopt.catalog.guard import guarded
from tfopt.errors import StageError

SUFFIXES = (".keras", ".h5", ".hdf5")
_COMPILE = ("compile_config", "training_config")


@dataclass(frozen=True)
class Contents:
    """What a model file says about itself.

    Args:
        path: the file or folder.
        kind: its format.
        version: the Keras that wrote it, e.g. `2.2.4-tf`; empty where it does not say.
        config: how the model is rebuilt, without compile settings.
    """

    path: Path
    kind: Literal["keras", "h5", "saved_model"]
    version: str
    config: dict[str, Any]

    @property
    def is_keras_3(self) -> bool:
        """Whether the package `keras` reads it; what does not say who wrote it is older than that."""
        return self.version.split(".")[0].isdecimal() and int(self.version.split(".")[0]) >= 3


def read(path: Path) -> Contents:
    """Reads version and configuration of a model file.

    Raises:
        StageError: no such file, of a different type, broken, or with weights only.
    """
    if not path.exists():
        raise StageError(
            f"There is no model file {path}.", "A relative path starts at the recipe.", code="file_not_found"
        )
    if path.is_dir():
        return _saved_model(path)
    if path.suffix not in SUFFIXES:
        raise StageError(
            f"{path} is not a model that can be trained.",
            "Expected .keras, .h5, or a SavedModel folder made by Keras 2.",
            code="model_unreadable",
        )
    if zipfile.is_zipfile(path):
        return _archive(path)
    if h5py.is_hdf5(path):
        return _h5(path)
    raise StageError(
        f"{path} is neither a .keras archive nor an HDF5 file: it is broken or cut off.", code="model_unreadable"
    )


def _archive(path: Path) -> Contents:
    def parts() -> tuple[Any, Any]:
        with zipfile.ZipFile(path) as archive:
            return json.loads(archive.read("metadata.json")), json.loads(archive.read("config.json"))

    metadata, config = guarded(parts, f"Reading {path}")
    version = metadata.get("keras_version") if isinstance(metadata, dict) else None
    return Contents(path, "keras", str(version or ""), _checked(path, config))


def _h5(path: Path) -> Contents:
    def attributes() -> tuple[Any, Any]:
        with h5py.File(path, "r") as file:
            groups = [file.attrs, file["model_weights"].attrs] if "model_weights" in file else [file.attrs]
            # Keras 2.0 put the version on the group of the weights.
            versions = [group["keras_version"] for group in groups if "keras_version" in group]
            return file.attrs.get("model_config"), versions[0] if versions else ""

    config, version = guarded(attributes, f"Reading {path}")
    if config is None:
        raise StageError(
            f"{path} holds no model, only weights.",
            "Save the whole model with model.save(...).",
            code="model_unreadable",
        )
    version = version.decode() if isinstance(version, bytes) else str(version)
    return Contents(path, "h5", version, _checked(path, guarded(lambda: json.loads(config), f"Reading {path}")))


def _saved_model(path: Path) -> Contents:
    metadata = path / "keras_metadata.pb"
    if not (path / "saved_model.pb").is_file():
        raise StageError(f"The folder {path} is not a SavedModel: it has no saved_model.pb.", code="model_unreadable")
    if not metadata.is_file():
        raise StageError(
            f"The SavedModel {path} was not written by Keras 2: it has no keras_metadata.pb.",
            "Only the Keras model itself can be trained on; a SavedModel made for serving holds bare operations. "
            "Save the model as .keras where it was trained.",
            code="model_unreadable",
        )
    nodes = saved_metadata_pb2.SavedMetadata()
    guarded(lambda: nodes.ParseFromString(metadata.read_bytes()), f"Reading {metadata}")
    roots = [node for node in nodes.nodes if node.node_path == "root"]
    if not roots:
        raise StageError(
            f"{metadata} describes no model.", "Save the model as .keras where it was trained.", code="model_unreadable"
        )
    root = guarded(lambda: json.loads(roots[0].metadata), f"Reading {metadata}")
    if not isinstance(root, dict) or not isinstance(root.get("config"), dict) or "layers" not in root["config"]:
        kind = root.get("class_name") if isinstance(root, dict) else None
        raise StageError(
            f"The SavedModel {path} holds the subclassed model {kind!r}: how it is built is in its Python code only.",
            "Build it in a function of yours (package.module:function) and load its weights there.",
            code="model_unreadable",
        )
    config = {"class_name": root["class_name"], "config": root["config"]}
    return Contents(path, "saved_model", str(root.get("keras_version") or ""), _checked(path, config))


def _checked(path: Path, config: object) -> dict[str, Any]:
    if not isinstance(config, dict) or not isinstance(config.get("class_name"), str) or not config.get("config"):
        raise StageError(
            f"{path} holds no configuration of a model.",
            "Save the whole model with model.save(...).",
            code="model_unreadable",
        )
    return _without_compile(config)


def _without_compile(value: Json) -> Json:
    """Without the compile settings of all models inside: tf_keras carries out those of nested models even when it is
    asked not to compile, and they can name any module."""
    if isinstance(value, dict):
        return {key: _without_compile(part) for key, part in value.items() if key not in _COMPILE}
    return [_without_compile(part) for part in value] if isinstance(value, list) else value
