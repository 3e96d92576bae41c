"""Losses and metrics of the user's own as tf_keras objects: functions, classes of either Keras, makers of these."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import keras
import tensorflow as tf
import tf_keras

from tfopt.backend.types import Array, Nested
from tfopt.catalog import references
from tfopt.catalog.guard import guarded
from tfopt.core.config.training.keras_objects import Named
from tfopt.errors import StageError

_REDUCTIONS = {"sum": "sum", "none": "none", None: "none"}


def own_loss(named: Named) -> tf_keras.losses.Loss:
    """The loss that a recipe names as `package.module:name`.

    Args:
        named: a function of targets and outputs, a subclass of `Loss` of either Keras, or a function that takes the
            arguments of the recipe and returns one of these.

    Raises:
        StageError: there is no such code, it fails, or it is none of these.
    """
    made = _made(named, (tf_keras.losses.Loss, keras.losses.Loss))
    if isinstance(made, tf_keras.losses.Loss):
        return made
    if isinstance(made, keras.losses.Loss):
        return _OwnLoss(made.call, named, _REDUCTIONS.get(made.reduction, "auto"))
    return _OwnLoss(made, named, "auto")


def own_metric(named: Named) -> tf_keras.metrics.Metric:
    """The metric that a recipe names as `package.module:name`, under the name behind the colon.

    Args:
        named: a function of targets and outputs, whose mean it is; a subclass of `Metric` of either Keras; or a
            function that takes the arguments of the recipe and returns one of these.

    Raises:
        StageError: there is no such code, it fails, or it is none of these.
    """
    made = _made(named, (tf_keras.metrics.Metric, keras.metrics.Metric))
    if isinstance(made, tf_keras.metrics.Metric):
        made._name = named.label
        return made
    if isinstance(made, keras.metrics.Metric):
        return _OwnMetric(made, named.label)
    return tf_keras.metrics.MeanMetricWrapper(_in_words(made, named), name=named.label)


def own_metric_of_all(named: Named) -> Callable[[Mapping[str, Array], Mapping[str, Array]], float]:
    """A metric of all outputs together that a recipe names as `package.module:name`.

    Args:
        named: a function of the targets and the predictions, both NumPy arrays by output name, that returns a number;
            further arguments come from the recipe.

    Raises:
        StageError: there is no such code, or it is no function.
    """
    code, arguments = references.named(named.name), named.arguments()
    if inspect.isclass(code) or not callable(code):
        raise StageError(
            f"{named.name} is no function, which a metric of all outputs together is.",
            "Expected a function of (targets, predictions), both dicts of arrays by output name.",
            code="unusable_code",
        )
    _check_known(code, named, arguments)
    return lambda targets, predictions: guarded(lambda: code(targets, predictions, **arguments), named.name)


def _made(named: Named, kinds: tuple[type, ...]) -> Any:
    """A function of targets and outputs, or an object of one of the kinds."""
    code, arguments = references.named(named.name), named.arguments()
    what = f"{named.name}"
    if isinstance(code, kinds):
        return code
    if not inspect.isclass(code):
        required = [
            parameter
            for parameter in _parameters(code).values()
            if parameter.default is parameter.empty
            and parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
            and parameter.name not in arguments
        ]
        if len(required) == 2:
            # Only what stands behind targets and outputs can be an argument of the recipe.
            _check_known(code, named, arguments)
            return partial(code, **arguments) if arguments else code
    references.check_arguments(code, named.name, arguments)
    made = guarded(lambda: code(**arguments), what)
    if isinstance(made, kinds) or (callable(made) and not inspect.isclass(made)):
        return made
    raise StageError(
        f"{named.name} is no {kinds[0].__name__.lower()}: it returned a {type(made).__name__}.",
        f"Expected a function of (y_true, y_pred), a subclass of keras.{kinds[0].__name__.lower()}s."
        f"{kinds[0].__name__}, or a function that returns one of these.",
        code="unusable_code",
    )


def _parameters(code: Callable[..., object]) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(code).parameters
    except (TypeError, ValueError):  # code in C has none
        return {}


def _check_known(code: Callable[..., object], named: Named, arguments: Mapping[str, object]) -> None:
    references.check_arguments(partial(code, None, None), named.name, arguments)


def _in_words(code: Callable[..., object], named: Named) -> Callable[[Nested, Nested], tf.Tensor]:
    @tf.autograph.experimental.do_not_convert
    def called(targets: Nested, outputs: Nested) -> tf.Tensor:
        found = guarded(lambda: code(targets, outputs), named.name)
        if found is None:
            raise StageError(
                f"{named.name} returned nothing.", "Expected a number for each example.", code="unusable_code"
            )
        return tf.convert_to_tensor(found)

    return called


class _OwnLoss(tf_keras.losses.Loss):
    """A loss of the user's own: of each example, or already one number.

    Args:
        code: of targets and outputs.
        named: where it comes from, for errors.
        reduction: of the losses of the examples, as in tf_keras.
    """

    def __init__(self, code: Callable[..., object], named: Named, reduction: str) -> None:
        super().__init__(reduction=reduction, name=named.label)
        self._code = _in_words(code, named)

    def call(self, y_true: Nested, y_pred: Nested) -> tf.Tensor:
        return self._code(tf.convert_to_tensor(y_true), tf.convert_to_tensor(y_pred))


class _OwnMetric(tf_keras.metrics.Metric):
    """Runs a metric of Keras 3.

    Args:
        metric: the metric.
        name: its name in reports.
    """

    def __init__(self, metric: keras.metrics.Metric, name: str) -> None:
        super().__init__(name=name)
        # Past the tracking of attributes by tf_keras, which does not support objects of Keras 3.
        object.__setattr__(self, "own", metric)

    @property
    def variables(self) -> list[tf.Variable]:
        return [variable.value for variable in self.own.variables]

    def update_state(self, y_true: Nested, y_pred: Nested, sample_weight: Nested = None) -> None:
        self.own.update_state(y_true, y_pred, sample_weight=sample_weight)

    def result(self) -> tf.Tensor:
        return tf.convert_to_tensor(self.own.result())

    def reset_state(self) -> None:
        self.own.reset_state()
