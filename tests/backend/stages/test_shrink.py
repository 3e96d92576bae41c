"""The shrink stage: smaller tensors within the budget, a network that still works, and errors before training."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import tf_keras
from tf_keras import layers

from tests.support.contexts import Log, context
from tests.support.digits import digits
from tfopt.backend.pruning.criterion import make_criterion
from tfopt.backend.shrinking.allocate import kept_units
from tfopt.backend.shrinking.choices import choices_of
from tfopt.backend.shrinking.costs import NetworkCosts
from tfopt.backend.shrinking.decide import Ranking, widths_within
from tfopt.backend.shrinking.graph import cost, groups_of, masked, remove
from tfopt.backend.shrinking.networks import Pricing, at_share, first_units
from tfopt.backend.shrinking.reconstruction import put_back, reconstruct
from tfopt.backend.shrinking.scores import unit_scores
from tfopt.backend.stages import fit
from tfopt.backend.training.evaluate import evaluate
from tfopt.core.contracts.preflight import Workload
from tfopt.stages.shrink import Shrink
from tfopt.stages.train import Train

pytestmark = pytest.mark.tf

DATA = digits(512)
WORKLOAD = Workload(16, 8, 512, validation=len(DATA.validation))


def residual_net() -> tf_keras.Model:
    inputs = tf_keras.Input((8, 8, 1))
    x = layers.Conv2D(12, 3, padding="same", strides=2, use_bias=False, name="stem")(inputs)
    x = layers.ReLU(name="stem_relu")(layers.BatchNormalization(name="stem_bn")(x))
    y = layers.Conv2D(16, 3, padding="same", activation="relu", name="inner")(x)
    y = layers.Conv2D(12, 3, padding="same", name="outer")(y)
    x = layers.Add(name="add")([x, y])
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return tf_keras.Model(inputs, layers.Dense(10, activation="softmax", name="logits")(x))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    tf_keras.utils.set_random_seed(0)
    model = residual_net()
    stage = Train.model_validate({"name": "train", "epochs": 6, "learning_rate": 0.01})
    fit.train(model, stage, context(tmp_path_factory.mktemp("train"), data=DATA))
    return model


def copy_of(model):
    copy = tf_keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy


def stage(**keys):
    return Shrink.model_validate({"name": "shrink", "epochs": 1, "to": {"macs": "50%"}, "divisor": 2, **keys})


def shrunk(model, folder, log=None, **keys):
    where = dataclasses.replace(
        context(folder / "work", log or Log(), data=DATA), measurements=folder.parent / "measurements"
    )
    return stage(**keys).apply(copy_of(model), where)


def test_half_the_operations_go_and_the_network_still_works(trained, tmp_path):
    result = shrunk(trained, tmp_path / "one")
    details = result.details["shrink"]

    assert 0.35 < cost(result.model).macs / cost(trained).macs <= 0.5
    assert details["macs_after"] == cost(result.model).macs
    filters = {name: result.model.get_layer(name).filters for name in ("stem", "inner", "outer")}
    assert filters["stem"] == filters["outer"]
    assert filters["stem"] < 12 or filters["inner"] < 16
    assert all(row["units_after"] % 2 == 0 for row in details["groups"])
    assert {row["group"] for row in details["groups"]} == {"stem", "inner"}
    assert "reaches the model's output" in result.skipped["logits"]
    assert evaluate(result.model, DATA.test, context(tmp_path).compile)["accuracy"] > 0.4
    assert result.details["teacher"]["sources"] == ["the model before shrink"]


def test_reconstruction_gives_back_most_of_what_removal_costs(trained, tmp_path):
    keys = {"criterion": "random", "dense_teacher": False}
    with_it = shrunk(trained, tmp_path / "with", **keys)
    without = shrunk(trained, tmp_path / "without", **keys, reconstruct=False)

    # Of five seeds, accuracy was higher by 11 to 42 points in all, the loss was lower in four.
    found = [result.details["shrink"]["before_training"]["accuracy"] for result in (with_it, without)]
    assert found[0] > found[1] + 0.05
    assert "inner" in with_it.details["shrink"]["reconstructed"]


def test_solved_weights_go_back_into_the_network_at_full_size(trained):
    model, kept = copy_of(trained), {"stem": tuple(range(0, 12, 2)), "inner": tuple(range(4, 16))}
    groups = groups_of(model)
    narrow = remove(model, kept)
    solved = reconstruct(model, narrow, groups, kept, DATA.train, 0)
    put_back(model, narrow, groups, kept, solved)
    few = DATA.test.take(8, 0).inputs

    assert {"inner", "outer"} <= set(solved)
    assert not np.allclose(model.get_layer("outer").kernel, trained.get_layer("outer").kernel)
    np.testing.assert_allclose(masked(model, kept)(few), narrow(few), atol=1e-5)


def test_sensitivity_is_measured_once_for_all_budgets(trained, tmp_path):
    first, second = Log(), Log()
    wide = shrunk(trained, tmp_path / "a", first, allocation="sensitivity", dense_teacher=False)
    narrow = shrunk(
        trained, tmp_path / "b", second, allocation="sensitivity", dense_teacher=False, to={"parameters": "30%"}
    )

    assert first.of("measuring")
    assert not second.of("measuring")
    assert cost(narrow.model).parameters <= 0.3 * cost(trained).parameters < cost(wide.model).parameters


def test_kernels_become_two_smaller_ones_where_that_is_the_better_bargain(trained, tmp_path):
    keys = {"remove": ["channels", "width", "rank"], "allocation": "sensitivity", "divisor": 4}
    result = shrunk(trained, tmp_path / "r", dense_teacher=False, **keys)
    details, names = result.details["shrink"], [layer.name for layer in result.model.layers]
    factorized = [row["group"].split(":")[0] for row in details["groups"] if row["kind"] == "rank"]

    assert cost(result.model).macs == details["macs_after"] <= 0.5 * cost(trained).macs
    assert factorized
    assert len(factorized) == len(set(factorized))
    assert sorted(name.removesuffix("_reduce") for name in names if name.endswith("_reduce")) == sorted(factorized)
    assert evaluate(result.model, DATA.test, context(tmp_path).compile)["accuracy"] > 0.4


def test_costs_of_factorized_networks_are_those_of_the_built_ones(trained):
    keys = {"remove": ["channels", "width", "rank"], "allocation": "sensitivity"}
    choices = choices_of(trained, stage(**keys))
    costs = NetworkCosts(trained, choices.groups)
    ranks = {choice.name: choice.group.units for choice in choices.choices if choice.group.kind == "rank"}
    factorized: set[str] = set()
    for share in (0.1, 0.3, 0.6, 0.9):
        widths = costs.settled(at_share(choices.choices, share))
        factorized |= {name for name, units in ranks.items() if widths[name] < units}
        built = cost(remove(trained, first_units(choices.choices, widths)))
        assert (costs.macs(widths), costs.parameters(widths)) == pytest.approx((built.macs, built.parameters))
    assert factorized


def test_costs_do_not_depend_on_what_was_asked_before(trained):
    keys = {"remove": ["channels", "width", "rank", "block"], "allocation": "sensitivity"}
    choices = choices_of(trained, stage(**keys))
    asked, random = NetworkCosts(trained, choices.groups), np.random.default_rng(0)
    branches = [choice.name for choice in choices.choices if choice.group.branch]
    removed = 0
    for _ in range(12):
        widths = {choice.name: int(random.choice(choice.widths)) for choice in choices.choices if random.random() < 0.7}
        removed += any(widths.get(name) == 0 for name in branches)
        fresh = NetworkCosts(trained, choices.groups)
        assert (asked.macs(widths), asked.parameters(widths)) == (fresh.macs(widths), fresh.parameters(widths))
    assert 0 < removed < 12
    assert asked.macs({}) == cost(trained).macs


def test_ranks_alone_can_be_ranked_by_singular_values(trained):
    choices = choices_of(trained, stage(remove=["rank"]))
    assert {choice.group.kind for choice in choices.choices} == {"rank"}
    assert "logits:rank" in {choice.name for choice in choices.choices}
    prices = Pricing("macs", NetworkCosts(trained, choices.groups))
    scores = unit_scores(trained, choices.choices, make_criterion("l1"), DATA.train, context(Path()).compile)
    widths = widths_within(stage(remove=["rank"]), choices, Ranking(scores, scores), prices, 0.5 * cost(trained).macs)
    assert 0 < cost(remove(trained, kept_units(choices.choices, scores, widths))).macs <= 0.5 * cost(trained).macs


def test_a_schedule_removes_while_the_network_trains(trained, tmp_path, monkeypatch):
    solved = []

    def recorded(model, narrow, groups, kept, names):
        solved.append(names)
        put_back(model, narrow, groups, kept, names)

    monkeypatch.setattr("tfopt.backend.stages.shrink.put_back", recorded)
    schedule = {"kind": "iterative", "final": "50%", "rounds": 2, "begin": "10%", "end": "60%"}
    log = Log()
    keys = {"epochs": 2, "criterion": "movement", "group_lasso": 1e-4, "reconstruct": "updates"}
    result = shrunk(trained, tmp_path / "s", log, schedule=schedule, **keys)

    assert cost(result.model).macs <= 0.5 * cost(trained).macs
    gone = [event["sparsity"] for event in log.of("epoch")]
    assert gone[-1] == pytest.approx(0.5)
    assert log.of("epoch")[-1]["group_lasso"] > 0
    assert any(solved), "no removal solved the weights that read what went"


def test_what_cannot_be_met_is_said_before_training(trained):
    def problem(**keys):
        (found,) = stage(**keys).preflight(trained, WORKLOAD).problems
        return found

    small = problem(to={"macs": "1%"})
    assert (small.path, small.code) == (("to", "macs"), "budget_unreachable")
    assert "Write at least" in small.message
    assert problem(layers=[{"match": "conv9"}]).code == "unknown_layer"
    (last,) = (problem(layers=[{"match": "logits", "divisor": 4}]),)
    assert last.code == "unknown_layer"
    assert "it reaches the model's output" in last.message
    heads = problem(remove=["heads"], layers=[{"match": "inner", "divisor": 4}])
    assert "remove does not name" in heads.message
    large = problem(to={"macs": "90G"}, schedule={"kind": "iterative", "final": "50%"})
    assert (large.path, large.code) == (("schedule",), "conflicting_keys")
    assert "nothing would go" in large.message
    assert problem(divisor=64).code == "no_layer_left"
    assert problem(criterion="movement").code == "conflicting_keys"
    assert problem(criterion="magnitud").code == "unknown_name"
    no_validation = dataclasses.replace(WORKLOAD, validation=0)
    (unvalidated,) = stage(allocation="sensitivity").preflight(trained, no_validation).problems
    assert unvalidated.code == "no_validation_data"


class Scale(layers.Layer):
    """A layer of a user's own."""

    def call(self, inputs):
        return inputs * 2.0


