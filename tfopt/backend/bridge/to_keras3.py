"""A tf_keras model that never was a Keras 3 model, as one: its graph walked call by call, proved on random inputs."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import keras
import tensorflow as tf
import tf_keras

from tfopt.backend.bridge.activations import BY_NAME, keras3_gelu_approximate
from tfopt.backend.bridge.layer_wrapper import Keras3LayerWrapper, made_again, written_down
from tfopt.backend.bridge.opened_layer import OwnLayer
from tfopt.backend.bridge.reading.arguments import fill
from tfopt.backend.bridge.restore import check_outputs
from tfopt.backend.bridge.tables import NEVER_NATIVE, RENAMED_ACTIVATIONS, RENAMED_KEYS, SAME_ACTIVATIONS
from tfopt.backend.bridge.weight_mapping import variable_pairs
from tfopt.backend.bridge.zeroing import ZEROING
from tfopt.backend.compat.keras_3 import all_layers
from tfopt.backend.graph.layers import layer_type, nodes
from tfopt.backend.layers import RMSNormalization
from tfopt.backend.types import Nested
from tfopt.catalog.guard import guarded
from tfopt.errors import StageError

_NOT_CARRIED = frozenset(
    "batch_input_shape dtype implementation input_length time_major query_shape key_shape value_shape ragged "
    "rng_type vocabulary_size robust_masking softmax_robust_masking".split()
)
"""Keys of tf_keras that do not change what is computed, or that Keras 3 infers."""
_OPERATIONS = {
    "__operators__.add": "add",
    "__operators__.getitem": "",
    "math.add": "add",
    "math.subtract": "subtract",
    "math.multiply": "multiply",
    "math.divide": "divide",
    "math.truediv": "true_divide",
    "math.maximum": "maximum",
    "math.minimum": "minimum",
    "math.negative": "negative",
    "math.abs": "abs",
    "math.exp": "exp",
    "math.sqrt": "sqrt",
    "math.square": "square",
    "math.tanh": "tanh",
    "math.sigmoid": "sigmoid",
    "nn.relu": "relu",
    "nn.relu6": "relu6",
    "nn.sigmoid": "sigmoid",
    "nn.tanh": "tanh",
    "nn.elu": "elu",
    "nn.selu": "selu",
    "nn.silu": "silu",
}
"""TensorFlow functions of one or two tensors or numbers, and the `keras.ops` that compute the same."""
_REDUCTIONS = {
    "math.reduce_mean": "mean",
    "math.reduce_sum": "sum",
    "math.reduce_max": "max",
    "math.reduce_min": "min",
}
_KERAS_3_NAMES = {native: name for name, native in RENAMED_ACTIVATIONS.items()}


def to_keras(model: tf_keras.Model | keras.Model) -> keras.Model:
    """The Keras 3 model with the same layers, weights and outputs as a tf_keras model; not compiled.

    See `tfopt.bridge.to_keras`.

    Raises:
        StageError: a layer has no equivalent in Keras 3, or the outputs of the two models differ; names the layer.
    """
    if isinstance(model, keras.Model):
        return model
    if not isinstance(model, tf_keras.Model):
        raise StageError(
            f"A {type(model).__name__} is not a model that can be converted.",
            "Expected a tf_keras.Model.",
            code="invalid_model",
        )
    if not model._is_graph_network:
        raise StageError(
            f"The model {model.name!r} ({type(model).__name__}) has no graph that could be walked.",
            "Write it as a functional model: tf_keras.Model(inputs, outputs).",
            code="bridge_failed",
        )
    converted = _Conversion().model(model)
    for variable, value in variable_pairs(converted, model):
        variable.assign(value.numpy())
    for layer in all_layers(converted):
        if isinstance(layer, keras.layers.Normalization) and layer.input_mean is None:
            layer.finalize_state()
    check_outputs(converted, model)
    return converted


@dataclass
class _Conversion:
    """What has been made so far; shared layers are met several times."""

    layers: dict[int, keras.Operation] = field(default_factory=dict)

    def model(self, model: tf_keras.Model) -> keras.Model:
        """The counterpart of a functional or sequential model."""
        if isinstance(model, tf_keras.Sequential) and not any(map(_ends_with_gelu, model.layers)):
            converted: keras.Model = keras.Sequential([_input(model.inputs[0], model.input_names[0])], name=model.name)
            for layer in model.layers:
                converted.add(_own_again(layer) if isinstance(layer, OwnLayer) else self.layer(layer))
        else:
            converted = self._functional(model)
        converted._trainable = model._trainable
        return converted

    def layer(self, layer: tf_keras.layers.Layer) -> keras.Operation:
        """The counterpart of a layer; the same for every call of a shared one."""
        if id(layer) not in self.layers:
            self.layers[id(layer)] = (
                self.model(layer) if isinstance(layer, tf_keras.Model) else self._keras3_layer(layer)
            )
        return self.layers[id(layer)]

    def _functional(self, model: tf_keras.Model) -> keras.Model:
        tensors = {id(t): _input(t, name) for t, name in zip(model.inputs, model.input_names, strict=True)}

        def converted(value: Nested) -> Nested:
            return tensors.get(id(value), value)

        for node in nodes(model):
            if node.is_input:
                continue
            args, kwargs = tf.nest.map_structure(converted, (node.call_args, node.call_kwargs))
            kwargs = {
                key: value
                for key, value in kwargs.items()
                if key != "training" and (key != "mask" or _has_tensors(value))
            }
            outputs = guarded(
                partial(self._call, node.layer, args, kwargs),
                f"Making the Keras 3 layer {node.layer.name!r} ({type(node.layer).__name__})",
            )
            flat = keras.tree.flatten(outputs)
            tensors.update(zip(map(id, tf.nest.flatten(node.outputs)), flat, strict=True))

        inputs, outputs = (tf.nest.map_structure(converted, structure) for structure in (model.input, model.output))
        return keras.Model(inputs, outputs, name=model.name)

    def _call(self, layer: tf_keras.layers.Layer, args: tuple[Nested, ...], kwargs: dict[str, Nested]) -> Nested:
        kind = type(layer).__name__
        if isinstance(layer, Keras3LayerWrapper):
            inner_args, inner_kwargs = fill(layer.pattern_of(kwargs.get("way", 0)), keras.tree.flatten(args))
            return self.layer(layer)(*inner_args, **inner_kwargs)
        if isinstance(layer, OwnLayer):
            return layer.called_in_keras_3(keras.tree.flatten(args))
        if kind in ("TFOpLambda", "SlicingOpLambda"):
            return _operation(layer, args, kwargs)
        alone = _ends_with_gelu(layer) and isinstance(layer, tf_keras.layers.Activation)
        outputs = args[0] if alone else self.layer(layer)(*args, **kwargs)
        return keras.ops.gelu(outputs, approximate=True) if _ends_with_gelu(layer) else outputs

    def _keras3_layer(self, layer: tf_keras.layers.Layer) -> keras.Operation:
        kind = layer_type(layer) if isinstance(layer, tuple(ZEROING.values())) else type(layer).__name__
        native = getattr(keras.layers, kind, None)
        if isinstance(layer, Keras3LayerWrapper):
            return _wrapped_layer(layer)
        # What a layer of Keras 3 was opened into, where units of it were removed.
        same = type(layer) in (getattr(tf_keras.layers, kind, None), ZEROING.get(kind), RMSNormalization)
        if not same or native is None or kind in NEVER_NATIVE:
            raise StageError(
                f"The layer {layer.name!r} ({kind}) has no equivalent in Keras 3.",
                "Write the model in Keras 3 and load its weights, or export it as tf_keras.",
                code="bridge_failed",
            )
        converted = native(**self._config(layer, native))
        converted._trainable = layer._trainable
        if hasattr(layer, "get_vocabulary") and len(layer.get_vocabulary()) > 2:
            converted.set_vocabulary(layer.get_vocabulary(include_special_tokens=False))
        return converted

    def _config(self, layer: tf_keras.layers.Layer, native: type) -> dict[str, Any]:
        kind, config = layer_type(layer), layer.get_config()
        names = {old: new for new, old in RENAMED_KEYS.get(kind, {}).items()}
        accepted = _parameters(native) | {"name", "activity_regularizer"}
        defaults = {
            key: parameter.default
            for base in reversed(type(layer).__mro__[:-1])
            if "__init__" in vars(base)
            for key, parameter in inspect.signature(vars(base)["__init__"]).parameters.items()
        }
        arguments: dict[str, Any] = {"dtype": layer.dtype_policy.name} if hasattr(layer, "dtype_policy") else {}
        for key, value in config.items():
            name = names.get(key, key)
            if key in _NOT_CARRIED or key.endswith("_initializer") or key in ("trainable", "vocabulary", "idf_weights"):
                continue
            if name in accepted:
                arguments[name] = self._value(key, value, layer)
            elif key not in defaults or value != defaults[key]:
                raise StageError(
                    f"The layer {layer.name!r} ({kind}) has {key} = {value!r}, which Keras 3 does not have.",
                    "Change the layer, or export the model as tf_keras.",
                    code="bridge_failed",
                )
        return arguments

    def _value(self, key: str, value: Any, layer: tf_keras.layers.Layer) -> Any:
        if key in ("layer", "cell", "backward_layer", "cells"):
            inner = {"layer": "forward_layer" if hasattr(layer, "forward_layer") else "layer"}.get(key, key)
            parts = getattr(layer, inner)
            return [self.layer(part) for part in parts] if isinstance(parts, list | tuple) else self.layer(parts)
        if key.endswith(("activation", "regularizer", "constraint")) and (own := _own(getattr(layer, key, None))):
            return own
        if key == "activation" and _ends_with_gelu(layer):
            return "linear"
        if key.endswith("activation"):
            return _activation(value, layer)
        if key.endswith(("regularizer", "constraint")):
            return _part(key, value, layer)
        if key == "axis" and isinstance(value, Sequence):
            # Keras 2 keeps a list for one axis, too.
            return value[0] if len(value) == 1 else list(value)
        return value


def _input(tensor: tf.Tensor, name: str) -> keras.KerasTensor:
    batch, *shape = tensor.shape
    return keras.Input(tuple(shape), batch_size=batch, dtype=tensor.dtype.name, name=name)


def _ends_with_gelu(layer: tf_keras.layers.Layer) -> bool:
    """Whether a layer's last step is the GELU by tanh: in Keras 3 an operation, and the name of no activation."""
    is_rnn = isinstance(layer, tf_keras.layers.RNN)
    return getattr(layer, "activation", None) is keras3_gelu_approximate and not is_rnn


