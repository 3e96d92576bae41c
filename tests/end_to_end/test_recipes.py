"""The recipes that come with tfopt, on real data: CI has the first images of each data set, the slow tests have all."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import tfopt
from tests.support.root import REPOSITORY
from tfopt.core.records.run import Run

pytestmark = pytest.mark.tf

RECIPES = REPOSITORY / "recipes"
SHORT: dict[str, dict[str, Any]] = {
    "fashion_mnist": {"stages.train.epochs": 2, "stages.prune.epochs": 1},
    "fashion_pcqat": {"stages.train.epochs": 2, "stages.prune.epochs": 1, "stages.cluster.epochs": 1},
    "mnist_pcqat": {"stages.cluster.epochs": 1},
    "fashion_ensemble": {"stages.train.epochs": 2, "stages.ensemble.seeds": 2},
    "compare_schedules": {"stages.train.epochs": 2, "stages.prune.epochs": 1},
}
"""What is trained before it is alike in several of them, and comes from the store.

CI plans them: it has their stages and files with the guide, with an ensemble that teaches, and with digits
(`test_clustering_chains.py`, `test_ensemble_recipe.py`).
"""
SMALL_BATCHES = {"stages.prune.batch_size": 32, "budgets": {}}
"""The guides' schedule has a mask update every 100 steps: few images make that many in small batches only."""
OF_THEIR_OWN = {
    "clinc150_ensemble",
    "clinc150_minilm",
    "clinc150_minilm_distil",
    "clinc150_transformer_prune_qat",
    "shakespeare_gpt",
    "shakespeare_lstm",
    "series_autoencoder_int8",
    "spoken_digits_ds_cnn_qat",
    "cifar10_resnet8_distill_prune_qat",
    "cifar10_resnet8_shrink_qat",
    "digits_sparse_blocks",
    "scenes_unet_prune_qat",
    "scenes_ssd_prune_qat",
    "mnist_two_outputs",
    "fashion_ensemble_to_student",
    "distill_digits",
}
IN_FULL = {"digits_prune_qat", "mnist_guide"}


