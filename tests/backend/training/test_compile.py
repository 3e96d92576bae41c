from __future__ import annotations

import inspect

import numpy as np
import pytest
import tf_keras

from tests.support.digits import digits
from tests.support.models import small_model
from tfopt.backend.training import compile as compiling
from tfopt.backend.training import learning_rates, losses
from tfopt.core.config.training.compile import Compile, Loss, Metric, Optimizer
from tfopt.core.config.training.keras_names import LOSSES, METRICS, OPTIMIZERS
from tfopt.core.config.training.learning_rate import (
    ConstantRate,
    CosineRate,
    ExponentialRate,
    PiecewiseRate,
    PlateauRate,
)
from tfopt.core.language.quantities import Span
from tfopt.errors import StageError

pytestmark = pytest.mark.tf

SET_BY_TFOPT = {"self", "name", "jit_compile", "kwargs", "reduction", "axis", "dtype", "fn"}


@pytest.mark.parametrize(
    ("module", "name", "entry"),
    [(tf_keras.optimizers, *item) for item in OPTIMIZERS.items()]
    + [(losses if item[1].own else tf_keras.losses, *item) for item in LOSSES.items()]
    + [(tf_keras.metrics, *item) for item in METRICS.items() if item[1].class_name and not item[1].own],
)
def test_the_tables_of_keras_names_are_those_of_tf_keras(module, name, entry):
    known = set(inspect.signature(getattr(module, entry.class_name).__init__).parameters)
    known |= (
        set(inspect.signature(tf_keras.optimizers.Optimizer.__init__).parameters)
        if module is tf_keras.optimizers
        else set()
    )

    assert set(entry.arguments) <= known


@pytest.mark.parametrize(("name", "entry"), list(LOSSES.items()))
def test_losses_lack_no_argument(name, entry):
    module = losses if entry.own else tf_keras.losses
    known = set(inspect.signature(getattr(module, entry.class_name).__init__).parameters)

    assert known - SET_BY_TFOPT <= set(entry.arguments)


def test_optimizer_takes_its_arguments_and_the_rate_of_the_stage():
    compile = Compile(optimizer=Optimizer(name="sgd", learning_rate=0.1, momentum=0.9, clipnorm=1.0))

    own = compiling.make_optimizer(compile, None, 100, 10)
    replaced = compiling.make_optimizer(compile, 0.01, 100, 10)

    assert isinstance(own, tf_keras.optimizers.SGD)
    assert (float(own.learning_rate), own.momentum, own.clipnorm) == (pytest.approx(0.1), 0.9, 1.0)
    assert float(replaced.learning_rate) == pytest.approx(0.01)


def test_refused_argument_is_told():
    compile = Compile(optimizer=Optimizer(name="sgd", momentum=7))

    with pytest.raises(StageError, match=r"Keras refuses SGD\(.*momentum=7.*between \[0, 1\]"):
        compiling.make_optimizer(compile, None, 100, 10)


def piecewise(*steps):
    return PiecewiseRate.model_validate({"kind": "piecewise", "initial": 1.0, "steps": steps})


RATES = [
    (ConstantRate(initial=0.5), {0: 0.5, 99: 0.5}),
    (PlateauRate(kind="plateau", initial=0.5), {0: 0.5}),
    (ExponentialRate(kind="exponential", initial=1.0, factor=0.5), {0: 1.0, 10: 0.5, 20: 0.25}),
    (ExponentialRate(kind="exponential", initial=1.0, factor=0.5, staircase=True), {9: 1.0, 10: 0.5}),
    (CosineRate(kind="cosine", initial=1.0, final=0.2), {0: 1.0, 50: 0.6, 100: 0.2}),
    (
        CosineRate(kind="cosine", initial=1.0, final=0.2, warmup=Span.parse("20%")),
        {0: 0, 10: 0.5, 20: 1, 60: 0.6, 100: 0.2},
    ),
    (
        PiecewiseRate.model_validate(
            {
                "kind": "piecewise",
                "initial": 1.0,
                "steps": [{"at": "2 epochs", "rate": 0.1}, {"at": "50%", "rate": 0.01}],
            }
        ),
        {0: 1.0, 19: 1.0, 20: 0.1, 49: 0.1, 50: 0.01, 99: 0.01},
    ),
]