def test_a_layer_of_a_users_own_keeps_the_units_in_front_of_it_and_says_so():
    inputs = tf_keras.Input((8, 8, 1))
    x = layers.Conv2D(16, 3, activation="relu", name="before")(inputs)
    x = layers.Conv2D(16, 3, activation="relu", name="behind")(Scale(name="own")(x))
    model = tf_keras.Model(inputs, layers.Dense(10)(layers.GlobalAveragePooling2D()(x)))
    reason = "'own' is a custom layer (Scale) that is taken as it is"

    assert stage(to={"macs": "60%"}).preflight(model, WORKLOAD).skipped["before"] == reason
    (small,) = stage(to={"macs": "2%"}).preflight(model, WORKLOAD).problems
    assert small.code == "budget_unreachable"
    assert f"before: {reason}" in small.message
    (asked,) = stage(layers=[{"match": "before", "divisor": 4}]).preflight(model, WORKLOAD).problems
    assert asked.code == "unknown_layer"
    assert reason in asked.message


def test_a_group_that_spans_a_frozen_layer_stays_and_says_so(trained):
    model = copy_of(trained)
    model.get_layer("logits").trainable = False
    found = stage(to={"macs": "90%"}).preflight(model, WORKLOAD)
    model.get_layer("outer").trainable = False
    (problem,) = stage().preflight(model, WORKLOAD).problems

    assert any("'logits' is frozen" in reason for reason in found.skipped.values())
    assert found.problems == ()
    assert problem.code == "no_layer_left"
    assert "'outer' is frozen" in problem.message
    (asked,) = stage(layers=[{"match": "inner", "floor": "50%"}]).preflight(model, WORKLOAD).problems
    assert asked.path == ("layers", 0, "match")
    assert "is frozen" in asked.message


def test_the_plan_knows_the_smallest_the_half_and_the_full_network(trained):
    found = stage().preflight(trained, WORKLOAD)

    assert [note.split(":")[0] for note in found.notes] == ["full network", "half of the units", "smallest network"]
    assert stage().layers_after(trained, WORKLOAD).get_layer("stem").filters < 12


@pytest.mark.slow
def test_networks_are_timed_before_training_for_a_latency():
    from tfopt.backend.models.zoo.resnet8 import build

    model = build(input_shape=(32, 32, 3), num_outputs=10)
    found = stage(to={"latency": "60%"}, divisor=8).preflight(model, WORKLOAD)

    assert found.problems == ()
    assert "ms here" in found.notes[0]
