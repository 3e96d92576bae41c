"""The recipes that come with tfopt, on real data; at reduced size where that is enough."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import tfopt
from tests.support.root import REPOSITORY
from tfopt.core.records.run import Run

pytestmark = pytest.mark.tf

RECIPES = REPOSITORY / "recipes"
SHORT = {
    "fashion_mnist": {"stages.train.epochs": 1, "stages.prune.epochs": 1},
    "fashion_pcqat": {"stages.train.epochs": 1, "stages.prune.epochs": 1, "stages.cluster.epochs": 1},
    "mnist_pcqat": {"stages.cluster.epochs": 1},
    "fashion_ensemble": {"stages.train.epochs": 1, "stages.ensemble.seeds": 2},
    "compare_schedules": {"stages.train.epochs": 1, "stages.prune.epochs": 1},
}
"""What is trained before it is alike in several of them, and comes from the store."""
OF_THEIR_OWN = {"cifar10_resnet8_distill_prune_qat", "fashion_ensemble_to_student", "distill_digits"}
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


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One store for all recipes."""
    return tmp_path_factory.mktemp("recipes")


@pytest.fixture(scope="module")
def guide(keras_home: Path, out: Path) -> tuple[Run, Run]:
    """The guide's recipe as it is, and its dense model alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_HOME", str(keras_home))
        recipe = tfopt.load(RECIPES / "mnist_guide.yaml")
        run = tfopt.run(recipe, out=out)
        document = {**recipe.to_document(), "budgets": {}}
        document["stages"] = document["stages"][:1]
        document["export"] = {"tflite": {"float32": {}}}
        from tfopt.catalog.catalog import catalog
        from tfopt.core.recipe.recipe import build_recipe

        dense = tfopt.run(build_recipe(document, catalog()), out=out)
    assert [stage.cached for stage in dense.report.stages] == [True]
    return run, dense


def test_every_recipe_is_run_by_a_test() -> None:
    assert {path.stem for path in RECIPES.glob("*.yaml")} == SHORT.keys() | IN_FULL | OF_THEIR_OWN


def test_the_guides_accuracy_is_reached_at_80_percent_sparsity(guide: tuple[Run, Run]) -> None:
    """The guide's own figure is 97.3 %; the floor leaves room for other processors."""
    run, _ = guide
    assert run.report.stages[0].parameters == 20_410
    assert all(layer.sparsity >= 0.795 for layer in run.report.stages[1].layers)
    for name in ("float32", "int8"):
        assert run.export(name).measures["accuracy"] >= 0.955
    assert [(e.name, c.found) for e in run.report.exports for c in e.claims if not c.held] == []


def test_the_guides_sizes_are_reached(guide: tuple[Run, Run]) -> None:
    """A third of the dense file when gzipped, and a tenth with 8-bit weights."""
    run, dense = guide
    whole = dense.export("float32").gzip_bytes
    assert run.export("float32").gzip_bytes <= whole / 3
    assert run.export("dynamic").gzip_bytes <= whole / 9.5
    assert run.export("int8").gzip_bytes <= whole / 9.5


@pytest.mark.parametrize("name", SHORT)
def test_the_recipe_works_at_reduced_size(
    name: str, keras_home: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(keras_home))
    recipe = tfopt.load(RECIPES / f"{name}.yaml").with_overrides({**SHORT[name], "budgets": {}})
    run = tfopt.run(recipe, out=out)
    assert [(e.name, c.found) for e in run.report.exports for c in e.claims if not c.held] == []
    assert run.report.exports[-1].measures["accuracy"] >= 0.65


def test_an_ensemble_teaches_a_resnet_which_is_pruned_and_quantized(
    shared_data: Callable[[str], Path], tmp_path: Path
) -> None:
    """At a quarter of the width and few epochs; chance is 10 %, and the floor leaves room for other processors."""
    overrides = {
        "data.args.folder": str(shared_data("cifar10-png")),
        "model.args.filters": 4,
        **{f"stages.{name}.epochs": 4 for name in ("train", "distill", "prune")},
        "budgets": {},
    }
    recipe = tfopt.load(RECIPES / "cifar10_resnet8_distill_prune_qat.yaml").with_overrides(overrides)
    run = tfopt.run(recipe, out=tmp_path)
    assert [(e.name, c.found) for e in run.report.exports for c in e.claims if not c.held] == []
    assert run.report.exports[-1].measures["accuracy"] >= 0.15
    taught = [stage.details["teacher"]["sources"] for stage in run.report.stages[1:]]
    assert taught == [["stage train", "seed 2"], ["stage distill"], ["stage distill"]]


def test_a_student_learns_from_an_ensemble_at_reduced_size(
    keras_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(keras_home))
    ensemble = tmp_path / "ensemble.yaml"
    ensemble.write_text(
        f"extends: {RECIPES / 'fashion_ensemble.yaml'}\nmodel: {{source: mlp, args: {{units: [32]}}}}\n"
        "stages: {train: {epochs: 1}, ensemble: {seeds: 2}}\n"
    )
    changes = {"stages.distill.epochs": 1, "stages.distill.teacher.recipe": str(ensemble)}
    recipe = tfopt.load(RECIPES / "fashion_ensemble_to_student.yaml").with_overrides(changes)
    run = tfopt.run(recipe, out=tmp_path)
    assert run.ok, [(e.name, c.found) for e in run.report.exports for c in e.claims if not c.held]
    assert run.report.stages[0].measures["accuracy"] >= 0.7
    # Nothing of the teachers is in it.
    assert run.report.stages[0].parameters == 52_138
