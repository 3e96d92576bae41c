"""Reads a model file as data: who wrote it, and its configuration. Nothing is built and nothing of it runs."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import h5py

from tfopt.backend.models.files import saved_model_graph
from tfopt.backend.models.files.old_formats import modernized
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
        config: how the model is rebuilt, without compile settings; empty for a `graph`.
        bare: why a SavedModel is a `graph`, bare operations without layers: the end of a sentence about it.
    """

    path: Path
    kind: Literal["keras", "h5", "saved_model", "graph"]
    version: str
    config: dict[str, Any]
    bare: str = ""

    @property
    def is_keras_3(self) -> bool:
        """Whether the package `keras` reads it; what does not say who wrote it is older than that."""
        return self.version.split(".")[0].isdecimal() and int(self.version.split(".")[0]) >= 3

    def modern(self) -> Contents:
        """The same with a configuration as today's libraries read it.

        Raises:
            StageError: it is of Keras 1.
        """
        if self.is_keras_3 or self.kind == "graph":
            return self
        return replace(self, config=modernized(self.config, self.version, str(self.path)))


def read(path: Path) -> Contents:
    """Reads version and configuration of a model file.

    Raises:
        StageError: no such file, of a different type, broken, or with weights only.
    """
    if not path.exists():
        raise StageError(
            f"There is no model file {path}.", "A relative path starts at the recipe.", code="file_not_found"
        )
    if path.name == "saved_model.pb":
        path = path.parent
    if path.is_dir():
        return _saved_model(path)
    if path.suffix == ".pb":
        raise StageError(
            f"{path} is a graph of TensorFlow 1 or a part of a SavedModel: alone it says neither which of its tensors "
            "are inputs and outputs nor what its variables hold.",
            "Name the folder of a SavedModel; a frozen graph becomes one with tf.compat.v1.saved_model.simple_save.",
            code="model_unreadable",
        )
    if path.suffix == ".tflite":
        raise StageError(
            f"{path} is a .tflite file: the end product, whose layers, and float weights in most, are gone.",
            "model.source takes the Keras model or SavedModel it was converted from. A .tflite can be looked at "
            "(tfopt inspect), timed (tfopt bench), and be the teacher of a stage (teacher: {file: ...}).",
            code="model_unreadable",
        )
    if path.suffix not in SUFFIXES:
        raise StageError(
            f"{path} is not a model that can be trained.",
            "Expected .keras, .h5, or a SavedModel folder.",
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
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
    if "config.json" not in names:
        weights = any(name.endswith(".weights.h5") for name in names)
        raise (
            _only_weights(path)
            if weights
            else StageError(
                f"{path} is a zip archive, but not one of Keras: it has no config.json.", code="model_unreadable"
            )
        )

    def parts() -> tuple[object, object]:
        with zipfile.ZipFile(path) as archive:
            if "metadata.json" not in names:
                return {}, json.loads(archive.read("config.json"))
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
        raise _only_weights(path)
    version = version.decode() if isinstance(version, bytes) else str(version)
    return Contents(path, "h5", version, _checked(path, guarded(lambda: json.loads(config), f"Reading {path}")))


def _only_weights(path: Path) -> StageError:
    return StageError(
        f"{path} holds no model, only weights.",
        "Save the whole model with model.save(...), or build it in a function of yours (package.module:function) that "
        "calls model.load_weights on this file.",
        code="model_unreadable",
    )


def _saved_model(path: Path) -> Contents:
    if not (path / "saved_model.pb").is_file():
        if (path / "checkpoint").is_file():
            raise _only_weights(path)
        raise StageError(f"The folder {path} is not a SavedModel: it has no saved_model.pb.", code="model_unreadable")
    root = saved_model_graph.keras_description(path)
    if root is None:
        return Contents(path, "graph", "", {}, "was written without Keras' description of its layers")
    version, kind = str(root.get("keras_version") or ""), str(root.get("class_name"))
    config = root.get("config")
    if not isinstance(config, dict | list) or (isinstance(config, dict) and "layers" not in config):
        bare = f"holds the subclassed model {kind!r}, whose layers are connected in its Python code only"
        return Contents(path, "graph", version, {}, bare)
    return Contents(path, "saved_model", version, _checked(path, {"class_name": kind, "config": config}))


def _checked(path: Path, config: object) -> dict[str, Json]:
    if not isinstance(config, dict) or not isinstance(config.get("class_name"), str) or not config.get("config"):
        raise StageError(
            f"{path} holds no configuration of a model.",
            "Save the whole model with model.save(...).",
            code="model_unreadable",
        )
    return _without_compile(config)


def _without_compile(config: dict[str, Json]) -> dict[str, Json]:
    """Without the compile settings of all models inside: tf_keras carries out those of nested models even when it is
    asked not to compile, and they can name any module."""
    return {key: _inside(part) for key, part in config.items() if key not in _COMPILE}


def _inside(value: Json) -> Json:
    if isinstance(value, dict):
        return _without_compile(value)
    return [_inside(part) for part in value] if isinstance(value, list) else value
