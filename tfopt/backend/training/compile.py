"""Optimizer, loss and metrics of a recipe as tf_keras objects."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

import tensorflow as tf
import tf_keras

from tfopt.backend.training import learning_rates, losses
from tfopt.backend.training.losses.weighted import WeightedLoss
from tfopt.backend.training.metrics.counted import OfCounted, ignored_class
from tfopt.backend.training.metrics.f1 import F1
from tfopt.backend.training.metrics.next_token import BitsPerCharacter, Perplexity
from tfopt.backend.training.metrics.overlap import Dice, MeanIoU
from tfopt.backend.training.metrics.weighted import OfWeighted
from tfopt.backend.training.own_losses import own_loss, own_metric
from tfopt.backend.types import Nested
from tfopt.core.config.training.compile import Compile
from tfopt.core.config.training.keras_names import LOSSES, METRICS, OPTIMIZERS
from tfopt.core.config.training.learning_rate import LearningRate
from tfopt.core.config.training.outputs import Outputs
from tfopt.errors import StageError


def make_optimizer(
    compile: Compile, learning_rate: LearningRate | None, total_steps: int, steps_per_epoch: int
) -> tf_keras.optimizers.Optimizer:
    """The optimizer of one stage.

    Args:
        compile: the recipe's block.
        learning_rate: the stage's own rate; None keeps that of `compile.optimizer`.
        total_steps: optimizer steps of the stage, which schedules refer to.
        steps_per_epoch: optimizer steps of one epoch.

    Raises:
        StageError: Keras refuses an argument, or a rate schedule does not fit into the stage.
    """
    rate = compile.optimizer.learning_rate if learning_rate is None else learning_rate
    arguments = compile.optimizer.arguments()
    arguments["learning_rate"] = learning_rates.resolve(rate, total_steps, steps_per_epoch)
    return _make(tf_keras.optimizers, OPTIMIZERS[compile.optimizer.name].class_name, arguments)


def make_loss(compile: Compile) -> tf_keras.losses.Loss:
    """The loss of one output.

    Raises:
        StageError: Keras refuses an argument.
    """
    loss = compile.single_loss
    if loss.reference is not None:
        return own_loss(loss)
    known = LOSSES[loss.name]
    return _make(losses if known.own else tf_keras.losses, known.class_name, loss.arguments())


def label_loss(compile: Compile) -> Callable[[Nested, Nested], tf.Tensor]:
    """The loss as a function of targets and outputs; of several outputs, the weighted sum.

    Args:
        compile: the recipe's block; its outputs are in the order of the model.

    Raises:
        StageError: Keras refuses an argument.
    """
    if not compile.all_outputs:
        return make_loss(compile)
    losses = {name: make_loss(of) for name, of in compile.of_each().items()}

    def total(targets: Nested, outputs: Nested) -> tf.Tensor:
        named = dict(zip(compile.all_outputs, outputs, strict=True))
        return tf.add_n([compile.weight_of(name) * loss(targets[name], named[name]) for name, loss in losses.items()])

    return total


def make_metrics(
    compile: Compile, targets_shape: Sequence[int | None], predictions_shape: Sequence[int | None]
) -> list[tf_keras.metrics.Metric]:
    """The metrics of one output, each under its own name, of the targets that count.

    Args:
        compile: the recipe's block, or that of one of several outputs.
        targets_shape: shape of the targets with the batch axis; decides which accuracy `accuracy` is.
        predictions_shape: shape of the model's output with the batch axis.

    Raises:
        StageError: Keras refuses an argument.
    """
    made: list[tf_keras.metrics.Metric] = []
    outputs = Outputs.of(compile)
    for metric in compile.single_metrics:
        if metric.reference is not None:
            made.append(own_metric(metric))
            continue
        arguments = {**metric.arguments(), "name": metric.name}
        class_name = METRICS[metric.name].class_name
        if METRICS[metric.name].own:
            made.append(_own(class_name, arguments, outputs, predictions_shape))
            continue
        if not class_name:
            class_name = accuracy_class(targets_shape, predictions_shape)
            if class_name == "BinaryAccuracy" and outputs.one_per_label:
                arguments["threshold"] = outputs.threshold  # Keras would count a logit above 0.5, not above 0
        made.append(_make(tf_keras.metrics, class_name, arguments))
    ignored = ignored_class(compile)
    return made if ignored is None else [OfCounted(metric, ignored) for metric in made]


def _own(
    class_name: str, arguments: dict[str, Any], outputs: Outputs, predictions_shape: Sequence[int | None]
) -> tf_keras.metrics.Metric:
    """A metric that tf_keras lacks."""
    try:
        if class_name in _OF_CLASSES:
            made = _OF_CLASSES[class_name]
            return made(predictions_shape[-1] or 1, outputs.one_per_label, outputs.threshold, **arguments)
        if class_name == "Perplexity":
            return Perplexity(outputs.are_logits, **arguments)
        return BitsPerCharacter(outputs.are_logits, **{"tokens_per_character": 1.0, **arguments})
    except (TypeError, ValueError) as error:
        raise StageError(f"{arguments['name']}: {error}", code="keras_refused") from error


_OF_CLASSES = {"F1": F1, "MeanIoU": MeanIoU, "Dice": Dice}


def accuracy_class(targets_shape: Sequence[int | None], predictions_shape: Sequence[int | None]) -> str:
    """Which class `accuracy` means, by the rule of Keras' own compile (`MetricsContainer._get_metric_object`)."""
    if predictions_shape[-1] == 1:
        return "BinaryAccuracy"
    if len(targets_shape) < len(predictions_shape) or targets_shape[-1] == 1:
        return "SparseCategoricalAccuracy"
    return "CategoricalAccuracy"


