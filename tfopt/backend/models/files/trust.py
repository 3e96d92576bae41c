"""Whether loading a configuration would run code that is not Keras' own.

A list of what is allowed, not of what is forbidden: a class or function passes if it is a layer, initializer,
regularizer, constraint, dtype policy, operation or activation of Keras itself. Names are looked up among modules that
are loaded already; nothing is imported to find out.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import keras
import tensorflow as tf
import tf_keras
from google.protobuf.message import DecodeError

from tfopt.backend import layers as own_layers
from tfopt.backend.compat.keras_saving import layer_classes
from tfopt.backend.compat.tensorflow_runtime import op_def_registry
from tfopt.backend.types import Config

Danger = Literal["bytecode", "module", "class", "operation", "file"]

_DATA = ("__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__", "__tuple__", "__keras_tensor__")
_DATA_OLD = ("TensorShape", "TypeSpec", "_CONSTANT_VALUE")
_OPERATION_LAYERS = ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer")
_SPECS = ("TensorSpec", "RaggedTensorSpec", "SparseTensorSpec")
_CODE_LAYERS: Mapping[str, Danger] = {
    "Lambda": "bytecode",
    "TorchModuleWrapper": "bytecode",
    "JaxLayer": "bytecode",
    "FlaxLayer": "bytecode",
    "TFSMLayer": "file",
    "ClassMethod": "operation",
    "InstanceMethod": "operation",
}
"""Layers of Keras whose configuration is code, or names any."""
_TABLES = ("vocabulary", "vocabulary_file", "idf_weights")
_NAMESPACES = ("math", "nn", "linalg", "signal", "image", "bitwise", "strings", "random", "ragged", "sparse", "sets")
_TENSOR_FUNCTIONS = """
    abs acos acosh add add_n argmax argmin argsort asin asinh atan atan2 atanh batch_to_space boolean_mask broadcast_to
    cast ceil clip_by_norm clip_by_value clip_by_global_norm complex concat cond constant convert_to_tensor cos cosh
    cumsum cumprod divide dynamic_partition dynamic_stitch edit_distance einsum ensure_shape equal exp expand_dims
    expm1 expand eye fill fingerprint floor floor_div floordiv floormod gather gather_nd greater greater_equal
    histogram_fixed_width identity identity_n less less_equal linspace log log1p logical_and logical_not logical_or
    matmul maximum meshgrid minimum mod multiply negative norm not_equal one_hot ones ones_like pad pow range rank
    realdiv reduce_all reduce_any reduce_logsumexp reduce_max reduce_mean reduce_min reduce_prod reduce_sum repeat
    reshape reverse reverse_sequence roll round rsqrt saturate_cast scalar_mul scatter_nd searchsorted sequence_mask
    shape shape_n sigmoid sign sin sinh size slice softmax sort space_to_batch space_to_batch_nd split sqrt square
    squared_difference squeeze stack stop_gradient strided_slice subtract tan tanh tensor_scatter_nd_add
    tensor_scatter_nd_max tensor_scatter_nd_min tensor_scatter_nd_sub tensor_scatter_nd_update tensordot tile
    to_float to_int32 transpose truediv truncatediv truncatemod tuple unique unstack where zeros zeros_like
""".split()
"""What `tf.<name>` may be without touching anything but tensors; `tf.io`, `tf.py_function`, `tf.print`, ... may not."""
_ACTIVATIONS = """
    crelu elu gelu leaky_relu log_sigmoid log_softmax relu relu6 selu sigmoid silu softmax softplus softsign swish tanh
