"""Builds the model of a file and places its weights."""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import h5py
import keras
import tf_keras

from tfopt.backend.compat.keras_saving import SafeModeScope, hdf5_format, json_utils
from tfopt.backend.graph.layers import all_layers
from tfopt.backend.models.files import bytecode, contents, named_code, trust
from tfopt.backend.models.files.contents import Contents
from tfopt.backend.models.files.graph_model import load_graph
from tfopt.backend.models.files.named_code import CustomObjects
from tfopt.backend.models.files.trust import Finding
from tfopt.catalog.guard import guarded
from tfopt.catalog.own_code import importable
from tfopt.errors import StageError

_FLAG = "model.allow_unsafe: true"
_WRAPPERS = ("PruneLowMagnitude", "ClusterWeights", "QuantizeWrapper", "QuantizeWrapperV2", "QuantizeLayer")
_VARIABLES = Path("variables", "variables")

Loaded: TypeAlias = tf_keras.Model | keras.Model
"""What a file may hold."""


def is_model_file(source: str) -> bool:
    """Whether a model source is a path."""
    return Path(source).suffix in (*contents.SUFFIXES, ".tflite", ".pb") or "/" in source


def load_file(
    path: Path,
    allow_unsafe: bool = False,
    folder: Path = Path(),
    signature: str | None = None,
    objects: Sequence[str] = (),
) -> Loaded:
    """Loads a `.keras`, `.h5` or SavedModel of Keras 2, or a `.keras` or `.h5` of Keras 3; never compiled.

    A SavedModel is rebuilt from the Keras configuration in it and its checkpoint. Its graph, in `saved_model.pb`, is
    neither loaded nor run: loading it would run the initializers that are in it. One without that configuration becomes
    a model of one layer that runs its graph (see `graph_model`), and so does any whose signature is asked for.

    Args:
        path: the file or folder.
        allow_unsafe: runs Python code that the file holds, and imports the modules that it names.
        folder: folder of the recipe, whose modules can be imported.
        signature: of a SavedModel without layers; `serving_default`, or its only one, if None.
        objects: modules of classes and functions that the file is made of, as `package.module` or
            `package.module:name`; the recipe allows them, whatever `allow_unsafe` says.

    Returns:
        A tf_keras model for a file of Keras 2, a Keras 3 model for one of Keras 3.

    Raises:
        StageError: no such file, broken, with weights only, or it holds code and `allow_unsafe` is false.
    """
    file = contents.read(path).modern()
    if file.kind == "graph" or (file.kind == "saved_model" and signature is not None):
        return load_graph(file, signature, allow_unsafe)
    if signature is not None:
        raise StageError(
            f"model.args.signature has no meaning for {path}: only a SavedModel has signatures.",
            "Remove it.",
            code="meaningless_key",
        )
    findings = list(trust.findings(file.config, file.is_keras_3))
    try:
        custom_objects = _code_of(path, findings, allow_unsafe, folder, named_code.given(objects, folder))
    except StageError as error:
        if file.kind != "saved_model":
            raise
        raise _with_another_way(error) from error
    loaders = {"keras": _load_archive, "h5": _load_h5, "saved_model": _load_saved_model}
    with importable(folder):
        try:
            return guarded(lambda: loaders[file.kind](file, custom_objects, allow_unsafe), f"Loading {path}")
        except StageError as error:
            raise named_code.with_hint(error) from error


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


def refusal(path: Path, finding: Finding) -> StageError:
    """Why a file is not loaded, and what would allow it."""
    name = repr(finding.layer) if finding.layer else ""
    if finding.danger == "bytecode":
        what = f"a {finding.name} layer {name}" if finding.name != "lambda" else f"a Lambda layer {name}"
        message = f"{path} holds Python bytecode in {what.strip()}: loading it would run it."
        cure = "rebuild the model in a function of yours (package.module:function) with a layer class in its place"
    elif finding.danger == "module":
        message = f"{path} names code of a different module: {finding.name}."
        cure = f"name the module in the recipe (model.objects: [{finding.name.rpartition('.')[0]}])"
    elif finding.danger == "operation":
        message = f"The layer {name} of {path} calls {finding.name}, which does more than compute on tensors."
        cure = "rebuild the model in a function of yours (package.module:function) without it"
    elif finding.danger == "file":
        message = f"The layer {name} of {path} would read a different file: {finding.name}."
        cure = "rebuild the model in a function of yours (package.module:function)"
    elif _is_wrapper(finding):
        return StageError(
            f"{path} was saved with the wrappers of tfmot still around its layers ({finding.name}).",
            "Strip them (strip_pruning, strip_clustering) before saving, or use the float model from before qat.",
            code="model_unreadable",
        )
    else:
        return named_code.missing(path, [finding])
    return StageError(message, f"If you trust whoever wrote it, set {_FLAG}; or {cure}.", code="unsafe_model")


def _code_of(
    path: Path, findings: Sequence[Finding], allow_unsafe: bool, folder: Path, known: CustomObjects
) -> CustomObjects:
    """The code that a file is made of, by the names in its configuration.

    Raises:
        StageError: it is not allowed, not to be found, or bytecode of another version of Python.
    """
    unknown = [finding for finding in findings if not _is_known(finding, known)]
    if unknown and not allow_unsafe:
        raise refusal(path, unknown[0])
    objects = dict(known)
    for finding in unknown:
        if finding.danger == "module":
            objects |= named_code.imported(path, finding, folder)
        elif finding.danger == "bytecode":
            bytecode.check_bytecode(path, finding)
    # After all imports, which register what has no module in the file.
    without_module = [finding for finding in unknown if finding.danger == "class"]
    codes = [named_code.found_code(finding, objects) for finding in without_module]
    if None in codes:
        lost = [finding for finding, code in zip(without_module, codes, strict=True) if code is None]
        raise refusal(path, lost[0]) if _is_wrapper(lost[0]) else named_code.missing(path, lost)
    return objects | {finding.name: code for finding, code in zip(without_module, codes, strict=True)}


def _is_known(finding: Finding, known: CustomObjects) -> bool:
    """Whether the recipe itself names the code."""
    bare = finding.name.rpartition(".")[2].rpartition(">")[2]
    return finding.danger in ("class", "module") and (finding.name in known or bare in known)


def _is_wrapper(finding: Finding) -> bool:
    return finding.name.rpartition(">")[2] in _WRAPPERS


def _with_another_way(error: StageError) -> StageError:
    """An error about the Keras layers of a SavedModel, with the way that does without them."""
    another = "Or convert its graph as it is, without layers: model.args: {signature: serving_default}."
    return StageError(error.message, f"{error.hint} {another}".strip(), error.where, code=error.code)


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
            raise _with_another_way(
                StageError(
                    f"The layer {layer.name!r} of {file.path} keeps a vocabulary, which is in the SavedModel's graph.",
                    "Save the model as .keras where it was trained.",
                    code="model_unreadable",
                )
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
