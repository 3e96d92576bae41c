"""S8: a schedule that begins or ends after the training does, or updates more rarely than there are steps."""

from __future__ import annotations

import pytest

from tests.silent_failures import naive_pruning as naive
from tests.support.contexts import Log, context
from tests.support.digits import digits
from tests.support.models import small_model
from tfopt.backend.stages import prune as pruning
from tfopt.errors import RecipeError
from tfopt.stages.prune import Prune

pytestmark = pytest.mark.tf

STEPS = 20
"""Two epochs of ten steps."""

NAIVE = [
    ("begins after the end", {"begin_step": 100, "end_step": 200, "frequency": 1}, 0.0),
    ("default frequency of 100", {"begin_step": 0, "end_step": STEPS}, 0.0),
    ("ends after the end", {"begin_step": 0, "end_step": 50 * STEPS, "frequency": 1}, 0.2),
]


@pytest.mark.slow
@pytest.mark.parametrize(("what", "steps", "most"), NAIVE)
def test_naively_nothing_is_pruned_and_nothing_is_said(what, steps, most):
    schedule = naive.sparsity.PolynomialDecay(0.0, 0.8, **steps)

    model = naive.fit(naive.wrap(small_model(), schedule), epochs=2)

    assert naive.zeros(naive.named(model, "hidden")) <= most


REFUSED = [
    ({"begin": "100 steps", "end": "200 steps"}, "the stage has only 20 steps: pruning would never begin"),
    ({"begin": "0%", "end": "1000 steps"}, "the stage has only 20 steps: 80% would never be reached"),
    ({"begin": "0%", "end": "100%", "every": "100 steps"}, "the masks would never be updated"),
]


@pytest.mark.parametrize(("steps", "message"), REFUSED)
def test_here_it_is_refused_before_training(steps, message, tmp_path):
    stage = Prune.model_validate({"epochs": 2, "schedule": {"kind": "polynomial", "final": 0.8, **steps}})
    log = Log()

    with pytest.raises(RecipeError, match=message):
        pruning.prune(small_model(), stage, stage, context(tmp_path, log, data=digits(640)))

    assert log.of("progress") == []


@pytest.mark.parametrize(
    "every", [pytest.param(None, marks=pytest.mark.slow), "7 steps", pytest.param("20 steps", marks=pytest.mark.slow)]
)
def test_here_whatever_is_accepted_reaches_its_end(every, tmp_path):
    schedule = {"kind": "polynomial", "final": 0.8, "begin": "0%", "end": "100%", "every": every}
    stage = Prune.model_validate({"epochs": 2, "schedule": schedule})

    model = pruning.prune(small_model(), stage, stage, context(tmp_path, data=digits(640))).model

    assert naive.zeros(model.get_layer("hidden")) == pytest.approx(0.8, abs=0.005)