def _activation(value: Any, layer: tf_keras.layers.Layer) -> str | None:
    name = value if value is None or isinstance(value, str) else str(value.get("config"))
    if name is None:
        return None
    wrapped = {function.__name__: known for known, function in BY_NAME.items()}
    bare = name.split(">")[-1]
    if bare in wrapped:
        return wrapped[bare]
    if name in SAME_ACTIVATIONS or name in _KERAS_3_NAMES:
        return _KERAS_3_NAMES.get(name, name)
    raise StageError(
        f"The layer {layer.name!r} has the activation {name!r}, which Keras 3 does not have, or computes otherwise.",
        "Export the model as tf_keras, or train it with another activation.",
        code="bridge_failed",
    )


def _part(key: str, value: Any, layer: tf_keras.layers.Layer) -> Any:
    if value is None or isinstance(value, str):
        return value
    module = keras.regularizers if key.endswith("regularizer") else keras.constraints
    native = getattr(module, value["class_name"], None)
    if native is None:
        raise StageError(
            f"The layer {layer.name!r} has the {key} {value['class_name']!r}, which Keras 3 does not have.",
            "Export the model as tf_keras.",
            code="bridge_failed",
        )
    return native(**value["config"])


def _own(value: Any) -> Any:
    """A function or object of the user's own that Keras 3 can call as tf_keras does; None for one of Keras."""
    code = value if inspect.isfunction(value) else type(value)
    known = str(getattr(code, "__module__", "")).split(".")[0] in (
        "builtins",
        "keras",
        "tensorflow",
        "tf_keras",
        "tfopt",
    )
    return None if known else value


