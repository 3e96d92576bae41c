"""A tf_keras layer that runs a layer or an operation of Keras 3, where tf_keras has no equivalent."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TypeAlias

import keras
import tensorflow as tf
import tf_keras

from tfopt.backend.bridge.custom_code import CustomCode, custom_parts, prefer, unregistered_functions
from tfopt.backend.bridge.reading.arguments import CallSpec, call_spec, fill
from tfopt.backend.bridge.reading.graph import Call
from tfopt.backend.bridge.reading.own_constructors import made_from, with_names
from tfopt.backend.types import Config, Nested, Shape
from tfopt.catalog.guard import guarded
from tfopt.errors import StageError

Training: TypeAlias = bool | int | tf.Tensor | None
"""The `training` argument of a call."""
_NESTED = "Exception encountered: "
"""Before the cause of an error, in the errors around it of Keras."""
_NOT_PRUNED = ("bias", "gamma", "beta", "scale", "moving", "mean", "variance")


class Keras3LayerWrapper(tf_keras.layers.Layer):
    """Runs one Keras 3 layer or operation and owns its variables.

    The variables are the layer's own `tf.Variable`s, so what tf_keras trains, prunes, saves and loads is what the
    wrapped layer computes with. Masks and losses pass through.

    Args:
        hosted: Keras 3 configuration of the layer or operation, as JSON.
        pattern: how its arguments are made of the tensors that the wrapper is called with, as JSON.
        specs: `(shape, dtype)` of these tensors, as JSON; the wrapped layer is built for them.
        others: pattern and specs, both as JSON, of each further way in which a shared layer is called.
        name: name of the wrapped layer or operation.
        trainable: whether its weights are trained.

    Raises:
        StageError: the configuration does not describe a Keras 3 object that can be made without running unsafe code.
    """

    # The weights are listed below; tf_keras would take the wrapped layer for one of its own and list them again.
    _auto_track_sub_layers = False
    closed_because = ""
    """Why a layer of a user's own class was not opened, where the wrapper was just made; see `own_layer`."""

    def __init__(
        self,
        hosted: str,
        pattern: str,
        specs: str,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        others: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(name=name, autocast=False)
        self._config = {"hosted": hosted, "pattern": pattern, "specs": specs}
        self._pattern: CallSpec = json.loads(pattern)
        self._others = [(pattern, specs) for pattern, specs in others]
        self._supports_masking = True
        operation = made_again(json.loads(hosted), self.name)
        _build(operation, self._pattern, json.loads(specs), self.name)
        for other, of_tensors in self._others:
            _build(operation, json.loads(other), json.loads(of_tensors), self.name)
        # Past the tracking of attributes by tf_keras, which does not support layers of Keras 3.
        object.__setattr__(self, "wrapped", operation)
        if isinstance(operation, keras.layers.Layer):
            self._hosted_variables = [variable.value for variable in operation.variables]
            for variable in operation.variables:
                # Where the optimizers of tf_keras look for it.
                variable.value._constraint = variable.constraint
                if variable.regularizer is not None and variable.trainable:
                    self.add_loss(_penalty(variable))
        self.trainable = trainable

    def call(self, inputs: Nested, training: Training = None, way: int = 0) -> Nested:
        """Runs the wrapped layer or operation on the tensors; `way` says which way of calling it (`way_of`)."""
        return _run(self.wrapped, self.pattern_of(way), tf.nest.flatten(inputs), training, self)

    def pattern_of(self, way: int) -> CallSpec:
        """How the arguments of one way of calling the layer are made of its tensors."""
        return json.loads(self._others[way - 1][0]) if way else self._pattern

    def compute_mask(self, inputs: Nested, mask: Nested = None) -> None:
        """The wrapped layer puts masks on its outputs itself, and an operation drops them."""
        return

    def get_prunable_weights(self) -> list[tf.Variable]:
        """What tfmot prunes: trainable weights of two axes and more that multiply the input."""
        if not isinstance(self.wrapped, keras.layers.Layer):
            return []
        return [
            variable.value
            for variable in self.wrapped.trainable_variables
            if len(variable.shape) > 1 and not any(part in variable.name for part in _NOT_PRUNED)
        ]

    def way_of(self, call: Call) -> int:
        """The `way` of a call: a shared layer may be called with different arguments, an embedding as output layer.

        A way that is not known yet is added.

        Raises:
            StageError: the wrapped layer refuses the arguments, or makes variables for them that it did not have.
        """
        pattern, specs = _call_as_json(call)
        if pattern == self._config["pattern"]:
            return 0
        known = [other for other, _ in self._others]
        if pattern not in known:
            had = len(self.wrapped.variables) if isinstance(self.wrapped, keras.layers.Layer) else 0
            _build(self.wrapped, json.loads(pattern), json.loads(specs), self.name)
            if isinstance(self.wrapped, keras.layers.Layer) and len(self.wrapped.variables) != had:
                raise StageError(
                    f"The layer {self.name!r} is called in several ways, and makes more variables for a later one.",
                    "Make all variables of the layer in its build().",
                    code="bridge_failed",
                )
            self._others.append((pattern, specs))
            known.append(pattern)
        return known.index(pattern) + 1

    @property
    def has_layers_inside(self) -> bool:
        """Whether the wrapped layer holds layers with weights."""
        is_layer = isinstance(self.wrapped, keras.layers.Layer)
        return is_layer and any(part.weights for part in self.wrapped._flatten_layers(include_self=False))

    def wrapped_classes(self) -> list[CustomCode | None]:
        """The classes and functions from outside Keras that the wrapped layer is made of."""
        return [code for _, _, code in custom_parts(json.loads(self._config["hosted"]))]

    def get_config(self) -> dict[str, object]:
        others = {"others": [list(other) for other in self._others]} if self._others else {}
        return {"name": self.name, "trainable": self.trainable, **self._config, **others}


@tf.autograph.experimental.do_not_convert
def _run(
    wrapped: keras.Operation, spec: CallSpec, tensors: list[tf.Tensor], training: Training, wrapper: Keras3LayerWrapper
) -> Nested:
    # Keras 3 is written without autograph; converting it would only cost time.
    args, kwargs = fill(spec, tensors)
    if not isinstance(wrapped, keras.layers.Layer):
        return wrapped(*args, **kwargs)
    context = wrapped._get_call_context()
    try:
        # As an outer Keras 3 layer would: a layer whose call does not ask for `training` still hands it down.
        context.set_value("training", _as_flag(training))
        outputs = wrapped(*args, **kwargs)
    finally:
        wrapped._maybe_reset_call_context()
    for loss in _call_losses(wrapped):
        wrapper.add_loss(loss)
    return outputs


class KerasHost(Keras3LayerWrapper):
    """The wrapper in stores of 0.1.0: Keras looks up the weights in the file by the name of the class."""


def _as_flag(training: Training) -> bool:
    flag = tf.get_static_value(training) if tf.is_tensor(training) else training
    return bool(flag)


def _penalty(variable: keras.Variable) -> Callable[[], tf.Tensor]:
    return lambda: variable.regularizer(variable)


def _call_losses(layer: keras.layers.Layer) -> list[tf.Tensor]:
    """What the last call added; the penalties on weights are added by the wrapper, once."""
    return [loss for part in layer._flatten_layers() for loss in part._get_own_losses()]


def made_again(config: Config, name: str) -> keras.Operation:
    """The Keras 3 object of a configuration; classes of others are looked up, never imported.

    Raises:
        StageError: a class is not there, or the object cannot be made.
    """
    objects: dict[str, CustomCode] = {}
    for label, registered, code in custom_parts(config):
        if code is None:
            raise StageError(
                f"The code of {label}, which the Keras 3 layer {name!r} is made of, is out of reach.",
                "Define it at the top of an imported module, or register it with "
                "@keras.saving.register_keras_serializable().",
                code="bridge_failed",
            )
        objects[label] = objects[registered] = code
    prefer(objects)
    try:
        with made_from(objects):
            return keras.saving.deserialize_keras_object(config, safe_mode=True)
    except (TypeError, ValueError, AttributeError, KeyError, NotImplementedError) as error:
        function = next(unregistered_functions(config), None)
        if function is not None and config.get("class_name") != "Lambda":
            raise StageError(
                f"The Keras 3 layer {name!r} ({config.get('class_name')}) cannot be made again from its configuration: "
                f"it computes with {function}.",
                "Define the function at the top of an imported module, and register it with "
                "@keras.saving.register_keras_serializable().",
                code="bridge_failed",
            ) from error
        cause = str(error).rsplit(_NESTED, 1)[-1]
        raise StageError(
            f"The Keras 3 layer {name!r} ({config.get('class_name')}) cannot be made again from its configuration: "
            f"{type(error).__name__}: {cause}",
            _fix(config, cause),
            code="bridge_failed",
        ) from error


def _fix(config: Config, cause: str) -> str:
    if config.get("class_name") == "Lambda":
        return "Write what its function does as a layer class of your own, or with keras.ops outside of a layer."
    if "unexpected keyword" in cause:
        return (
            "Let its get_config() write arguments of its constructor only, or let the constructor take **kwargs and "
            "hand them to super().__init__(**kwargs), if the class that it inherits from takes them."
        )
    return "Give its class a get_config() that holds all arguments of its constructor."


def _build(operation: keras.Operation, pattern: CallSpec, specs: list[tuple[Shape, str]], name: str) -> None:
    """Makes the variables, as the first call on such tensors would.

    Raises:
        StageError: the layer cannot be called on them.
    """
    if not isinstance(operation, keras.layers.Layer):
        return
    args, kwargs = fill(pattern, [keras.KerasTensor(shape, dtype) for shape, dtype in specs])
    try:
        operation(*args, **kwargs)
    except (TypeError, ValueError, AttributeError, NotImplementedError) as error:
        raise StageError(
            f"The Keras 3 layer {name!r} cannot be built: {type(error).__name__}: {error}", code="bridge_failed"
        ) from error


def check_can_be_made_again(operation: keras.Operation) -> None:
    """Checks that a layer can be made from its configuration, as reading a file of it will need.

    Raises:
        StageError: it cannot.
    """
    made_again(written_down(operation), operation.name)


def written_down(operation: keras.Operation) -> Config:
    """The configuration of a layer or operation, from which `made_again` makes it.

    Raises:
        StageError: it has none.
    """
    with with_names(operation):
        config: Config = guarded(
            lambda: keras.saving.serialize_keras_object(operation),
            f"Writing down the Keras 3 layer {operation.name!r} ({type(operation).__name__})",
        )
    # Building from it would call `build` alone, which for many classes of users does not make the inner layers.
    return {key: value for key, value in config.items() if key != "build_config"}


def call_pattern(call: Call) -> str:
    """How the arguments of a call are made of its tensors, as JSON; equal for calls that differ in their tensors."""
    return json.dumps(call_spec((call.args, call.kwargs), []))


def wrap(call: Call) -> Keras3LayerWrapper:
    """A wrapper for a layer or operation of a Keras 3 graph, to be called with the counterparts of `call.inputs`.

    It gets its own copy of the layer, with weights still to be copied.

    Raises:
        StageError: the layer or one of its arguments cannot be written down and made again.
    """
    operation = call.operation
    pattern, specs = _call_as_json(call)
    config = written_down(operation)
    return Keras3LayerWrapper(
        hosted=json.dumps(config),
        pattern=pattern,
        specs=specs,
        name=operation.name,
        trainable=getattr(operation, "trainable", True),
    )


def _call_as_json(call: Call) -> tuple[str, str]:
    """How the arguments of a call are made of its tensors, and their `(shape, dtype)`."""
    tensors: list[keras.KerasTensor] = []
    arguments = (call.args, call.kwargs)
    pattern = guarded(lambda: call_spec(arguments, tensors), f"Writing down the call of {call.operation.name!r}")
    return json.dumps(pattern), json.dumps([[list(tensor.shape), tensor.dtype] for tensor in tensors])
