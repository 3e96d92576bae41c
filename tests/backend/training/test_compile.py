from __future__ import annotations

import inspect

import numpy as np
import pytest
import tf_keras

from tests.support.digits import digits
from tests.support.models import small_model
from tfopt.backend.training import compile as compiling
from tfopt.backend.training import learning_rates, losses
from tfopt.backend.training.measure import measure
from tfopt.core.config.training.compile import Compile, Metric, Optimizer
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


def test_soft_labels_change_loss_and_metrics_alike():
    compile = Compile(metrics=(Metric(name="accuracy"), Metric(name="sparse_top_k_categorical_accuracy", k=2)))

    soft = compiling.with_soft_labels(compile)
    predictions = small_model().predict(digits().test.inputs, verbose=0)

    hard_values = measure(predictions, digits().test.targets, compile)
    soft_values = measure(predictions, one_hot(digits().test.targets), soft)
    assert list(soft_values.values()) == pytest.approx(list(hard_values.values()), rel=1e-5)
