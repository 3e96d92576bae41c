"""Students that learn from teachers: digits, tiny models."""

from __future__ import annotations

import zipfile
from dataclasses import replace

import numpy as np
import pytest
import tf_keras

from tests.support.contexts import Log
from tests.support.converting import converter_of
from tests.support.digits import digits
from tests.support.distillation import distill, distiller, stored
from tests.support.models import same_weights, small_model, wide_model
from tfopt.backend import distillation
from tfopt.backend.artifacts import external_models, stage_artifacts
from tfopt.backend.data.splits import Data, Split
from tfopt.backend.distillation import cache
from tfopt.backend.stages import fit as training
from tfopt.backend.training.resume import checkpoint
from tfopt.core.config.model_source import KnownModel
from tfopt.core.config.training.compile import Compile
from tfopt.core.contracts.preflight import Workload
from tfopt.errors import StageError
from tfopt.stages.train import Train

layers = tf_keras.layers

pytestmark = pytest.mark.tf
slow = pytest.mark.slow


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    """A store entry with a good teacher."""
    folder = tmp_path_factory.mktemp("teacher")
    model = wide_model()
    training.train(model, Train(epochs=12, learning_rate=3e-3), distiller(folder, distill({"ema": {}}).teacher, {}))
    return stored(model, folder / "entry")


def train(folder, stage, places, log=None, model=None, **more):
    """The student after a stage, and what it told."""
    log = log or Log()
    student = model if model is not None else small_model(seed=5)
    return log.reported(training.train(student, stage, distiller(folder, stage.teacher, places, log, **more))), log


def without_seconds(entries):
    return [{key: value for key, value in entry.items() if key != "seconds"} for entry in entries]


PARTS = {
    "soft_labels": ({"loss": "soft_labels", "temperature": 3}, ["soft_loss"]),
    "logits and hint": (
        {"loss": "logits", "weight": 0.1, "layers": [{"student": "hidden", "teacher": "wide"}]},
        ["soft_loss", "hint_loss"],
    ),
    "decoupled, maps and relations": (
        {
            "loss": {"kind": "decoupled", "others": 2},
            "layers": [
                {"student": "relu", "teacher": "second", "loss": "attention_transfer", "weight": 10},
                {"student": "hidden", "teacher": "wide", "loss": {"kind": "relational", "angle": 10}},
            ],
        },
        ["soft_loss", "attention_transfer_loss", "relational_loss"],
    ),
}


# In CI, soft labels and hints fall in the test of attention maps, and losses have tests of their values.
@pytest.mark.parametrize("name", [name if "decoupled" in name else pytest.param(name, marks=slow) for name in PARTS])
def test_every_loss_falls_and_the_student_learns(name, teacher, tmp_path):
    body, parts = PARTS[name]

    _, log = train(tmp_path, distill({"stage": "train", **body}, epochs=6), {"stage train": teacher})

    first, last = log.of("epoch")[0], log.of("epoch")[-1]
    for part in [*parts, "hard_loss", "loss"]:
        assert last[part] < first[part], part
    assert last["val_accuracy"] > 0.5
    assert set(parts) <= set(log.of("progress")[-1]["metrics"])
    assert log.of("details")[0]["teacher"]["measures"]["accuracy"] > 0.8


def test_a_teacher_alone_is_enough(teacher, tmp_path):
    """Labels of training are wrong, and have no weight: what the student knows it has from the teacher."""
    data = digits()
    wrong = np.random.default_rng(0).integers(0, 10, len(data.train)).astype("int32")
    data = replace(data, train=Split(data.train.inputs, wrong))

    _, log = train(tmp_path, distill({"stage": "train", "weight": 1}, epochs=8), {"stage train": teacher}, data=data)

    assert log.of("epoch")[-1]["accuracy"] < 0.25
    assert log.of("epoch")[-1]["val_accuracy"] > 0.65


def test_teachers_stay_as_they_are_and_leave_nothing_behind(teacher, tmp_path, monkeypatch):
    loaded = []
    load = external_models.load_external_model

    def remember(location):
        loaded.append(load(location))
        return loaded[-1]

    monkeypatch.setattr(external_models, "load_external_model", remember)
    before = stage_artifacts.load(teacher).get_weights()
    pairs = [{"student": "hidden", "teacher": "wide"}, {"student": "relu", "teacher": "second"}]

    student, _ = train(tmp_path, distill({"stage": "train", "layers": pairs}), {"stage train": teacher})

    assert all(np.array_equal(a, b) for a, b in zip(loaded[0].get_weights(), before, strict=True))
    fresh = small_model()
    assert [layer.name for layer in student.layers[1:]] == [layer.name for layer in fresh.layers[1:]]
    assert [v.shape for v in student.variables] == [v.shape for v in fresh.variables]
    assert not any("projection" in module.name for module in student.submodules)
    plain = training.train(
        small_model(), Train(epochs=1), distiller(tmp_path / "plain", distill({"ema": {}}).teacher, {})
    ).model
    sizes = [
        content(stored(model, tmp_path / f"entry {n}") / "model.keras") for n, model in enumerate((student, plain))
    ]
    assert sizes[0] == sizes[1], "optimizer state included, the files hold the same arrays"