def keras_compile(
    compile: Compile,
    targets: Mapping[str, Sequence[int | None]],
    predictions: Mapping[str, Sequence[int | None]],
    weighted: bool = False,
) -> dict[str, object]:
    """Loss and metrics as arguments of `tf_keras.Model.compile`; of several outputs, lists in the order of the model.

    Args:
        compile: the recipe's block.
        targets: shape of the targets of each judged output with the batch axis, by its name; under an empty name where
            the model has one output.
        predictions: the same of the outputs.
        weighted: whether examples have weights: metrics are of those that count then.

    Raises:
        StageError: Keras refuses an argument.
    """
    key = "weighted_metrics" if weighted else "metrics"

    def metrics(of: Compile, name: str) -> list[tf_keras.metrics.Metric]:
        made = make_metrics(of, targets[name], predictions[name])
        return [OfWeighted(metric) for metric in made] if weighted else made

    def loss(of: Compile) -> tf_keras.losses.Loss:
        return WeightedLoss(make_loss(of)) if weighted else make_loss(of)

    if not compile.all_outputs:
        return {"loss": loss(compile), key: metrics(compile, "")}
    each = {name: compile.of(name) if name in compile.outputs else None for name in compile.all_outputs}
    return {
        "loss": [None if of is None else loss(of) for of in each.values()],
        "loss_weights": [compile.weight_of(name) for name in each],
        key: [[] if of is None else metrics(of, name) for name, of in each.items()],
    }


_SOFT = {
    "sparse_categorical_crossentropy": "categorical_crossentropy",
    "sparse_categorical_accuracy": "categorical_accuracy",
    "sparse_top_k_categorical_accuracy": "top_k_categorical_accuracy",
}


def with_soft_labels(compile: Compile) -> Compile:
    """The same loss and metrics, of one output, for labels that mixup has made one-hot.

    Raises:
        StageError: the loss ignores a class, which has no counterpart.
    """
    if compile.single_loss.name not in _SOFT and compile.loss_kind in _SOFT:
        own = compile.single_loss.reference is not None
        raise StageError(
            f"mixup makes labels one-hot, but {compile.single_loss.name} expects integer labels.",
            "Leave mixup out, or write a loss for one-hot labels, with like: categorical_crossentropy."
            if own
            else "Leave mixup out, or use sparse_categorical_crossentropy.",
            code="conflicting_keys",
        )
    if "ignore_class" in compile.single_loss.arguments():
        raise StageError(
            "mixup and the loss argument ignore_class exclude each other.",
            "Remove one of the two.",
            code="conflicting_keys",
        )
    return compile.model_copy(
        update={
            "loss": compile.single_loss.model_copy(
                update={"name": _SOFT.get(compile.single_loss.name, compile.single_loss.name)}
            ),
            "metrics": tuple(
                metric.model_copy(update={"name": _SOFT.get(metric.name, metric.name)})
                for metric in compile.single_metrics
            ),
        }
    )


def first_line(error: Exception) -> str:
    """The part of a Keras or TensorFlow message that says what is wrong, without the graph around it."""
    text = str(error).split("Call arguments received")[0]
    lines = [line.strip() for line in text.splitlines() if line.strip()] or [type(error).__name__]
    if not text.startswith("in user code"):
        return lines[0]
    # Autograph puts the traceback first; the message is the last line that names an exception.
    return next((line for line in reversed(lines) if re.match(r"(\w+Error|Exception)\b", line)), lines[-1])


def _make(module: ModuleType, class_name: str, arguments: Mapping[str, object]) -> Any:
    try:
        return getattr(module, class_name)(**arguments)
    except (TypeError, ValueError) as error:
        given = ", ".join(f"{key}={value!r}" for key, value in arguments.items() if key != "name")
        raise StageError(f"Keras refuses {class_name}({given}): {first_line(error)}", code="keras_refused") from error