def _own_again(layer: OwnLayer) -> keras.Operation:
    return made_again(json.loads(layer.hosted), layer.name)


def _wrapped_layer(layer: Keras3LayerWrapper) -> keras.Operation:
    """A copy of the Keras 3 layer inside a wrapper."""
    return made_again(written_down(layer.wrapped), layer.name)


def _operation(
    layer: tf_keras.layers.Layer, args: tuple[Nested, ...], kwargs: Mapping[str, Nested]
) -> keras.KerasTensor:
    name = layer.get_config()["function"]
    arguments = {key: value for key, value in kwargs.items() if key != "name" and value is not None}
    if name == "__operators__.getitem" and set(arguments) <= {"slice_spec"}:
        return args[0][_slices(arguments["slice_spec"] if "slice_spec" in arguments else args[1])]
    if name in _REDUCTIONS and set(arguments) <= {"axis", "keepdims"}:
        axis = arguments.get("axis", args[1] if len(args) > 1 else None)
        return getattr(keras.ops, _REDUCTIONS[name])(
            args[0], axis=axis, keepdims=bool(arguments.get("keepdims", False))
        )
    if _OPERATIONS.get(name) and set(arguments) <= {"x", "y", "features"}:
        return getattr(keras.ops, _OPERATIONS[name])(*args, *arguments.values())
    if name in ("reshape", "transpose", "concat", "cast", "expand_dims", "squeeze") and not set(arguments) - {
        "shape", "perm", "axis", "dtype",
    }:  # fmt: skip
        function = {"concat": "concatenate"}.get(name, name)
        values = [*args, *arguments.values()]
        if name == "cast":
            values[1] = tf.as_dtype(values[1]).name
        return getattr(keras.ops, function)(*values)
    raise StageError(
        f"The operation tf.{name} (layer {layer.name!r}) has no known equivalent in keras.ops.",
        "Write it as a layer, or export the model as tf_keras.",
        code="bridge_failed",
    )


def _has_tensors(value: Nested) -> bool:
    return any(isinstance(part, keras.KerasTensor) for part in keras.tree.flatten(value))


def _slices(spec: Nested) -> Nested:
    def as_slice(part: Nested) -> Nested:
        if isinstance(part, dict):
            return slice(part.get("start"), part.get("stop"), part.get("step"))
        return part

    return tuple(as_slice(part) for part in spec) if isinstance(spec, list | tuple) else as_slice(spec)


def _parameters(native: type) -> set[str]:
    """Arguments of a class and, where it hands on `**kwargs`, of its ancestors."""
    names: set[str] = set()
    for base in native.__mro__:
        if base is keras.layers.Layer:
            break
        if "__init__" in vars(base):
            parameters = inspect.signature(vars(base)["__init__"]).parameters
            names |= set(parameters) - {"self", "args", "kwargs"}
            if all(parameter.kind is not inspect.Parameter.VAR_KEYWORD for parameter in parameters.values()):
                break  # SpatialDropout1D accepts no noise_shape, though it is a Dropout.
    return names