def content(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.getinfo(name).file_size for name in archive.namelist() if name.endswith(".h5")}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"ema": {"decay": 0.9}, "weight": {"initial": 0, "final": 0.8, "end": "50%"}}, marks=slow),
        {
            "stage": "train",
            "layers": [{"student": "hidden", "teacher": "wide"}],
            "temperature": {"initial": 8, "final": 2},
            "cache": True,
        },
    ],
    ids=["ema", "projected"],
)
def test_a_lesson_that_was_interrupted_ends_with_the_same_weights(body, teacher, tmp_path):
    stage = distill(body, learning_rate={"kind": "plateau", "initial": 3e-3, "patience": 1, "monitor": "loss"})
    places = {"stage train": teacher}

    def interrupt(event):
        if event["event"] == "epoch" and event["epoch"] == 2:
            raise KeyboardInterrupt

    whole, whole_log = train(tmp_path / "whole", stage, places, model=small_model(dropout=0.2))
    stopped_log = Log(react=interrupt)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "stopped", stage, places, stopped_log, model=small_model(dropout=0.2))

    kept = [float(checkpoint.load(file)["seconds"]) for file in (tmp_path / "stopped").rglob(cache.FILE)]
    model, log = train(tmp_path / "stopped", stage, places, model=small_model(dropout=0.2))

    assert same_weights(model, whole)
    if "cache" in body:
        assert [log.of("details")[0]["teacher"]["seconds_of_one_pass"]] == kept
        assert kept[0] > 0
    assert without_seconds(log.of("epoch")) == without_seconds(whole_log.of("epoch"))
    assert log.of("warning") == []


def test_a_cached_teacher_is_asked_once_and_teaches_the_same(teacher, tmp_path):
    places = {"stage train": teacher}
    _, live = train(tmp_path / "live", distill({"stage": "train", "weight": 0.3}), places)
    _, cached = train(tmp_path / "cached", distill({"stage": "train", "weight": 0.3, "cache": True}), places)

    told = cached.of("details")[0]["teacher"]
    assert (live.of("details")[0]["teacher"]["asked"], told["asked"]) == ("in every step", "once")
    assert told["passes_saved"] == 2
    for one, other in zip(live.of("epoch"), cached.of("epoch"), strict=True):
        assert one["loss"] == pytest.approx(0.7 * one["hard_loss"] + 0.3 * one["soft_loss"], rel=1e-4), "the shares"
        assert one["soft_loss"] == pytest.approx(other["soft_loss"], rel=1e-3)
    (tmp_path / "cached" / "work" / cache.FILE).write_bytes(b"cut off")
    stage = distill({"stage": "train", "cache": True}, class_weights="balanced")
    _, again = train(tmp_path / "cached", stage, places)
    assert "the teacher's outputs are computed again" in again.of("warning")[0]["message"]
    assert again.of("epoch")[-1]["val_accuracy"] > 0.4, "class weights and a cache go together"


def test_the_average_of_the_student_teaches(tmp_path):
    student, log = train(tmp_path, distill({"ema": {"decay": 0.9}}, epochs=6), {})
    assert log.of("epoch")[-1]["soft_loss"] > 0
    assert log.of("epoch")[-1]["val_accuracy"] > 0.4


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
@pytest.mark.parametrize(
    "kind", [*(pytest.param(kind, marks=slow) for kind in ("keras", "h5", "SavedModel")), "tflite"]
)
def test_a_file_can_teach(kind, teacher, tmp_path):
    model = stage_artifacts.load(teacher)
    path = tmp_path / f"teacher.{kind}"
    if kind == "tflite":
        path.write_bytes(tf_lite(model))
    else:
        model.save(path, save_format="tf" if kind == "SavedModel" else None)
    file = str(path)

    _, log = train(tmp_path, distill({"file": file, "weight": 0.9}, epochs=6), {f"file {file}": path})

    told = log.of("details")[0]["teacher"]
    assert told["measures"]["accuracy"] > 0.8
    assert told["asked"] == ("once" if kind == "tflite" else "in every step")
    assert log.of("epoch")[-1]["val_accuracy"] > 0.5


def tf_lite(model):
    return converter_of(model).convert()


def test_members_are_averaged(teacher, tmp_path):
    """A teacher that knows nothing, and gives logits, beside a good one."""
    poor = stored(wide_model(softmax=False), tmp_path / "poor")
    places = {"stage train": teacher, "seed 3": poor}

    members = [{"stage": "train", "weight": 0.9}, {"seed": 3, "weight": 0.1}]
    _, log = train(tmp_path / "student", distill({"members": members}, epochs=1), places, data=digits(256))
    told = log.of("details")[0]["teacher"]["measures"]

    test = digits().test
    good, logits = (np.asarray(stage_artifacts.load(place)(test.inputs)) for place in places.values())
    exponentials = np.exp(logits)
    mean = 0.9 * good + 0.1 * exponentials / exponentials.sum(-1, keepdims=True)
    assert told["loss"] == pytest.approx(-np.log(mean[np.arange(len(mean)), test.targets]).mean(), rel=1e-4)
    assert told["accuracy"] > 0.8


