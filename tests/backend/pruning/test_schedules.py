from __future__ import annotations

import pytest
import tensorflow as tf
import tf_keras
from pydantic import TypeAdapter
from tensorflow_model_optimization.python.core.sparsity.keras.pruning_schedule import PolynomialDecay
from tensorflow_model_optimization.python.core.sparsity.keras.pruning_wrapper import PruneLowMagnitude

from tfopt.backend.pruning.schedules import ControlledSchedule, MaskUpdates, update_steps
from tfopt.core.config.schedules import ResolvedSchedule, Schedule, schedule_kinds

pytestmark = pytest.mark.tf

STEPS, STEPS_PER_EPOCH = 80, 10


def resolved(kind: str, begin: str = "5 steps") -> ResolvedSchedule:
    written = {"kind": kind, "final": "80%", "begin": begin}
    if kind == "stepwise":
        points = [(5, 0.4), (20, 0.0), (61, 0.8)]
        steps = [{"at": f"{at} steps", "sparsity": sparsity} for at, sparsity in points]
        written = {"kind": kind, "every": "4 steps", "steps": steps}
    return TypeAdapter(Schedule).validate_python(written).resolve(STEPS, STEPS_PER_EPOCH)


def table(schedule):
    """What a tfmot schedule says of every step, asked in a graph as in training."""
    ask = tf.function(schedule.__call__, input_signature=[tf.TensorSpec([], tf.int64)])
    found = [ask(tf.constant(step, tf.int64)) for step in range(1, STEPS + 1)]
    return [bool(due) for due, _ in found], [float(sparsity) for _, sparsity in found]


@pytest.mark.parametrize("kind", schedule_kinds())
def test_tfmot_does_what_is_planned_in_every_step(kind):
    plan = resolved(kind)
    due, sparsities = table(MaskUpdates.of(plan))
    assert sparsities == pytest.approx([plan.sparsity_at(step) for step in range(1, STEPS + 1)])
    assert [step for step, is_due in enumerate(due, start=1) if is_due] == update_steps(plan)


def test_a_schedule_that_begins_at_once_updates_in_the_first_step():
    due, sparsities = table(MaskUpdates.of(resolved("one_shot", begin="0%")))
    assert due == [True] + [False] * (STEPS - 1)
    assert sparsities == pytest.approx([0.8] * STEPS)


@pytest.mark.parametrize("kind", schedule_kinds())
def test_a_schedule_comes_back_from_its_config(kind):
    schedule = MaskUpdates.of(resolved(kind))
    config = schedule.get_config()
    for copy in (MaskUpdates.from_config(config), MaskUpdates.from_config(config["config"])):
        assert copy.get_config() == config
    assert table(copy) == table(schedule)


def test_tfmot_own_schedule_does_not_come_back():
    with pytest.raises(TypeError, match="unexpected keyword argument 'class_name'"):
        PolynomialDecay.from_config(PolynomialDecay(0.0, 0.8, 0, 10).get_config())


@pytest.mark.parametrize(
    "schedule", [MaskUpdates([3, 7], [0.5, 0.8]), ControlledSchedule(0.5, 3)], ids=lambda one: type(one).__name__
)
def test_tfmot_own_wrapper_comes_back_with_our_schedule(schedule):
    wrapper = PruneLowMagnitude(tf_keras.layers.Dense(4), schedule)
    copy = PruneLowMagnitude.from_config(wrapper.get_config())
    assert type(copy.pruning_schedule) is type(schedule)
    assert copy.pruning_schedule.get_config() == schedule.get_config()


def test_a_controlled_schedule_updates_when_its_controller_says():
    schedule = ControlledSchedule()
    assert not any(table(schedule)[0])
    schedule.update_masks(7, 0.6)
    due, sparsities = table(schedule)
    assert [step for step, is_due in enumerate(due, start=1) if is_due] == [7]
    assert sparsities == pytest.approx([0.6] * STEPS)