@pytest.fixture(scope="module")
def keras_home(shared_data: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Keras cache with MNIST and Fashion-MNIST in it; never the user's own."""
    home = tmp_path_factory.mktemp("keras")
    (home / "datasets" / "fashion-mnist").mkdir(parents=True)
    shutil.copy(shared_data("mnist") / "mnist.npz", home / "datasets")
    for file in shared_data("fashion-mnist").glob("*.gz"):
        shutil.copy(file, home / "datasets" / "fashion-mnist")
    return home


@pytest.fixture(scope="module", params=["few", pytest.param("all", marks=pytest.mark.slow)])
def images(request: pytest.FixtureRequest, keras_home: Path) -> Iterator[str]:
    """How many images of MNIST and Fashion-MNIST are read: `few` are the first 4,000 and 1,000."""
    from tf_keras import datasets

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_HOME", str(keras_home))
        if request.param == "few":
            for source in (datasets.mnist, datasets.fashion_mnist):
                patch.setattr(source, "load_data", first_of(source.load_data))
        yield request.param


def first_of(load_data: Callable[..., Any]) -> Callable[..., Any]:
    def few(**keys: Any) -> Any:
        train, test = load_data(**keys)
        return tuple(array[:4000] for array in train), tuple(array[:1000] for array in test)

    return few


@pytest.fixture(scope="module")
def out(images: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One store for all recipes."""
    return tmp_path_factory.mktemp(f"recipes_{images}")


@pytest.fixture(scope="module")
def guide(images: str, out: Path) -> tuple[Run, Run]:
    """The guide's recipe as it is, and its dense model alone."""
    from tfopt.catalog.catalog import catalog
    from tfopt.core.recipe.recipe import build_recipe

    recipe = tfopt.load(RECIPES / "mnist_guide.yaml")
    if images == "few":
        recipe = recipe.with_overrides(SMALL_BATCHES)
    run = tfopt.run(recipe, out=out)
    document = {**recipe.to_document(), "budgets": {}}
    document["stages"] = document["stages"][:1]
    document["export"] = {"tflite": {"float32": {}}}
    dense = tfopt.run(build_recipe(document, catalog()), out=out)
    assert [stage.cached for stage in dense.report.stages] == [True]
    return run, dense


@pytest.mark.parametrize("name", SHORT)
def test_the_recipe_is_planned_without_a_problem(name: str, images: str, out: Path) -> None:
    changes = {**SHORT[name], **(SMALL_BATCHES if name.startswith("mnist") else {})}
    plan = tfopt.plan(tfopt.load(RECIPES / f"{name}.yaml").with_overrides(changes), out=out, trial=False)
    assert len(plan.stages) == len(plan.recipe.stages)


def test_the_student_of_the_demo_is_planned(first_out: Path) -> None:
    plan = tfopt.plan(RECIPES / "distill_digits.yaml", out=first_out, trial=False)
    assert len(plan.stages) == len(plan.recipe.stages)


def test_every_recipe_is_run_by_a_test() -> None:
    assert {path.stem for path in RECIPES.glob("*.yaml")} == SHORT.keys() | IN_FULL | OF_THEIR_OWN


def test_the_guides_accuracy_is_reached_at_80_percent_sparsity(guide: tuple[Run, Run], images: str) -> None:
    """The guide's own figure is 97.3 %; the floors leave room for other processors."""
    run, _ = guide
    assert run.report.stages[0].parameters == 20_410
    assert all(layer.sparsity >= 0.795 for layer in run.report.stages[1].layers)
    for name in ("float32", "int8"):
        assert run.export(name).measures["accuracy"] >= (0.955 if images == "all" else 0.8)
    assert [(e.name, c.found) for e in run.report.exports for c in e.claims if not c.held] == []


def test_the_guides_sizes_are_reached(guide: tuple[Run, Run]) -> None:
    """A third of the dense file when gzipped, and a tenth with 8-bit weights."""
    run, dense = guide
    whole = dense.export("float32").gzip_bytes
    assert run.export("float32").gzip_bytes <= whole / 3
    assert run.export("dynamic").gzip_bytes <= whole / 9.5
    assert run.export("int8").gzip_bytes <= whole / 9.5


@pytest.mark.slow
@pytest.mark.parametrize("name", SHORT)
def test_the_recipe_works_at_reduced_size(name: str, images: str, out: Path) -> None:
    changes = {**SHORT[name], "budgets": {}}
    if images == "few" and name.startswith("mnist"):
        changes |= SMALL_BATCHES
    run = tfopt.run(tfopt.load(RECIPES / f"{name}.yaml").with_overrides(changes), out=out)
    assert [(e.name, c.found) for e in run.report.exports for c in e.claims if not c.held] == []
    assert run.report.exports[-1].measures["accuracy"] >= (0.65 if images == "all" else 0.25)


@pytest.mark.slow  # in CI: test_chains.py has stages that are taught, and an ensemble teaches below
@pytest.mark.parametrize(
    ("sheets", "epochs", "agreement", "accuracy"),
    [((0,), 2, "60%", None), (range(8), 4, "90%", 0.15)],
    ids=["few", "all"],
)
def test_an_ensemble_teaches_a_resnet_which_is_pruned_and_quantized(
    sheets: tuple[int, ...],
    epochs: int,
    agreement: str,
    accuracy: float | None,
    shared_data: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    """At a quarter of the width and few epochs; after a thousand images the model is hardly better than chance."""
    (tmp_path / "sheets").mkdir()
    for name in ("labels.js", *(f"batch_{number}.png" for number in (*sheets, 50))):
        (tmp_path / "sheets" / f"cifar10_{name}").symlink_to(shared_data("cifar10-png") / f"cifar10_{name}")
    overrides = {
        "data.args.folder": str(tmp_path / "sheets"),
        "model.args.filters": 4,
        **{f"stages.{name}.epochs": epochs for name in ("train", "distill", "prune")},
        "export.tflite.int8.agreement": agreement,
        "budgets": {},
    }
    recipe = tfopt.load(RECIPES / "cifar10_resnet8_distill_prune_qat.yaml").with_overrides(overrides)
    run = tfopt.run(recipe, out=tmp_path)
    assert [(e.name, c.found) for e in run.report.exports for c in e.claims if not c.held] == []
    if accuracy is not None:
        assert run.report.exports[-1].measures["accuracy"] >= accuracy
    taught = [stage.details["teacher"]["sources"] for stage in run.report.stages[1:]]
    assert taught == [["stage train", "seed 2"], ["stage distill"], ["stage distill"]]


@pytest.mark.slow
def test_a_resnet_is_shrunk_and_quantized_at_reduced_size(shared_data: Callable[[str], Path], tmp_path: Path) -> None:
    """tests/backend/stages/test_shrink.py proves the stage on less."""
    (tmp_path / "sheets").mkdir()
    for name in ("labels.js", "batch_0.png", "batch_50.png"):
        (tmp_path / "sheets" / f"cifar10_{name}").symlink_to(shared_data("cifar10-png") / f"cifar10_{name}")
    overrides = {
        "data.args.folder": str(tmp_path / "sheets"),
        "stages.train.epochs": 2,
        "stages.shrink.epochs": 1,
        "export.tflite.int8.agreement": "60%",
    }
    run = tfopt.run(tfopt.load(RECIPES / "cifar10_resnet8_shrink_qat.yaml").with_overrides(overrides), out=tmp_path)
    assert [(e.name, c.found) for e in run.report.exports for c in e.claims if not c.held] == []
    details = run.report.stages[1].details["shrink"]
    assert details["macs_after"] <= 0.5 * details["macs_before"]


def test_a_student_learns_from_an_ensemble_at_reduced_size(images: str, tmp_path: Path) -> None:
    ensemble = tmp_path / "ensemble.yaml"
    ensemble.write_text(
        f"extends: {RECIPES / 'fashion_ensemble.yaml'}\nmodel: {{source: mlp, args: {{units: [32]}}}}\n"
        "stages: {train: {epochs: 2}, ensemble: {seeds: 2}}\n"
    )
    changes = {"stages.distill.epochs": 2, "stages.distill.teacher.recipe": str(ensemble)}
    recipe = tfopt.load(RECIPES / "fashion_ensemble_to_student.yaml").with_overrides(changes)
    run = tfopt.run(recipe, out=tmp_path)
    assert run.ok, [(e.name, c.found) for e in run.report.exports for c in e.claims if not c.held]
    assert run.report.stages[0].measures["accuracy"] >= (0.7 if images == "all" else 0.25)
    # Nothing of the teachers is in it.
    assert run.report.stages[0].parameters == 52_138


@pytest.mark.slow
def test_anomalies_are_found_by_an_int8_file(shared_data: Callable[[str], Path], tmp_path: Path) -> None:
    overrides = {"data.args.folder": str(shared_data("nab")), "data.args.stride": 24, "stages.train.epochs": 4}
    recipe = tfopt.load(RECIPES / "series_autoencoder_int8.yaml").with_overrides(
        {**overrides, "model.args.filters": [8, 8], "stages.qat.epochs": 1}
    )
    run = tfopt.run(recipe, out=tmp_path)
    assert run.report.stages[0].measures["anomaly_auc"] > 0.8
    assert run.export("int8").measures["anomaly_auc"] > 0.8
    assert [budget.met for budget in run.report.budgets] == [True, True]


@pytest.mark.slow
def test_digits_of_an_unheard_voice_are_recognized(
    shared_data: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPOKEN_DIGITS", str(shared_data("fsdd")))
    run = tfopt.run(tfopt.load(RECIPES / "spoken_digits_ds_cnn_qat.yaml"), out=tmp_path)
    assert run.ok, [(e.name, c.found) for e in run.report.exports for c in e.claims if not c.held]
    assert run.export("int8").measures["accuracy"] >= 0.5


@pytest.mark.slow
def test_language_models_write_text_alone_and_with_a_draft(
    shared_data: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The beginning of the text is enough to see that files generate; the figures of the recipes need all of it."""
    text = (shared_data("tinyshakespeare") / "input.txt").read_text(encoding="utf-8")
    (tmp_path / "input.txt").write_text(text[:60_000], encoding="utf-8")
    monkeypatch.setenv("TINY_SHAKESPEARE", str(tmp_path))
    short = {"stages.train.epochs": 1, "budgets": {}}
    gpt = tfopt.load(RECIPES / "shakespeare_gpt.yaml").with_overrides({**short, "stages.prune.epochs": 1})
    large = tfopt.run(gpt, out=tmp_path / "out")
    small = tfopt.run(tfopt.load(RECIPES / "shakespeare_lstm.yaml").with_overrides(short), out=tmp_path / "out")
    assert [
        claim.found for run in (large, small) for file in run.report.exports for claim in file.claims if not claim.held
    ] == []
    variants = {"float32", "int8", "int4", "int4_blocks"}
    texts = {name: tfopt.generate(large.folder, "ROMEO:", variant=name, max_tokens=40).text for name in variants}
    assert all(texts.values())
    drafted = tfopt.generate(large.folder, "ROMEO:", variant="float32", max_tokens=40, draft=small.folder)
    assert drafted.text == texts["float32"]
    assert drafted.speculation is not None
    assert tfopt.generate(small.folder, "ROMEO:", max_tokens=300).finish == "max_tokens"


@pytest.mark.slow
def test_two_outputs_of_one_network(images: str, tmp_path: Path) -> None:
    changes = {} if images == "all" else {"budgets": {}, "stages.train.epochs": 12, "stages.prune.epochs": 6}
    run = tfopt.run(tfopt.load(RECIPES / "mnist_two_outputs.yaml").with_overrides(changes), out=tmp_path)
    assert [(e.name, c.found) for e in run.report.exports for c in e.claims if not c.held] == []
    assert run.export("int8").measures["digit_accuracy"] >= (0.95 if images == "all" else 0.5)
    assert all(budget.met for budget in run.report.budgets)
