"""Models of KerasHub by their class, built without a download: `keras_hub.models.BertTextClassifier` and its kind.

KerasHub's models have several inputs (`token_ids`, `padding_mask`, `segment_ids`). Data with one array of token ids get
a model with one input, from which the others are computed: what is not token 0 counts, and is of the first text.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, TypeGuard

import keras

from tfopt.backend.compat import keras_3, keras_hub
from tfopt.backend.data.splits import Data
from tfopt.backend.types import Config
from tfopt.catalog import references
from tfopt.core.config.training.keras_names import KERAS_HUB
from tfopt.core.language.suggest import closest
from tfopt.errors import EnvironmentProblem, StageError

_TOKENS = "token_ids"


def hub_model(source: str, args: Config, data: Data, vocabulary_size: int | None, folder: Path) -> keras.Model:
    """Builds a model of KerasHub with random weights, or with those of a preset in a folder.

    Args:
        source: `keras_hub.models.NAME`: a backbone, or a task, whose backbone is described under `args.backbone`.
        args: of the class. `vocabulary_size` and `num_classes` come from the data where they are left out; `preset` is
            a folder that KerasHub has written; `output` chooses one of several outputs of a backbone.
        data: the examples.
        vocabulary_size: tokens of the data, where known.
        folder: of the recipe.

    Raises:
        StageError: there is no such class, an argument is wrong, or the inputs cannot be made of the data's.
        EnvironmentProblem: KerasHub is not installed.
    """
    models = _library(source)
    name = source.removeprefix(KERAS_HUB)
    kind = getattr(models, name, None)
    if not (inspect.isclass(kind) and issubclass(kind, keras.Model)):
        classes = {key: value for key, value in vars(models).items() if inspect.isclass(value)}
        known = [key for key, value in classes.items() if issubclass(value, keras.Model)]
        raise StageError(
            f"keras_hub.models has no model {name!r}.{closest(name, known)}",
            "It has backbones, such as BertBackbone, and tasks, such as BertTextClassifier and GPT2CausalLM.",
            code="unknown_source",
        )
    given = dict(args)
    output = given.pop("output", None)
    preset = given.pop("preset", None)
    if preset is not None:
        model = _from_preset(kind, source, str(preset), given, data, folder)
    else:
        model = _built(kind, source, given, data, vocabulary_size, folder)
    return for_data(model, source, output, data)


def _library(source: str) -> ModuleType:
    try:
        return importlib.import_module("keras_hub.models")
    except ModuleNotFoundError as error:
        raise EnvironmentProblem(
            f"{source} needs KerasHub, and the module {error.name!r} is missing.",
            "Install it: pip install tfopt[hub].",
            code="missing_package",
        ) from error


def _built(
    kind: Any, source: str, args: dict[str, Any], data: Data, vocabulary_size: int | None, folder: Path
) -> keras.Model:
    parameters = inspect.signature(kind.__init__).parameters
    if "backbone" in parameters:
        described = args.get("backbone", {})
        if not isinstance(described, Mapping):
            raise StageError(
                f"model.args.backbone of {source} describes the backbone. Got {described!r}.",
                "Expected the arguments of its class, e.g. {num_layers: 2, num_heads: 2, hidden_dim: 64, ...}.",
                code="wrong_type",
            )
        backbone = kind.backbone_cls
        args["backbone"] = _built(backbone, f"backbone of {source}", dict(described), data, vocabulary_size, folder)
        args.setdefault("preprocessor", None)
        if "num_classes" in parameters:
            args.setdefault("num_classes", data.num_outputs)
    elif "vocabulary_size" in parameters and vocabulary_size is not None:
        args.setdefault("vocabulary_size", vocabulary_size)
    _check_known(args, parameters, source)
    return references.call(kind, source, args, folder)


def _check_known(args: Config, parameters: Mapping[str, object], source: str) -> None:
    """KerasHub hands what it does not know on to Keras, which does not look at it."""
    known = [*(name for name in parameters if name not in ("self", "kwargs")), "name", "trainable", "dtype"]
    for name in args:
        if name not in known:
            raise StageError(
                f"{source} has no argument {name!r}.{closest(name, known)}",
                f"Its arguments: {', '.join(known)}.",
                code="unknown_argument",
            )


def _from_preset(kind: Any, source: str, preset: str, args: dict[str, Any], data: Data, folder: Path) -> keras.Model:
    path = folder / Path(preset).expanduser()
    if not path.is_dir():
        raise StageError(
            f"model.args.preset of {source} is {preset!r}, but there is no folder {path}.",
            "tfopt downloads nothing: save the preset first, with model.save_to_preset(folder).",
            code="data_missing",
        )
    if "num_classes" in inspect.signature(kind.__init__).parameters:
        args = {"num_classes": data.num_outputs, **args}
    extra = {} if "backbone" not in inspect.signature(kind.__init__).parameters else {"preprocessor": None}
    return references.call(kind.from_preset, source, {"preset": str(path), **extra, **args}, folder)


def is_of_tokens(model: object) -> TypeGuard[keras.Model]:
    """Whether a model has the inputs of KerasHub's models of texts."""
    # The attribute of graphs alone: `input` raises where a Sequential model has not been called.
    inputs = getattr(model, "_inputs_struct", None)
    return isinstance(model, keras.Model) and isinstance(inputs, Mapping) and _TOKENS in inputs


def for_data(model: keras.Model, source: str, output: object, data: Data) -> keras.Model:
    """A model of KerasHub with one output, and with the inputs and sizes that the data have.

    Args:
        model: with inputs by name, which may be of any length.
        source: where it comes from, for errors.
        output: name of the output, where there are several.
        data: the examples.

    Raises:
        StageError: no output is chosen, or an input cannot be made of the data's.
    """
    keras_hub.mend_configurations(model)
    outputs = model.output
    if output is not None or (isinstance(outputs, Mapping) and len(outputs) > 1):
        known = list(outputs) if isinstance(outputs, Mapping) else []
        if output not in known:
            raise StageError(
                f"{source} has the outputs {', '.join(known) or '(one)'}; model.args.output is {output!r}.",
                "Choose one of them, or use a task, such as BertTextClassifier." if known else "Remove args.output.",
                code="incompatible_model",
            )
        outputs = outputs[output]
        model = keras.Model(model.input, outputs, name=model.name)
    shape = data.input_shape
    shapes = dict(shape) if isinstance(shape, Mapping) and not data.positional else {_TOKENS: shape}
    names = list(model.input) if isinstance(model.input, Mapping) else []
    if not set(shapes) <= set(names) or _TOKENS not in shapes:
        return model  # the comparison of model and data says what is missing
    inputs = {name: keras.Input(shapes[name], dtype="int32", name=name) for name in names if name in shapes}
    given = {name: inputs[name] if name in inputs else _derived(name, inputs[_TOKENS], source) for name in names}
    outputs = keras_3.outputs_for(model, given)
    return keras.Model(list(inputs.values()) if len(inputs) > 1 else inputs[_TOKENS], outputs, name=model.name)


def _derived(name: str, tokens: keras.KerasTensor, source: str) -> keras.KerasTensor:
    """An input that the data do not have, from the token ids."""
    if name == "padding_mask":
        return keras.ops.cast(keras.ops.not_equal(tokens, 0), "int32")
    if name == "segment_ids":
        return keras.ops.zeros_like(tokens)
    raise StageError(
        f"{source} has the input {name!r}, which the data do not have.",
        "Give the inputs by name.",
        code="incompatible_shapes",
    )
