"""Values set by path."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.recipes import document, known
from tfopt.core.recipe.overrides import apply_overrides
from tfopt.core.recipe.recipe import Head

CATALOG = known()


def changed(overrides: dict[str, Any], before: dict[str, Any] | None = None) -> dict[str, Any]:
    result = apply_overrides(before or document(), overrides, CATALOG, Head)
    assert not result.problems
    return result.document


def refused(overrides: dict[str, Any]) -> str:
    (problem,) = apply_overrides(document(), overrides, CATALOG, Head).problems
    return str(problem)


def at(document: Any, *path: Any) -> Any:
    for item in path:
        document = document[item]
    return document


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("seed", ("seed",)),
        ("data.batch_size", ("data", "batch_size")),
        ("data.args.new.deep", ("data", "args", "new", "deep")),
        ("stages.prune.epochs", ("stages", 1, "prune", "epochs")),
        ("stages.prune.schedule.final", ("stages", 1, "prune", "schedule", "final")),
        ("stages.prune.layers.0.match", ("stages", 1, "prune", "layers", 0, "match")),
        ("stages.0.train.epochs", ("stages", 0, "train", "epochs")),
        ("stages.train", ("stages", 0, "train")),
        ("export.tflite.int8.io", ("export", "tflite", "int8", "io")),
        ("export.tflite.float32.quantize", ("export", "tflite", "float32", "quantize")),
        ("export.keras", ("export", "keras")),
        ("budgets.int8.bytes", ("budgets", "int8.bytes")),
        ("compile.optimizer.learning_rate", ("compile", "optimizer", "learning_rate")),
        ("compile.loss.from_logits", ("compile", "loss", "from_logits")),
        ("compile.metrics.0.name", ("compile", "metrics", 0, "name")),
    ],
)
def test_a_path_leads_to_its_place(path: str, place: tuple[Any, ...]) -> None:
    before = document()
    assert at(changed({path: "new"}, before), *place) == "new"
    assert before == document()


def test_every_changed_place_knows_its_override() -> None:
    result = apply_overrides(document(), {"stages.prune.schedule": {"kind": "constant"}}, CATALOG, Head)
    assert result.override_of(("stages", 1, "prune", "schedule", "kind")) == "stages.prune.schedule"
    assert result.override_of(("stages", 1, "prune", "epochs")) is None


def test_repeated_stages_are_addressed_by_number() -> None:
    before = {**document(), "stages": [{"train": {"epochs": 1}}, {"train": {"epochs": 2}}]}
    assert changed({"stages.train_2.epochs": 9}, before)["stages"] == [
        {"train": {"epochs": 1}},
        {"train": {"epochs": 9}},
    ]


def test_a_name_stays_when_its_arguments_are_set() -> None:
    assert changed({"compile.loss.from_logits": True})["compile"]["loss"] == {
        "name": "sparse_categorical_crossentropy",
        "from_logits": True,
    }


def test_another_kind_drops_the_keys_that_it_does_not_have() -> None:
    schedule = at(changed({"stages.prune.schedule.kind": "constant"}), "stages", 1, "prune", "schedule")
    assert schedule == {"kind": "constant", "final": "80%", "begin": "0%", "end": "70%"}


def test_the_kind_is_set_before_its_keys() -> None:
    before = changed({"stages.prune.schedule": {"kind": "constant", "final": "50%"}})
    after = changed({"stages.prune.schedule.initial": "20%", "stages.prune.schedule.kind": "polynomial"}, before)
    assert at(after, "stages", 1, "prune", "schedule") == {"kind": "polynomial", "final": "50%", "initial": "20%"}


def test_another_source_drops_the_arguments_of_the_old_one() -> None:
    assert changed({"model.source": "mlp"})["model"] == {"source": "mlp"}
    assert changed({"model.args.units": [8], "model.source": "mlp"})["model"] == {
        "source": "mlp",
        "args": {"units": [8]},
    }
    assert changed({"model.source": "small_cnn"})["model"]["args"] == {"filters": [16, 32]}


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("stages.prun.epochs", "stages.prun.epochs cannot be set: no stage is named 'prun'. Did you mean 'prune'?"),
        (
            "stages.magic.epochs",
            "stages.magic.epochs cannot be set: no stage is named 'magic'. Stages: train, prune, qat.",
        ),
        ("stages.7.train.epochs", "stages.7.train.epochs cannot be set: the recipe has 3 stages, counted from 0."),
        ("compile.metrics.4", "compile.metrics.4 cannot be set: compile.metrics has 1 entry, counted from 0."),
        ("seed.deep", "seed.deep cannot be set: seed is 7, which has no keys. Set seed as a whole."),
        (
            "compile.optimizer.learning_rate.kind",
            "compile.optimizer.learning_rate.kind cannot be set: compile.optimizer.learning_rate is 0.001, which has "
            "no keys. Set compile.optimizer.learning_rate as a whole.",
        ),
        (
            "stages.prune.layers.logits.skip",
            "stages.prune.layers.logits.skip cannot be set: stages.prune.layers is a list; name an entry by its index, "
            "from 0. Got 'logits'.",
        ),
        ("stages..epochs", "stages..epochs cannot be set: the path has an empty part."),
    ],
)
def test_a_path_that_leads_nowhere_says_so(path: str, message: str) -> None:
    assert refused({path: 1}) == message