""".split()


@dataclass(frozen=True)
class Finding:
    """One part of a configuration that is code, or names it.

    Args:
        danger: `bytecode` (Python code in the file), `module` (code of a module that the file names), `class` (a class
            or function that Keras does not have, without its module), `operation` (a TensorFlow function that reaches
            beyond tensors) or `file` (another file that the layer would read).
        name: of the code: `module.name` or `name`.
        layer: name of the layer it belongs to; empty at the top.
        part: the configuration of it.
    """

    danger: Danger
    name: str
    layer: str
    part: Config


def findings(config: Config, keras_3: bool) -> Iterator[Finding]:
    """Everything in a configuration that is not plain Keras, in its order.

    Args:
        config: of a model, read as JSON; without compile settings.
        keras_3: whether `keras` loads it; else tf_keras does.
    """
    for part, layer in _parts(config, ""):
        yield from _judge(part, layer, keras_3)


def _parts(value: object, layer: str) -> Iterator[tuple[Config, str]]:
    """Every dict inside, with the name of the innermost layer around it."""
    if isinstance(value, Mapping):
        inner = value.get("config")
        if "class_name" in value and isinstance(inner, Mapping) and isinstance(inner.get("name"), str):
            layer = inner["name"]
        yield value, layer
        for part in value.values():
            yield from _parts(part, layer)
    elif isinstance(value, list):
        for part in value:
            yield from _parts(part, layer)


def _judge(part: Config, layer: str, keras_3: bool) -> Iterator[Finding]:
    for key in ("function_type", "output_shape_type", "mask_type"):
        if part.get(key) == "lambda":
            yield Finding("bytecode", "lambda", layer, part)
    for key in _TABLES:
        if isinstance(part.get(key), str):
            yield Finding("file", part[key], layer, part)
    if "class_name" not in part:
        if "module" in part and not _allowed_module(part["module"]):
            yield Finding("module", str(part["module"]), layer, part)
        return
    name = part["class_name"]
    bare = name.split(">")[-1] if isinstance(name, str) else repr(name)
    if bare == "__lambda__":
        yield Finding("bytecode", "lambda", layer, part)
    elif bare in _CODE_LAYERS:
        yield Finding(_CODE_LAYERS[bare], bare, layer, part)
    elif bare in _OPERATION_LAYERS:
        if not _pure(bare, part.get("config")):
            yield Finding("operation", _operation(part.get("config")), layer, part)
        elif not _allowed_module(part.get("module")):
            yield _foreign(part, layer)
    elif bare == "__typespec__":
        module = str(part.get("module") or "")
        if part.get("spec_name") not in _SPECS or not module.startswith("tensorflow.python."):
            yield Finding("module", f"{module}.{part.get('spec_name')}", layer, part)
    elif not (name in _DATA or (name in _DATA_OLD and "module" not in part)) and not _is_keras(part, keras_3):
        yield _foreign(part, layer)


def _foreign(part: Config, layer: str) -> Finding:
    name = part["config"] if part["class_name"] == "function" else part["class_name"]
    registered = part.get("registered_name")
    module = part.get("module")
    if isinstance(module, str) and module != "builtins":
        return Finding("module", f"{module}.{name}", layer, part)
    # A registered function has its registered name as its name.
    return Finding("class", str(name if part["class_name"] == "function" else registered or name), layer, part)


def _allowed_module(module: object) -> bool:
    return module is None or (
        isinstance(module, str) and any(module == own or module.startswith(f"{own}.") for own in ("keras", "tf_keras"))
    )


def _is_keras(part: Config, keras_3: bool) -> bool:
    """Whether a class or function is one that a model of Keras is made of."""
    name, module, registered = part["class_name"], part.get("module"), part.get("registered_name")
    if _is_own(part):
        return not keras_3
    if name == "function":
        return _is_activation(part.get("config"), module, registered, keras_3)
    # A registered name is looked up before the module: anything that this process has registered would be found by it.
    if not isinstance(name, str) or registered not in (None, name) or not _allowed_module(module):
        return False
    code = _by_name(name, keras_3) if module is None else _loaded(module, name, keras_3)
    return (
        isinstance(code, type)
        and issubclass(code, _building_blocks(keras_3))
        and not issubclass(code, (tf_keras.layers.Lambda, keras.layers.Lambda))
    )


def _is_own(part: Config) -> bool:
    """Whether a part names a layer or activation of `tfopt.backend.layers`, and this process finds just that by it."""
    name = part["class_name"]
    # What tf_keras looks up first; where that finds nothing, it imports the module that the file names.
    key = part.get("config") if name == "function" else part.get("registered_name", name)
    if not isinstance(key, str) or not key.startswith("tfopt>"):
        return False
    bare = key.removeprefix("tfopt>")
    if bare not in own_layers.__all__ or name not in ("function", bare, key):
        return False
    return tf_keras.saving.get_registered_object(key) is getattr(own_layers, bare)


def _is_activation(name: object, module: object, registered: object, keras_3: bool) -> bool:
    if not isinstance(name, str) or registered not in (None, name):
        return False
    if isinstance(module, str) and module.startswith("tensorflow.python.ops."):
        return name in _ACTIVATIONS
    if module not in (None, "builtins") and not _allowed_module(module):
        return False
    library = keras if keras_3 else tf_keras
    return callable(getattr(library.activations, name, None)) and not name.startswith("_")


def _by_name(name: str, keras_3: bool) -> object:
    if keras_3:
        if name == "Functional":
            return keras.Model
        places: list[object] = [keras.layers, keras.models, keras.initializers, keras.regularizers, keras.constraints]
    else:
        classes = layer_classes()
        if name in classes:
            return classes[name]
        places = [tf_keras.layers, tf_keras.models, tf_keras.initializers, tf_keras.regularizers, tf_keras.constraints]
        places.append(tf_keras.mixed_precision)
    return next((getattr(place, name) for place in places if hasattr(place, name)), None)


def _loaded(module: str, name: str, keras_3: bool) -> object:
    """A name of a module of Keras that is loaded already; the Keras inside TensorFlow called itself `keras`."""
    where = module if keras_3 or module.startswith("tf_keras") else f"tf_{module}"
    return getattr(sys.modules.get(where), name, None)


def _building_blocks(keras_3: bool) -> tuple[type, ...]:
    if keras_3:
        return (
            keras.layers.Layer,
            keras.Operation,
            keras.initializers.Initializer,
            keras.regularizers.Regularizer,
            keras.constraints.Constraint,
            keras.dtype_policies.DTypePolicy,
            keras.random.SeedGenerator,
        )
    return (
        tf_keras.layers.Layer,
        tf_keras.initializers.Initializer,
        tf_keras.regularizers.Regularizer,
        tf_keras.constraints.Constraint,
        tf_keras.mixed_precision.Policy,
    )


def _pure(kind: str, config: object) -> bool:
    """Whether an operation layer does nothing but compute on tensors."""
    if not isinstance(config, Mapping):
        return False
    if kind == "TensorFlowOpLayer":
        name = _node_operation(config.get("node_def"))
        definition = op_def_registry.get(name)
        # PyFuncStateless is declared free of state, and calls any function that this process has registered.
        return definition is not None and not definition.is_stateful and "PyFunc" not in name
    function = config.get("function")
    if not isinstance(function, str):
        return False
    namespace, _, name = function.removeprefix("compat.v1.").rpartition(".")
    if namespace == "__operators__" or namespace.split(".")[0] in _NAMESPACES:
        return hasattr(tf, namespace.split(".")[0])
    return namespace == "" and name in _TENSOR_FUNCTIONS


def _operation(config: object) -> str:
    if not isinstance(config, Mapping):
        return "?"
    if "node_def" in config:
        return _node_operation(config["node_def"])
    return f"tf.{config.get('function') or config.get('cls_symbol') or '?'}"


def _node_operation(node: object) -> str:
    """The TensorFlow operation of a TensorFlowOpLayer, read as tf_keras reads it."""
    if isinstance(node, Mapping):
        return str(node.get("op"))
    try:
        return str(tf.compat.v1.NodeDef.FromString(str(node).encode("utf-8")).op)
    except DecodeError:
        return "?"
