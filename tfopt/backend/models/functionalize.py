"""tf_keras models whose graph is hidden in Python, as functional models: subclassed ones, and those with Lambda layers.

tfmot rebuilds a model from its graph, and the store keeps configurations, not code. A traced model computes the same
with the same layers; what a Lambda layer did is then a row of TensorFlow operations, which need no code.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.equivalence import Tolerance, outputs, random_inputs, same_outputs
from tfopt.backend.graph.layers import all_layers, nodes
from tfopt.backend.models.files import trust
from tfopt.backend.types import ExampleArray, ExampleArrays, Nested
from tfopt.catalog.guard import guarded
from tfopt.errors import StageError

_TOLERANCE = Tolerance(1e-5, least_scale=1e-3)


def traced(model: tf_keras.Model, source: str, examples: ExampleArrays | tuple[ExampleArray, ...]) -> tf_keras.Model:
    """A subclassed model as a functional one, by calling it once on symbolic inputs.

    Args:
        model: subclassed; built or not.
        source: where it comes from, for errors.
        examples: of the shapes and types that it accepts, one array, a dict by input name, or a tuple; the first axis
            is that of the examples.

    Returns:
        A functional model of the same layers, which it shares with `model`.

    Raises:
        StageError: its `call` branches on values, uses weights outside of layers, or behaves otherwise when traced.
    """
    what = f"Tracing the subclassed model {type(model).__name__!r} of {source}"
    hint = "Write it as a functional model: tf_keras.Model(inputs, outputs)."
    inputs = _inputs(examples)
    # A default of training=False would be written into the graph, and freeze dropout and batch normalization for ever.
    options = {"training": None} if "training" in inspect.signature(model.call).parameters else {}
    try:
        graph = guarded(
            lambda: tf_keras.Model(inputs, model.call(inputs, **options), name=model.name, trainable=model.trainable),
            what,
        )
    except StageError as error:
        raise StageError(
            error.message, f"tfmot and the converter need its graph. {hint}", code="invalid_model"
        ) from error
    in_layers = {id(weight) for weight in graph.weights}
    outside = [weight.name for weight in model.weights if id(weight) not in in_layers]
    if outside:
        raise StageError(
            f"{what}: its weights {', '.join(outside)} are used outside of its layers.", hint, code="invalid_model"
        )
    guarded(lambda: _check_equal(model, graph, f"{what} changed its outputs"), what)
    return graph


def without_lambdas(model: tf_keras.Model, source: str) -> tf_keras.Model:
    """A functional or sequential model in which the functions of Lambda layers are TensorFlow operations.

    Args:
        model: with any layers.
        source: where it comes from, for errors.

    Returns:
        The model itself where it has no Lambda layer, else a new one with the same names and weights.

    Raises:
        StageError: a Lambda layer's function does something else than calling TensorFlow on its input.
    """
    if not _has_lambdas(model):
        return model
    inlined = _inlined(model, source)
    _check_plain(inlined, source)
    # The layers of `inlined` are still part of the old graph, too.
    clone = guarded(lambda: tf_keras.models.clone_model(inlined), f"Rebuilding {model.name!r} of {source}")
    clone.set_weights(inlined.get_weights())
    for old, new in zip(inlined.layers, clone.layers, strict=True):
        new.trainable = old.trainable
    _check_equal(model, clone, f"Writing the Lambda layers of {source} as operations changed its outputs")
    return clone


def _has_lambdas(model: tf_keras.Model) -> bool:
    return any(isinstance(layer, tf_keras.layers.Lambda) for layer in all_layers(model, include_self=True))


def _inlined(model: tf_keras.Model, source: str) -> tf_keras.Model:
    twins = {
        id(tensor): tf_keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=name)
        for tensor, name in zip(model.inputs, model.input_names, strict=True)
    }
    nested: dict[int, tf_keras.Model] = {}

    def twin(value: Nested) -> Nested:
        return twins.get(id(value), value)

    for node in nodes(model):
        if node.is_input:
            continue
        layer = node.layer
        args, kwargs = tf.nest.map_structure(twin, (node.call_args, node.call_kwargs))
        if isinstance(layer, tf_keras.layers.Lambda):
            outputs = _as_operations(layer, args, source)
        elif isinstance(layer, tf_keras.Model) and _has_lambdas(layer):
            if id(layer) not in nested:
                nested[id(layer)] = _inlined(layer, source)
            outputs = nested[id(layer)](*args, **kwargs)
        else:
            outputs = layer(*args, **kwargs)
        twins.update(zip(map(id, tf.nest.flatten(node.outputs)), tf.nest.flatten(outputs), strict=True))
    inputs = [twins[id(tensor)] for tensor in model.inputs]
    outputs = tf.nest.map_structure(twin, model.output)
    return tf_keras.Model(inputs if len(inputs) > 1 else inputs[0], outputs, name=model.name)


def _as_operations(layer: tf_keras.layers.Lambda, args: tuple[Nested, ...], source: str) -> Nested:
    if layer._fn_expects_training_arg or layer._fn_expects_mask_arg or len(args) != 1:
        raise StageError(
            f"The Lambda layer {layer.name!r} of {source} asks for `training` or `mask`: its code cannot be kept.",
            "Write a layer class at the top of a module in its place.",
            code="invalid_model",
        )
    try:
        return guarded(lambda: layer.function(args[0], **layer.arguments), f"The Lambda layer {layer.name!r}")
    except StageError as error:
        raise StageError(
            f"{source} cannot be kept: {error.message}",
            "Only TensorFlow operations on the input can replace a Lambda layer; write a layer class otherwise.",
            code="invalid_model",
        ) from error


def _check_plain(model: tf_keras.Model, source: str) -> None:
    """Whether the operations can be kept as their names and constants: `tf.py_function` holds a Python function."""
    hint = "Write a layer class at the top of a module in the place of its Lambda layers."
    try:
        config = guarded(lambda: json.loads(model.to_json()), f"Writing down {source} without its Lambda layers")
    except StageError as error:
        raise StageError(error.message, hint, code="invalid_model") from error
    for finding in trust.findings(config, keras_3=False):
        if finding.danger in ("bytecode", "operation"):
            raise StageError(
                f"A Lambda layer of {source} calls {finding.name}, which cannot be kept.", hint, code="invalid_model"
            )


def _inputs(examples: ExampleArrays | tuple[ExampleArray, ...]) -> Nested:
    if isinstance(examples, tuple):
        return tuple(_input(values, None) for values in examples)
    if isinstance(examples, Mapping):
        return {name: _input(values, name) for name, values in examples.items()}
    return _input(examples, None)


def _input(values: ExampleArray, name: str | None) -> tf.Tensor:
    whole = np.issubdtype(values.dtype, np.integer) and values.dtype != np.uint8
    return tf_keras.Input(values.shape[1:], dtype="int32" if whole else "float32", name=name)


def _check_equal(model: tf_keras.Model, graph: tf_keras.Model, message: str) -> None:
    """Compares a model with the functional one made of it, whose structure of inputs both accept."""
    inputs = random_inputs(graph, bounded=True)
    differing = same_outputs(outputs(model, inputs, like=graph), outputs(graph, inputs), _TOLERANCE)
    if differing:
        raise StageError(
            f"{message}: they differ by {differing.described}.",
            "Write it as a functional model.",
            code="not_equivalent",
        )
