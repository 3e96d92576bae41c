"""A SavedModel without Keras layers as a tf_keras model: inputs, one layer that runs its graph, outputs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import tensorflow as tf
import tf_keras

from tfopt.backend.graph.saved_model_layer import SavedModelLayer
from tfopt.backend.models.files import saved_model_graph
from tfopt.backend.models.files.contents import Contents
from tfopt.catalog.guard import guarded
from tfopt.core.language.wording import counted
from tfopt.errors import StageError

if TYPE_CHECKING:
    from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef


def load_graph(file: Contents, signature: str | None, allow_unsafe: bool) -> tf_keras.Model:
    """Loads the graph of a SavedModel and builds a model around one of its signatures.

    Args:
        file: of kind `graph`.
        signature: its key; `serving_default`, or the only one, if None.
        allow_unsafe: runs operations that reach beyond tensors and the model's own variables.

    Raises:
        StageError: no such signature, or it takes what no model here takes; it cannot be loaded, or is unsafe.
    """
    graph = saved_model_graph.meta_graph(file.path)
    unsafe = saved_model_graph.unsafe_operations(graph)
    if unsafe and not allow_unsafe:
        raise StageError(
            f"{file.path} has operations that do more than compute on tensors: {', '.join(unsafe)}.",
            "If you trust whoever wrote it, set model.allow_unsafe: true; or save the model without them.",
            code="unsafe_model",
        )
    key = _chosen(file, saved_model_graph.signatures(graph), signature)
    tags = sorted(graph.meta_info_def.tags)
    layer = guarded(
        lambda: SavedModelLayer(str(file.path.absolute()), key, tags, name="saved_model"), f"Loading {file.path}"
    )
    inputs = [tf_keras.Input(spec.shape[1:], dtype=spec.dtype, name=name) for name, spec in layer.specs.items()]
    outputs = guarded(lambda: tf.nest.flatten(layer(inputs)), f"Calling the signature {key!r} of {file.path}")
    named = [
        tf_keras.layers.Identity(name=_free(name, layer), dtype=output.dtype.name)(output)
        for name, output in zip(layer.output_names, outputs, strict=True)
    ]
    return tf_keras.Model(inputs, named if len(named) > 1 else named[0], name=_model_name(file.path))


def _chosen(file: Contents, signatures: dict[str, SignatureDef], asked: str | None) -> str:
    """The key of the signature to use.

    Raises:
        StageError: none fits.
    """
    known = ", ".join(signatures)
    if not signatures:
        raise StageError(
            f"The SavedModel {file.path} {file.bare or 'holds a Keras model'}, and has no signature to convert.",
            "Save it with one: tf.saved_model.save(model, folder, signatures=...), or save a Keras model as .keras.",
            code="model_unreadable",
        )
    if asked is not None and asked not in signatures:
        raise StageError(
            f"The SavedModel {file.path} has no signature {asked!r}.", f"It has: {known}.", code="model_unreadable"
        )
    key = asked or (saved_model_graph.SERVING if saved_model_graph.SERVING in signatures else known)
    if key not in signatures:
        raise StageError(
            f"The SavedModel {file.path} has several signatures ({known}), and none is {saved_model_graph.SERVING}.",
            f"Choose one with model.args: {{signature: {next(iter(signatures))}}}.",
            code="model_unreadable",
        )
    problems = {name: _problems(signature) for name, signature in signatures.items()}
    if problems[key]:
        usable = [name for name, found in problems.items() if not found]
        hint = f"Choose a different signature with model.args: {{signature: {usable[0]}}}." if usable else ""
        raise StageError(
            f"The signature {key!r} of {file.path} {'; '.join(problems[key])}.",
            hint or "Save the model with a signature that takes numbers, with an axis of examples first.",
            code="model_unreadable",
        )
    return key


def _problems(signature: SignatureDef) -> list[str]:
    """Why a signature cannot be run on examples."""
    found = []
    for side, ports in (("takes", signature.inputs), ("returns", signature.outputs)):
        for name, port in sorted(ports.items()):
            dtype = tf.as_dtype(port.dtype)
            if not (dtype.is_floating or dtype.is_integer or dtype.is_bool):
                found.append(f"{side} {name!r} of type {dtype.name}")
            elif port.tensor_shape.unknown_rank:
                found.append(f"{side} {name!r} without a number of axes")
            elif side == "takes" and not port.tensor_shape.dim:
                found.append(f"takes {name!r}, a single number without an axis of examples")
            elif side == "takes" and port.tensor_shape.dim[0].size > 1:
                found.append(f"takes exactly {counted(port.tensor_shape.dim[0].size, 'example')} per call as {name!r}")
    return found if signature.inputs else ["takes no inputs"]


def _free(name: str, layer: SavedModelLayer) -> str:
    """The name of an output, or a similar one where an input has it."""
    return f"{name}_out" if name in layer.specs or name == layer.name else name


def _model_name(path: Path) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in path.name) or "saved_model"