@pytest.mark.parametrize(("rate", "expected"), RATES)
def test_rates_over_the_steps_of_a_stage(rate, expected):
    resolved = learning_rates.resolve(rate, 100, 10)

    values = {step: float(resolved(step)) if callable(resolved) else resolved for step in expected}

    assert values == pytest.approx(expected, abs=1e-6)


def test_rates_that_never_come_are_refused():
    late = PiecewiseRate.model_validate(
        {"kind": "piecewise", "initial": 1.0, "steps": [{"at": "200 steps", "rate": 0.1}]}
    )
    long = CosineRate(kind="cosine", initial=1.0, warmup=Span.parse("20 epochs"))

    with pytest.raises(StageError, match="within the stage's 100 steps"):
        learning_rates.resolve(late, 100, 10)
    with pytest.raises(StageError, match="warmup is 200 steps"):
        learning_rates.resolve(long, 100, 10)


def one_hot(labels):
    return np.eye(10, dtype="float32")[labels]


JUDGED = [
    ("sparse_categorical_crossentropy", digits().test.targets, 10),
    ("categorical_crossentropy", one_hot(digits().test.targets), 10),
    ("binary_crossentropy", (digits().test.targets > 4).astype("int32"), 1),
    ("binary_crossentropy", (digits().test.targets > 4).astype("int32")[:, np.newaxis], 1),
]


@pytest.mark.parametrize(("loss", "targets", "outputs"), JUDGED)
def test_measure_equals_keras_evaluate(loss, targets, outputs):
    activation = "softmax" if outputs > 1 else "sigmoid"
    model = tf_keras.Sequential([tf_keras.layers.Flatten(), tf_keras.layers.Dense(outputs, activation=activation)])
    inputs = digits().test.inputs
    predictions = model.predict(inputs, verbose=0)
    model.compile(loss=loss, metrics=["accuracy"])
    expected = dict(zip(("loss", "accuracy"), model.evaluate(inputs, targets, verbose=0), strict=True))

    found = compiling.measure(predictions, targets, Compile(loss=Loss(name=loss)))

    assert found == pytest.approx(expected, rel=1e-4)


def test_measure_of_a_regression():
    compile = Compile(loss=Loss(name="mse"), metrics=(Metric(name="mae"), Metric(name="r2_score")))
    targets = np.array([[0.0], [1.0], [2.0]], "float32")

    found = compiling.measure(targets + 1, targets, compile)

    assert found == pytest.approx({"loss": 1.0, "mae": 1.0, "r2_score": -0.5})


def test_measure_refuses_what_does_not_fit():
    with pytest.raises(StageError, match="got 3 predictions for 2 targets"):
        compiling.measure(np.zeros((3, 10), "float32"), np.zeros(2, "int32"), Compile())
    with pytest.raises(StageError, match=r"targets of shape \(4, 7\) cannot be judged against outputs"):
        compiling.measure(
            np.zeros((4, 10), "float32"),
            np.zeros((4, 7), "float32"),
            Compile(loss=Loss(name="categorical_crossentropy")),
        )


def test_soft_labels_change_loss_and_metrics_alike():
    compile = Compile(metrics=(Metric(name="accuracy"), Metric(name="sparse_top_k_categorical_accuracy", k=2)))

    soft = compiling.with_soft_labels(compile)
    predictions = small_model().predict(digits().test.inputs, verbose=0)

    hard_values = compiling.measure(predictions, digits().test.targets, compile)
    soft_values = compiling.measure(predictions, one_hot(digits().test.targets), soft)
    assert list(soft_values.values()) == pytest.approx(list(hard_values.values()), rel=1e-5)
