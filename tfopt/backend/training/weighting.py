"""How much each label counts in the loss: by its class, and of several outputs in each by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import tensorflow as tf

from tfopt.backend.data.load import class_weights
from tfopt.backend.training.metrics.counted import ignored_class
from tfopt.backend.types import Arrays, Nested
from tfopt.core.config.training.class_weights import ClassWeights, OfClasses
from tfopt.core.config.training.compile import Compile
from tfopt.core.language.mistakes import Mistake
from tfopt.errors import StageError


def weighted(
    batches: tf.data.Dataset, targets: Arrays, setting: ClassWeights | None, compile: Compile
) -> tf.data.Dataset:
    """Adds weights of classes to batches, times those of the examples; a mixture of classes weighs what its parts do.

    Args:
        batches: of (inputs, targets, ...).
        targets: of the whole training split, by output name where there are several.
        setting: of the stage.
        compile: whose loss may leave labels out.

    Raises:
        StageError: the targets are no classes, or the setting names a class that does not exist.
    """
    if setting is None:
        return batches
    tables = {
        name: tf.constant(_weights(targets, name, own, compile), tf.float32)
        for name, own in _by_output(setting, compile).items()
    }

    def weigh(inputs: tf.Tensor, targets: Nested, *more: Nested) -> tuple[Nested, ...]:
        own = more[0] if more else None  # of the examples
        if not compile.outputs:
            return inputs, targets, _times(_of_labels(targets, tables[""]), own), *more[1:]
        weights = {
            name: _times(_of_labels(targets[name], table), None if own is None else own[name])
            for name, table in tables.items()
        }
        return inputs, targets, weights if own is None else {**own, **weights}, *more[1:]

    return batches.map(weigh)


def misfits(targets: Arrays, setting: ClassWeights, compile: Compile) -> list[Mistake]:
    """What `weighted` would refuse; paths begin below the stage.

    Args:
        targets: of the whole training split, by output name where there are several.
        setting: of the stage.
        compile: whose loss may leave labels out.
    """
    found: list[Mistake] = []
    for name, own in _by_output(setting, compile).items():
        try:
            _weights(targets, name, own, compile)
        except StageError as error:
            path = ("class_weights", name) if name else ("class_weights",)
            found.append(Mistake(path, str(error).removeprefix("class_weights "), code=error.code))
    return found


def _by_output(setting: ClassWeights, compile: Compile) -> Mapping[str, OfClasses]:
    return cast("Mapping[str, OfClasses]", setting if compile.outputs else {"": setting})


def _weights(targets: Arrays, name: str, setting: OfClasses, compile: Compile) -> list[float]:
    """The weight of each class of an output."""
    labels = targets[name] if isinstance(targets, dict) else targets
    found = class_weights(labels, setting, ignored_class(compile.of_each()[name]))
    return [weight for _, weight in sorted((found or {}).items())]


def _times(of_labels: tf.Tensor, own: tf.Tensor | None) -> tf.Tensor:
    """Weights by class times weights of examples (batch,), or of their positions."""
    if own is None:
        return of_labels
    while len(own.shape) < len(of_labels.shape):
        own = own[..., tf.newaxis]
    return of_labels * own


def _of_labels(targets: tf.Tensor, table: tf.Tensor) -> tf.Tensor:
    if targets.dtype.is_floating:
        return tf.linalg.matvec(targets, table)
    # Labels that the loss ignores may be -1, or a class that is not among the weights.
    return tf.gather(table, tf.clip_by_value(targets, 0, len(table) - 1))
