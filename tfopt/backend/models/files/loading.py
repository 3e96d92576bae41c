"""Builds the model of a file and places its weights."""

from __future__ import annotations

import importlib
import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any, TypeAlias

import h5py
import keras
import tf_keras

from tfopt.backend.compat.keras_saving import SafeModeScope, hdf5_format, json_utils
from tfopt.backend.graph.layers import all_layers
from tfopt.backend.graph.serialized_names import current_name
from tfopt.backend.models.files import contents, trust
from tfopt.backend.models.files.contents import Contents
from tfopt.backend.models.files.graph_model import load_graph
from tfopt.catalog.guard import guarded
from tfopt.catalog.references import importable
from tfopt.errors import StageError

_FLAG = "model.allow_unsafe: true"
_WRAPPERS = ("PruneLowMagnitude", "ClusterWeights", "QuantizeWrapper", "QuantizeWrapperV2", "QuantizeLayer")
_VARIABLES = Path("variables", "variables")

CustomObjects: TypeAlias = dict[str, Any]
"""Classes and functions by the name in a configuration."""
Loaded: TypeAlias = tf_keras.Model | keras.Model
"""What a file may hold."""


def is_model_file(source: str) -> bool:
    """Whether a model source is a path."""
    return Path(source).suffix in (*contents.SUFFIXES, ".tflite", ".pb") or "/" in source


def load_file(path: Path, allow_unsafe: bool = False, folder: Path = Path(), signature: str | None = None) -> Loaded:
    """Loads a `.keras`, `.h5` or SavedModel of Keras 2, or a `.keras` or `.h5` of Keras 3; never compiled.

    A SavedModel is rebuilt from the Keras configuration in it and its checkpoint. Its graph, in `saved_model.pb`, is
    neither loaded nor run: loading it would run the initializers that are in it. One without that configuration becomes
    a model of one layer that runs its graph (see `graph_model`).

    Args:
        path: the file or folder.
        allow_unsafe: runs Python code that the file holds, and imports the modules that it names.
        folder: folder of the recipe, whose modules can be imported.
        signature: of a SavedModel without layers; `serving_default`, or its only one, if None.

    Returns:
        A tf_keras model for a file of Keras 2, a Keras 3 model for one of Keras 3.

    Raises:
        StageError: no such file, broken, with weights only, or it holds code and `allow_unsafe` is false.
    """
    file = contents.read(path).modern()
    if file.kind == "graph":
        return load_graph(file, signature, allow_unsafe)
    if signature is not None:
        raise StageError(
            f"model.args.signature has no meaning for {path}, which holds a Keras model.",
            "Remove it.",
            code="meaningless_key",
        )
    findings = list(trust.findings(file.config, file.is_keras_3))
    if findings and not allow_unsafe:
        raise refusal(path, findings[0])
    custom_objects = {key: value for finding in findings for key, value in _imported(path, finding, folder).items()}
    loaders = {"keras": _load_archive, "h5": _load_h5, "saved_model": _load_saved_model}
    with importable(folder):
        return guarded(lambda: loaders[file.kind](file, custom_objects, allow_unsafe), f"Loading {path}")


def built_without_weights(file: Contents) -> Loaded | None:
    """The model that a file describes, with initial weights; None where only its own code could build it.

    Args:
        file: of today's form (see `Contents.modern`).

    Raises:
        StageError: Keras refuses the configuration.
    """
    if file.kind == "graph" or any(trust.findings(file.config, file.is_keras_3)):
        return None
    if not file.is_keras_3:
        return guarded(lambda: _from_config(file, {}, False), f"Building {file.path}")
    if file.kind == "h5":
        return guarded(lambda: _load_h5(file, {}, False), f"Building {file.path}")
    return guarded(lambda: keras.saving.deserialize_keras_object(file.config, safe_mode=True), f"Building {file.path}")


