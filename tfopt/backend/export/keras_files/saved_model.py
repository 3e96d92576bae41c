"""A Keras model as a SavedModel for inference.

One signature, `serving_default`, with the model's own names of inputs and outputs; two where it takes raw examples.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.data.arrays.reading import all_in_memory
from tfopt.backend.data.arrays.tensors import readable_errors
from tfopt.backend.data.arrays.views import of_type
from tfopt.backend.data.batches import input_batches
from tfopt.backend.export.keras_files.deterministic_saved_model import OrderedArchive, make_canonical
from tfopt.backend.graph.outputs import usable
from tfopt.backend.graph.saved_model_layer import SavedModelLayer
from tfopt.backend.quantization.in_file import as_operators
from tfopt.backend.quantization.quantized import Quantized
from tfopt.backend.types import Array, ExampleArray, ExampleArrays, Shape
from tfopt.errors import ExportError

SIGNATURE = "serving_default"


@dataclass(frozen=True)
class Signature:
    """Names of a model's inputs and outputs, in the model's order, usable as names in a signature.

    Args:
        inputs: one per input.
        outputs: one per output.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class RawServing:
    """What a SavedModel does to raw examples before the model.

    Args:
        spec: type and shape of raw examples, with the name of the model's input.
        prepare: makes inputs of them.
        prepared: name of the signature that takes inputs as the model does.
        table: that `prepare` reads, such as a vocabulary.
    """

    spec: tf.TensorSpec
    prepare: Callable[[tf.Tensor], tf.Tensor]
    prepared: str
    table: tf.lookup.StaticHashTable | None = None


def float_and_quantized(model: tf_keras.Model | Quantized) -> tuple[tf_keras.Model, tf_keras.Model | None]:
    """The float model, and the one that simulates 8 bits, or None."""
    return (model, None) if isinstance(model, tf_keras.Model) else (model.float_model, model.model)


def signature_of(model: tf_keras.Model, outputs: Sequence[str] = ()) -> Signature:
    """Names of the inputs and outputs of a float model.

    Args:
        model: the float model.
        outputs: names of its outputs in a recipe (`Compile.all_outputs`); its own, where there are none.

    Raises:
        ExportError: the model's inputs are not known before it runs.
    """
    if not model.inputs:
        raise ExportError(
            f"The inputs of model {model.name!r} are not known before it runs, so it cannot be exported.",
            "Build it with tf_keras.Input and tf_keras.Model(inputs, outputs).",
            code="model_not_built",
        )
    return Signature(usable(model.input_names), usable(outputs or model.output_names))


def own_types(model: tf_keras.Model, signature: Signature) -> dict[str, str]:
    """Dtypes of the inputs and outputs of a float model that are not floats, such as token ids, by signature name."""
    ports = zip((*signature.inputs, *signature.outputs), (*model.inputs, *model.outputs), strict=True)
    return {name: tensor.dtype.name for name, tensor in ports if not tensor.dtype.is_floating}


def needs_fixed_batch(model: tf_keras.Model) -> bool:
    """Returns whether a model contains a layer, at any depth, that the converter accepts with a fixed batch only.

    RNN, LSTM and GRU (also inside Bidirectional or a wrapper): 'TensorListReserve requires element_shape to be static'.
    GroupNormalization: calibration fails with 'BROADCAST_TO Output shape must be broadcastable from input shape'.
    A SavedModel may have been saved for one example per call.
    """
    kinds = (tf_keras.layers.RNN, tf_keras.layers.GroupNormalization)
    return any(
        isinstance(module, kinds) or (isinstance(module, SavedModelLayer) and module.one_by_one)
        for module in model.submodules
    )


def write_saved_model(
    model: tf_keras.Model,
    signature: Signature,
    folder: Path,
    batch: int | None = None,
    shapes: Mapping[str, Shape] = MappingProxyType({}),
    raw: RawServing | None = None,
) -> None:
    """Writes a SavedModel for inference only: no training graph, no optimizer.

    Args:
        model: a float model, or one with tfmot's quantize wrappers around it.
        signature: names of inputs and outputs.
        folder: created.
        batch: fixed number of examples per call; None for any.
        shapes: of one example, by name of an input (the model's own) whose open axes are fixed.
        raw: makes `serving_default` take raw examples; the model's own inputs get a second signature.

    Raises:
        ExportError: the disk is full or the folder is read-only.
    """
    specs = [
        tf.TensorSpec((batch, *shapes.get(own, tensor.shape[1:])), tensor.dtype, name=name)
        for tensor, own, name in zip(model.inputs, model.input_names, signature.inputs, strict=True)
    ]

    def serve(*inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs = tf.nest.flatten(model(inputs[0] if len(inputs) == 1 else list(inputs), training=False))
        return dict(zip(signature.outputs, outputs, strict=True))

    archive = OrderedArchive()
    archive.track(model)
    with as_operators():
        if raw is None:
            archive.add_endpoint(SIGNATURE, serve, input_signature=specs)
        else:
            prepare = raw.prepare
            if raw.table is not None:
                archive.track(raw.table)
            archive.add_endpoint(SIGNATURE, lambda examples: serve(prepare(examples)), input_signature=[raw.spec])
            archive.add_endpoint(raw.prepared, serve, input_signature=specs)
    try:
        with contextlib.redirect_stdout(io.StringIO()), as_operators():  # write_out prints the endpoints
            archive.write_out(str(folder))
        make_canonical(folder)
    except (OSError, tf.errors.OpError) as error:
        reason = getattr(error, "message", None) or getattr(error, "strerror", None) or str(error)
        raise ExportError(
            f"Cannot write {folder}: {reason}.", "Free some space, or choose a different folder.", code="cannot_write"
        ) from error


def named_inputs(inputs: ExampleArrays, model: tf_keras.Model, signature: Signature) -> dict[str, ExampleArray]:
    """Examples by input name of the signature, in the dtype that the model expects; read only where they are in memory.

    Args:
        inputs: one array, or a dict by the model's own input names.
        model: the float model.
        signature: its signature.

    Raises:
        ExportError: the examples do not fit the model's inputs.
    """
    given = inputs if isinstance(inputs, dict) else {model.input_names[0]: inputs}
    if set(given) != set(model.input_names):
        raise ExportError(
            f"The model has the inputs {model.input_names}, but examples are given for {sorted(given)}.",
            code="incompatible_shapes",
        )
    return {
        port: of_type(given[name], np.dtype(tensor.dtype.as_numpy_dtype))
        for port, name, tensor in zip(signature.inputs, model.input_names, model.inputs, strict=True)
    }


def predict(
    model: tf_keras.Model, inputs: ExampleArrays, signature: Signature, batch_size: int = 256
) -> dict[str, Array]:
    """Outputs of a Keras model for all examples, by output name.

    Raises:
        StageError: an example cannot be read.
    """
    if all_in_memory(inputs):
        predicted = model.predict(inputs, batch_size=batch_size, verbose=0)
    else:
        with readable_errors():
            predicted = model.predict(input_batches(inputs, batch_size), verbose=0)
    outputs = tf.nest.flatten(predicted)
    return dict(zip(signature.outputs, (np.asarray(output) for output in outputs), strict=True))
