"""The `model` block of a recipe, executed: a built tf_keras model with weights from the seed, and its origin."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tf_keras

from tfopt.backend.bridge import to_tf_keras
from tfopt.backend.bridge.layer_wrapper import Keras3LayerWrapper
from tfopt.backend.compat import keras_3
from tfopt.backend.data.splits import Data, Split
from tfopt.backend.data.vocabulary import vocabulary_size
from tfopt.backend.graph.layer_records import layer_records, model_fingerprint
from tfopt.backend.graph.layers import all_layers, layer_type
from tfopt.backend.graph.outputs import in_a_list, output_names
from tfopt.backend.models import precision
from tfopt.backend.models.compatibility import check_fits
from tfopt.backend.models.default_loss import fitting_compile
from tfopt.backend.models.files import is_model_file, load_file
from tfopt.backend.models.functionalize import traced, without_lambdas
from tfopt.backend.models.hub import for_data, hub_model, is_of_tokens
from tfopt.backend.models.of_data import with_arguments_of
from tfopt.backend.models.store import custom_code, load_model, save_model
from tfopt.catalog import references
from tfopt.core.config.training.keras_names import KERAS_HUB
from tfopt.core.language.suggest import closest
from tfopt.core.recipe.recipe import ModelConfig
from tfopt.errors import StageError

__all__ = [
    "Built",
    "build",
    "build_alone",
    "check_fits",
    "check_model",
    "closed_layers",
    "custom_code",
    "fitting_compile",
    "layer_records",
    "load_model",
    "model_fingerprint",
    "save_model",
]

_APPLICATIONS = "keras.applications."


@dataclass(frozen=True)
class Built:
    """The model of a recipe.

    Args:
        model: what is trained: a functional or sequential tf_keras model.
        origin: the Keras 3 model it was made from, whose architecture the `keras` export writes; None where the source
            gave a tf_keras model.
        note: what the plan says about its precision, where that is not float32.
        outputs: names of its outputs, in their order: the keys of a model that returns a dict.
    """

    model: tf_keras.Model
    origin: keras.Model | None = None
    note: str | None = None
    outputs: tuple[str, ...] = ()


def build(config: ModelConfig, data: Data, seed: int, folder: Path = Path()) -> Built:
    """Makes the model of a recipe.

    Args:
        config: source and arguments; `input_shape` and `num_outputs`, for token ids also `vocabulary_size` and
            `tokenizer`, come from the data where the arguments do not say them.
        data: the examples that it will process.
        seed: of the weights; the same seed results in the same weights.
        folder: folder of the recipe, where relative paths begin.

    Raises:
        StageError: the source is unknown or fails, or returns a model that cannot be optimized.
        EnvironmentProblem: the entry point of another package fails.
    """
    # Automatic names (conv2d, conv2d_1, ...) count on through a process; rules and fingerprints depend on them.
    tf_keras.backend.reset_uids()
    keras_3.naming.reset_uids()
    tf_keras.utils.set_random_seed(seed % 2**32)
    keras.utils.set_random_seed(seed % 2**32)
    with precision.policies_of_caller():
        result = _made(config, data, folder)
    with precision.float32_globally():
        if isinstance(result, keras.Model):
            _check_no_lambda(result, config.source)
            converted = _converted(precision.in_float32(result), data)
            return Built(in_a_list(converted), result, precision.sentence(result), output_names(converted))
        graph = _as_graph(result, config.source, data)
        names = output_names(graph)
        return Built(precision.in_float32(in_a_list(graph)), None, precision.sentence(graph), names)


def _converted(model: keras.Model, data: Data) -> tf_keras.Model:
    """The tf_keras counterpart of a Keras 3 model.

    With open sizes, the call of an own layer may be no graph (a causal mask of an unknown length, as in KerasHub's
    decoders): such a model is made for the sizes of the data, as its files are.
    """
    converted = to_tf_keras(model)
    sizes = _sizes_of_data(converted, data)
    if sizes is None or not closed_layers(converted):
        return converted
    fixed = to_tf_keras(model, sizes)
    return fixed if len(closed_layers(fixed)) < len(closed_layers(converted)) else converted


def _sizes_of_data(model: tf_keras.Model, data: Data) -> list[tuple[int, ...]] | None:
    """The sizes of the data for each input of a model, where it leaves one open and the data does not."""
    if all(None not in tensor.shape[1:] for tensor in model.inputs):
        return None
    shape = data.input_shape
    if isinstance(shape, dict):
        found = list(shape.values()) if data.positional else [shape.get(name) for name in model.input_names]
    else:
        found = [shape]
    fits = len(found) == len(model.inputs) and all(
        size is not None and len(size) == tensor.shape.rank - 1
        for size, tensor in zip(found, model.inputs, strict=True)
    )
    return [tuple(size) for size in found if size is not None] if fits else None


def build_alone(
    source: str,
    input_shape: tuple[int, ...],
    num_outputs: int,
    folder: Path = Path(),
    *,
    allow_unsafe: bool = False,
) -> tf_keras.Model:
    """A model without data, to be looked at: what `build` makes, for examples of `input_shape`.

    Raises:
        StageError: as `build`.
    """
    examples = Split(np.zeros((1, *input_shape), np.float32), np.zeros((1, num_outputs), np.float32))
    config = ModelConfig(source=source, allow_unsafe=allow_unsafe)
    return build(config, Data(examples, examples, examples, source="none"), 0, folder).model


def closed_layers(model: tf_keras.Model) -> list[str]:
    """Sentences about layers of the user's own classes whose inner layers nothing is done with, and why.

    Args:
        model: just built; a model from the store does not know.
    """
    return [
        f"{layer.name} ({layer_type(layer)}) is one layer to tfopt: the layers inside it are not pruned, clustered or "
        f"simulated by themselves, for {layer.closed_because}."
        for layer in all_layers(model)
        if isinstance(layer, Keras3LayerWrapper) and layer.closed_because and layer.has_layers_inside
    ]


def check_model(model: object, source: str) -> tf_keras.Model:
    """The model, once it is certain that it can be optimized at all.

    Raises:
        StageError: no tf_keras model, a subclassed or an unbuilt one.
    """
    if not isinstance(model, tf_keras.Model):
        raise StageError(
            f"{source} returned a {type(model).__name__}, not a model.",
            "Expected a keras.Model or a tf_keras.Model.",
            code="invalid_model",
        )
    if isinstance(model, tf_keras.Sequential) and not model.built:
        raise StageError(
            f"The Sequential model {model.name!r} of {source} has no input shape yet.",
            "Begin it with tf_keras.layers.InputLayer(input_shape).",
            code="model_not_built",
        )
    for part in [model, *all_layers(model)]:
        if isinstance(part, tf_keras.Model) and not part._is_graph_network:
            raise StageError(
                f"{source} returned the subclassed model {type(part).__name__!r}: tfmot needs its graph.",
                "Write it as a functional model: tf_keras.Model(inputs, outputs).",
                code="invalid_model",
            )
    return model


def _check_no_lambda(model: keras.Model, source: str) -> None:
    for layer in keras_3.all_layers(model):
        if isinstance(layer, keras.layers.Lambda):
            raise StageError(
                f"The layer {layer.name!r} of {source} is a Lambda of Keras 3: its code is bytecode, which neither "
                "the store nor a file that is safe to open can hold.",
                "Write a layer class at the top of a module in its place, or call keras.ops on the tensor itself.",
                code="invalid_model",
            )


def _as_graph(model: object, source: str, data: Data) -> tf_keras.Model:
    """A tf_keras model in the form in which it can be optimized."""
    sequential = isinstance(model, tf_keras.Sequential)
    if isinstance(model, tf_keras.Model) and not sequential and not model._is_graph_network:
        examples = data.train.select(np.arange(1)).read("An example").inputs
        in_order = tuple(examples.values()) if data.positional and isinstance(examples, dict) else None
        model = traced(model, source, in_order or examples)
    return without_lambdas(check_model(model, source), source)


def _made(config: ModelConfig, data: Data, folder: Path) -> object:
    """The return value of the source: a model, if it is right."""
    source = config.source
    if references.is_function(source):
        function = references.function(source, folder)
        return references.call(function, source, with_arguments_of(data, function, config.args), folder)
    if source.startswith(_APPLICATIONS):
        return _application(config, data)
    if source.startswith(KERAS_HUB):
        return hub_model(source, config.args, data, vocabulary_size(data), folder)
    if is_model_file(source):
        args = dict(config.args)
        signature = args.pop("signature", None)
        if args or not isinstance(signature, str | None):
            raise StageError(
                f"model.args {sorted(args) or {'signature': signature}} have no meaning for the file {source}.",
                "Remove them; only a SavedModel without layers takes an argument, signature: NAME.",
                code="meaningless_key",
            )
        path = folder / Path(source).expanduser()
        loaded = load_file(path, config.allow_unsafe, folder, signature, config.objects or ())
        return for_data(loaded, source, None, data) if is_of_tokens(loaded) else loaded
    function = references.by_name("model", source)
    return references.call(function, source, with_arguments_of(data, function, config.args), folder)


def _application(config: ModelConfig, data: Data) -> tf_keras.Model:
    name = config.source.removeprefix(_APPLICATIONS)
    known = [key for key, value in vars(tf_keras.applications).items() if inspect.isfunction(value)]
    if name not in known:
        raise StageError(
            f"keras.applications has no {name!r}.{closest(name, known)}",
            f"It has: {', '.join(sorted(known))}.",
            code="unknown_source",
        )
    if isinstance(data.input_shape, dict) or len(data.input_shape) != 3:
        raise StageError(
            f"{config.source} expects images (height, width, channels), but the examples have {data.input_shape}.",
            code="incompatible_shapes",
        )
    function = getattr(tf_keras.applications, name)
    defaults = {"weights": None, "input_shape": data.input_shape, "classes": data.num_outputs}
    return references.call(function, config.source, {**defaults, **config.args}, Path())
