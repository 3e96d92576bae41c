"""Whether model, data and loss belong together, found out before training."""

from __future__ import annotations

import math

import tf_keras

from tfopt.backend.data.arrays.views import extremes, values_of
from tfopt.backend.data.checks import NO_TARGET
from tfopt.backend.data.splits import Data
from tfopt.backend.models.default_loss import are_zero_or_one
from tfopt.backend.models.last_activation import last_activation
from tfopt.backend.models.outputs import classes_of, of_output
from tfopt.backend.models.padding import check_padding
from tfopt.backend.models.vocabularies import check_vocabulary
from tfopt.backend.training.metrics.counted import ignored_class
from tfopt.backend.types import ExampleArray, Shape
from tfopt.core.config.training.compile import Compile
from tfopt.core.config.training.keras_names import LOSSES, METRICS
from tfopt.core.config.training.outputs import Outputs
from tfopt.core.language.quantities import about_bytes
from tfopt.core.language.wording import counted
from tfopt.errors import StageError
from tfopt.memory import available_memory

_COPIES = 3
"""Outputs of the test split in memory at once: of the model and of a file, and what both predict."""
_SPARSE = "sparse_categorical_crossentropy"


def check_fits(model: tf_keras.Model, data: Data, compile: Compile) -> list[str]:
    """Compares shapes, classes and loss.

    Args:
        model: built.
        data: the examples to learn from.
        compile: the recipe's loss, with the outputs of this model (`for_model`).

    Returns:
        Warnings: what is probably, but not surely, a mistake.

    Raises:
        StageError: an input of a different shape, or an output that does not fit its targets and loss.
    """
    _check_inputs(model, data)
    warnings = [*_warnings_of_memory(model, len(data.test)), *check_vocabulary(model, data)]
    check_padding(model, data)
    for name, of in compile.of_each().items():
        index = compile.all_outputs.index(name) if name else 0
        _check_targets(model, index, of_output(data.train.targets, name), classes_of(data, name), of, name)
        warnings += _activation_warnings(model, index, of, name)
        warnings += _metric_warnings(of_output(data.train.targets, name), of, name)
    return warnings


def _warnings_of_memory(model: tf_keras.Model, examples: int) -> list[str]:
    """The outputs for the test split are in memory, whatever its inputs and targets are."""
    shapes = [tuple(tensor.shape[1:]) for tensor in model.outputs]
    if any(None in shape for shape in shapes):
        return []
    needed, free = _COPIES * 4 * examples * sum(map(math.prod, shapes)), available_memory()
    if needed <= free:
        return []
    return [
        f"The outputs for the {counted(examples, 'example')} of the test split take {about_bytes(needed)} in memory "
        f"(those of the model, those of a file, and what both predict), but {about_bytes(free)} are free: use a "
        "smaller data.splits.test, or fewer examples in the source's test split."
    ]


def _check_inputs(model: tf_keras.Model, data: Data) -> None:
    input_shape = data.input_shape
    if isinstance(input_shape, dict):
        if set(input_shape) != set(model.input_names):
            raise StageError(
                f"The data have the inputs {', '.join(sorted(input_shape))}, but the model {model.name!r} has "
                f"{', '.join(model.input_names)}.",
                "Name the Input layers as the data name their arrays.",
                code="incompatible_shapes",
            )
        pairs = [
            (name, input_shape[name], tensor) for name, tensor in zip(model.input_names, model.inputs, strict=True)
        ]
    elif len(model.inputs) == 1:
        pairs = [(model.input_names[0], input_shape, model.inputs[0])]
    else:
        raise StageError(
            f"The model {model.name!r} has the inputs {', '.join(model.input_names)}, the data have one.",
            "Give the inputs as a tuple of arrays in this order, or as a dict by name.",
            code="incompatible_shapes",
        )
    for name, shape, tensor in pairs:
        expected = tuple(tensor.shape[1:])
        if not _matches(shape, expected):
            raise StageError(
                f"The input {name!r} of {model.name!r} expects {expected} per example, but the data have {shape}.",
                "Change model.args.input_shape, or resize the data.",
                code="incompatible_shapes",
            )


