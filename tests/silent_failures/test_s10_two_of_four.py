"""S10: 2:4 sparsity that is not there: after reloading, after resuming, in a layer with one input channel."""

from __future__ import annotations

import pytest
from tensorflow_model_optimization.python.core.sparsity.keras import pruning_utils

from tests.silent_failures import naive_pruning as naive
from tests.support.contexts import Log, context
from tests.support.digits import digits
from tests.support.models import same_weights, small_model
from tfopt.backend.stages import prune as pruning
from tfopt.backend.training import loop as fitting
from tfopt.backend.training import steps as loop
from tfopt.core.contracts.stage import StageContext
from tfopt.errors import RecipeError
from tfopt.stages.prune import Prune

pytestmark = pytest.mark.tf

STAGE = Prune.model_validate(
    {
        "epochs": 2,
        "schedule": {"kind": "constant", "final": "50%", "begin": "15 steps", "end": "16 steps"},
        "sparsity_m_by_n": [2, 4],
    }
)


@pytest.fixture(scope="module")
def naive_model():
    """2:4 with a schedule that asks for something else: 80 %, from step 1000 on."""
    schedule = naive.sparsity.ConstantSparsity(0.8, 1000)
    return naive.fit(naive.wrap(small_model(), schedule, sparsity_m_by_n=(2, 4)), 1)


@pytest.mark.slow
def test_naively_schedule_and_target_are_ignored(naive_model):
    assert naive.zeros(naive.named(naive_model, "hidden")) == 0.5


@pytest.mark.slow
def test_naively_one_input_channel_gives_no_zeros_and_counts_as_pruned(naive_model):
    conv1 = naive.named(naive_model, "conv1")

    assert naive.zeros(conv1) == 0.0
    assert pruning_utils.is_pruned_m_by_n(conv1.layer.kernel, (2, 4))


@pytest.mark.slow
def test_naively_the_pattern_is_lost_on_reload(naive_model):
    hidden = naive.named(naive_model, "hidden")

    reloaded = type(hidden).from_config(hidden.get_config())

    assert (hidden.sparsity_m_by_n, reloaded.sparsity_m_by_n) == ((2, 4), None)


@pytest.mark.slow
def test_naively_a_resumed_run_makes_no_mask():
    """The step is that of an earlier run, as after loading its weights: the only step that makes a mask is over."""
    wrapped = naive.wrap(small_model(), naive.sparsity.ConstantSparsity(0.5, 0), sparsity_m_by_n=(2, 4))
    for layer in wrapped.layers:
        if hasattr(layer, "pruning_step"):
            layer.pruning_step.assign(10)

    naive.fit(wrapped, 1)

    assert naive.zeros(naive.named(wrapped, "hidden")) == 0.0


def prune(run_context: StageContext):
    return pruning.prune(small_model(), STAGE, STAGE, run_context).model


def test_here_the_pattern_follows_its_schedule_and_survives_resuming(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "SIGN_OF_LIFE", 0.0)
    monkeypatch.setattr(fitting, "SECONDS_BETWEEN_SIGNS", 0.0)

    def interrupt(event):
        if event["event"] == "progress" and event["step"] == 12:
            raise KeyboardInterrupt

    log = Log()
    whole = prune(context(tmp_path / "whole", log, data=digits(640)))
    with pytest.raises(KeyboardInterrupt):
        prune(context(tmp_path / "cut", interrupt, data=digits(640)))
    resumed = prune(context(tmp_path / "cut", data=digits(640)))

    assert [event["sparsity"] for event in log.of("progress") if event["step"] in (14, 15, 20)] == [0.0, 0.5, 0.5]
    assert same_weights(whole, resumed)
    for name in ("conv2", "hidden", "logits"):
        assert pruning_utils.is_pruned_m_by_n(resumed.get_layer(name).kernel, (2, 4))
        assert naive.zeros(resumed.get_layer(name)) == pytest.approx(0.5)


def test_here_the_layer_with_one_channel_is_named(tmp_path):
    reasons = pruning.skip_reasons(small_model(), STAGE)

    assert reasons["conv1"] == "sparsity_m_by_n [2, 4] needs groups of 4 input channels, and this one has 1"


def test_here_a_target_that_the_pattern_cannot_reach_is_refused(tmp_path):
    stage = STAGE.model_copy(update={"schedule": STAGE.schedule.model_copy(update={"final": 0.8})})

    with pytest.raises(RecipeError, match=r"final 80%, but sparsity_m_by_n \[2, 4\] always makes 50% zeros"):
        pruning.prune(small_model(), stage, stage, context(tmp_path, data=digits(640)))