def test_quantities(tmp_path):
    """A line through pixels: the outputs are compared as they are."""
    data = digits()
    splits = [
        Split(s.inputs, s.inputs.mean(axis=(1, 2)).astype("float32")) for s in (data.train, data.validation, data.test)
    ]
    numbers = Data(*splits, source="means")
    model = tf_keras.Sequential(
        [layers.Input((8, 8, 1)), layers.Flatten(), layers.Dense(1, kernel_initializer="zeros")]
    )
    exact = tf_keras.models.clone_model(model)
    exact.set_weights([np.full((64, 1), 1 / 64), np.zeros(1)])
    places = {"stage train": stored(exact, tmp_path / "entry")}
    compile = Compile.model_validate({"loss": "mse", "metrics": ["mae"]})

    _, log = train(
        tmp_path, distill({"stage": "train", "weight": 1}), places, model=model, data=numbers, compile=compile
    )

    assert log.of("details")[0]["teacher"]["measures"]["mae"] < 1e-5
    assert log.of("epoch")[-1]["soft_loss"] == pytest.approx(log.of("epoch")[-1]["hard_loss"], abs=1e-6)


def test_yes_or_no(tmp_path):
    data = digits()
    splits = [Split(s.inputs, (s.targets < 5).astype("int32")) for s in (data.train, data.validation, data.test)]
    halves = Data(*splits, source="halves", num_classes=2)
    compile = Compile.model_validate({"loss": "binary_crossentropy"})

    def model(width, activation):
        return tf_keras.Sequential(
            [layers.Input((8, 8, 1)), layers.Flatten(), layers.Dense(width, "relu"), layers.Dense(1, activation)]
        )

    good = model(64, "sigmoid")
    more = {"data": halves, "compile": compile}
    training.train(good, Train(epochs=25), distiller(tmp_path / "good", distill({"ema": {}}).teacher, {}, **more))
    places = {"stage train": stored(good, tmp_path / "entry")}

    _, log = train(
        tmp_path, distill({"stage": "train", "weight": 1}, epochs=8), places, model=model(32, "sigmoid"), **more
    )

    assert log.of("details")[0]["teacher"]["measures"]["accuracy"] > 0.8
    assert log.of("epoch")[-1]["val_accuracy"] > 0.65


def look(body, student=None, teacher=None, **more):
    """Problems and warnings of a teacher, known before training."""
    stage = distill({"stage": "train", **body})
    known = {"stage train": KnownModel(teacher or wide_model())}
    found = distillation.teacher_preflight(
        student or small_model(), stage.teacher, Workload(60, 20, 1200, sources=known)
    )
    return [mistake.message for mistake in found.problems]


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ({"student": "hiden", "teacher": "wide"}, "'hiden' is no layer of the model"),
        ({"student": "hidden"}, "'hidden' is no layer of the model .* Its layers: .*wide"),
        ({"student": "conv1", "teacher": "second"}, "hint needs the same sizes but for the last"),
        ({"student": "hidden", "teacher": "wide", "loss": "attention_transfer"}, "maps of the same height and width"),
        ({"student": "hidden", "teacher": "wide", "loss": "hidden_states"}, "needs .time, width."),
        ({"student": "conv2", "teacher": "second", "loss": "attention_maps"}, "needs .heads, time, time."),
    ],
)
def test_pairs_that_cannot_be_compared_are_told_in_the_plan(pair, message):
    import re

    (found,) = look({"layers": [pair]})
    assert re.search(message, found)


def test_pairs_that_can_be_compared_are_not():
    assert look({"layers": [{"student": "hidden", "teacher": "wide"}]}) == []
    assert look({"layers": [{"student": "hidden", "teacher": "wide", "loss": "relational"}]}) == []


def test_a_schedule_that_does_not_fit_is_told_in_the_plan():
    (found,) = look({"temperature": {"initial": 4, "final": 1, "end": "61 steps"}})
    assert "to step 61" in found


def test_a_layer_in_a_nested_model_is_told():
    inner = wide_model()
    inputs = layers.Input((8, 8, 1))
    (found,) = look(
        {"layers": [{"student": "hidden", "teacher": "wide"}]}, teacher=tf_keras.Model(inputs, inner(inputs))
    )
    assert f"is inside the nested model {inner.name!r}" in found


def test_a_missing_layer_is_an_error_also_without_a_plan(teacher, tmp_path):
    stage = distill({"stage": "train", "layers": [{"student": "hidden"}]})
    with pytest.raises(StageError, match=r"a layer of the teacher .* is no layer of the model"):
        train(tmp_path, stage, {"stage train": teacher})