def _check_targets(
    model: tf_keras.Model, index: int, targets: ExampleArray, num_classes: int | None, compile: Compile, name: str
) -> None:
    output = tuple(model.outputs[index].shape[1:])
    layer, key = model.output_names[index], _key(name)
    # Of a loss of the user's own, the first batch tells what it takes, unless the recipe says so.
    loss = compile.single_loss.like or compile.single_loss.name
    if compile.single_loss.reference is None:
        loss = compile.loss_kind
    if compile.single_loss.reference is not None and compile.single_loss.like is None:
        return
    width = output[-1] if output else None
    activation = last_activation(model, index)
    if activation == "softmax" and width == 1 and (num_classes is None or num_classes <= 2):
        raise StageError(
            f"The layer {layer!r} applies softmax to one output, which is then always 1: it cannot learn.",
            "Use sigmoid, with the loss binary_crossentropy.",
            code="incompatible_model",
        )
    if loss == _SPARSE:
        if num_classes is None:
            raise StageError(
                f"The loss {loss} needs integer labels, not targets of {targets.dtype} and shape {targets.shape[1:]}.",
                "Use categorical_crossentropy for one-hot targets, mse for quantities, or provide labels as integers.",
                code="incompatible_loss",
            )
        ignored = ignored_class(compile)
        classes = num_classes
        if ignored == num_classes - 1:  # such as 255 in masks of Pascal VOC
            classes = max((int(value) for value in values_of(targets) if value != ignored), default=-1) + 1
        if width is not None and classes > width:
            raise StageError(
                f"The labels go up to {classes - 1}, but the layer {layer!r} has {counted(width or 0, 'output')}.",
                _advice(classes, width, activation),
                code="incompatible_model",
            )
        if ignored != NO_TARGET and extremes(targets)[0] == NO_TARGET:
            raise StageError(
                f"Some targets are {NO_TARGET}: nothing is to be predicted there. But the loss would count them.",
                f"Set {key}: {{name: {compile.single_loss.name}, ignore_class: {NO_TARGET}, ...}}.",
                code="incompatible_loss",
            )
        if ignored is not None and set(extremes(targets)) == {ignored}:
            raise StageError(
                f"All targets are {ignored}, which {key}.ignore_class leaves out: nothing is left to learn.",
                code="incompatible_loss",
            )
        if not _matches(targets.shape[1:], output[:-1]):
            one_too_many = targets.shape[-1] == 1 and _matches(targets.shape[1:-1], output[:-1])
            raise StageError(
                f"The layer {layer!r} returns {output} per example, but the labels have {targets.shape[1:]}.",
                "Leave out the last axis of the labels: labels[..., 0]."
                if one_too_many
                else "Expected one label per row of classes; add a pooling or Flatten layer before the last one.",
                code="incompatible_shapes",
            )
        return
    # Keras adds a last axis to labels (n,), as for binary_crossentropy against one output.
    shape = (1,) if targets.ndim == 1 else targets.shape[1:]
    if num_classes is not None and loss == "binary_crossentropy" and num_classes > 2:
        raise StageError(
            f"The loss {loss} supports two classes, but the labels go up to {num_classes - 1}.",
            f"Use {_SPARSE}.",
            code="incompatible_loss",
        )
    if not _matches(shape, output):
        hint = (
            f"For integer labels use {_SPARSE}" if num_classes is not None else "Change the last layer, or the targets"
        )
        if num_classes == 2:
            hint += ", or use one output (model.args: {num_outputs: 1, output: sigmoid})"
        raise StageError(
            f"The layer {layer!r} returns {output} per example, but the targets for the loss {loss} have {shape}.",
            f"{hint}.",
            code="incompatible_shapes",
        )


def _key(output: str) -> str:
    """Where the loss of an output is written."""
    return f"compile.loss.{output}" if output else "compile.loss"


def _advice(num_classes: int, width: int, activation: str | None) -> str:
    more = f"give it {counted(num_classes, 'output')}"
    if width != 1 or num_classes > 2:
        return f"{more.capitalize()}."
    if activation in ("sigmoid", "linear"):
        return f"Use the loss binary_crossentropy and targets with a last axis of 1, or {more}."
    return f"End with a sigmoid and use the loss binary_crossentropy, or {more}."


def _activation_warnings(model: tf_keras.Model, index: int, compile: Compile, name: str) -> list[str]:
    outputs = Outputs.of(compile)
    if not outputs.are_probabilities:
        return []
    layer = model.get_layer(model.output_names[index])
    activation = last_activation(model, index)
    if outputs.are_logits and activation in ("softmax", "sigmoid"):
        return [
            f"The layer {layer.name!r} already applies {activation}, but {_key(name)} says from_logits: true: "
            "it would be applied twice. Set from_logits: false."
        ]
    if not outputs.are_logits and activation in ("linear", "relu", "tanh"):
        return [
            f"The layer {layer.name!r} has {activation} outputs, but {compile.single_loss.name} expects probabilities: "
            f"training would go wrong quietly. Set {_key(name)}.from_logits: true, or end with a softmax."
        ]
    return []


def _metric_warnings(targets: ExampleArray, compile: Compile, name: str) -> list[str]:
    """Metrics that count equal classes, of targets that are quantities."""
    about_classes = [
        metric.name
        for metric in compile.single_metrics
        if metric.reference is None and METRICS[metric.name].classification
    ]
    loss = LOSSES[compile.loss_kind]
    if not about_classes or loss.classification or are_zero_or_one(targets):
        return []
    key = f"compile.metrics.{name}" if name else "compile.metrics"
    return [
        f"{about_classes[0]} counts equal classes, but the targets of {compile.single_loss.name} are quantities, of "
        f"which it says nothing. Set {key}: [mae]."
    ]


def _matches(given: Shape, wanted: Shape) -> bool:
    return len(given) == len(wanted) and all(w is None or g == w for g, w in zip(given, wanted, strict=True))