def refusal(path: Path, finding: trust.Finding) -> StageError:
    """Why a file is not loaded, and what would allow it."""
    name = repr(finding.layer) if finding.layer else ""
    if finding.danger == "bytecode":
        what = f"a {finding.name} layer {name}" if finding.name != "lambda" else f"a Lambda layer {name}"
        message = f"{path} holds Python bytecode in {what.strip()}: loading it would run it."
        cure = "rebuild the model in a function of yours (package.module:function) with a layer class in its place"
    elif finding.danger == "module":
        message = f"{path} names code of a different module: {finding.name}."
        cure = "load it in a function of yours, named as package.module:function"
    elif finding.danger == "operation":
        message = f"The layer {name} of {path} calls {finding.name}, which does more than compute on tensors."
        cure = "rebuild the model in a function of yours (package.module:function) without it"
    elif finding.danger == "file":
        message = f"The layer {name} of {path} would read a different file: {finding.name}."
        cure = "rebuild the model in a function of yours (package.module:function)"
    elif finding.name.split(">")[-1] in _WRAPPERS:
        return StageError(
            f"{path} was saved with the wrappers of tfmot still around its layers ({finding.name}).",
            "Strip them (strip_pruning, strip_clustering) before saving, or use the float model from before qat.",
            code="model_unreadable",
        )
    else:
        return StageError(
            f"{path} uses {finding.name!r}, which Keras does not have, and does not say in which module it is.",
            "Load it in a function of yours, named as package.module:function, with custom_objects.",
            code="model_unreadable",
        )
    return StageError(message, f"If you trust whoever wrote it, set {_FLAG}; or {cure}.", code="unsafe_model")


def _imported(path: Path, finding: trust.Finding, folder: Path) -> dict[str, Any]:
    """The class or function that a file names, by the names that Keras looks it up with."""
    if finding.danger == "class":
        raise refusal(path, finding)
    part = finding.part
    if finding.danger != "module" or "class_name" not in part:
        return {}
    name = part["config"] if part["class_name"] == "function" else part.get("spec_name", part["class_name"])
    module, _, attribute = current_name(f"{part['module']}:{name}").partition(":")
    with importable(folder):
        found = guarded(
            lambda: getattr(importlib.import_module(module), attribute), f"Importing what {path} names ({name})"
        )
    registered = part.get("registered_name")
    return {name: found, **({registered: found} if isinstance(registered, str) else {})}


def _load_archive(file: Contents, custom_objects: CustomObjects, allow_unsafe: bool) -> Loaded:
    """Loads a copy whose configuration is the one that was looked at."""
    with tempfile.TemporaryDirectory(prefix="tfopt-model-") as work:
        copy = Path(work, "model.keras")
        with zipfile.ZipFile(file.path) as source, zipfile.ZipFile(copy, "w") as target:
            for name in dict.fromkeys(source.namelist()):
                content = json.dumps(file.config).encode() if name == "config.json" else source.read(name)
                target.writestr(name, content)
        library = keras if file.is_keras_3 else tf_keras
        return library.models.load_model(copy, custom_objects=custom_objects, compile=False, safe_mode=not allow_unsafe)


def _load_h5(file: Contents, custom_objects: CustomObjects, allow_unsafe: bool) -> Loaded:
    if file.is_keras_3:
        return keras.models.load_model(
            file.path, custom_objects=custom_objects, compile=False, safe_mode=not allow_unsafe
        )
    model = _from_config(file, custom_objects, allow_unsafe)
    with h5py.File(file.path, "r") as stored:
        hdf5_format.load_weights_from_hdf5_group(stored["model_weights"], model)
    return model


def _load_saved_model(file: Contents, custom_objects: CustomObjects, allow_unsafe: bool) -> tf_keras.Model:
    model = _from_config(file, custom_objects, allow_unsafe)
    for layer in all_layers(model):
        if hasattr(layer, "_lookup_layer") or hasattr(layer, "lookup_table"):
            raise StageError(
                f"The layer {layer.name!r} of {file.path} keeps a vocabulary, which is in the SavedModel's graph.",
                "Save the model as .keras where it was trained.",
                code="model_unreadable",
            )
    status = model.load_weights(str(file.path / _VARIABLES))
    status.assert_existing_objects_matched()
    status.expect_partial()
    return model


def _from_config(file: Contents, custom_objects: CustomObjects, allow_unsafe: bool) -> tf_keras.Model:
    # Tuples and shapes have a notation of their own in these formats.
    config = json_utils.decode(json.dumps(file.config))
    with SafeModeScope(not allow_unsafe):
        return tf_keras.models.model_from_config(config, custom_objects=custom_objects)
