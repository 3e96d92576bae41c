"""Recipe files to recipes and back."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.support.errors import refused
from tests.support.recipes import document, documents, known
from tests.support.root import REPOSITORY
from tfopt.core.recipe.recipe import build_recipe
from tfopt.errors import Problem, RecipeError, UsageError
from tfopt.io.recipes.recipe_file import dump_recipe, load_recipe, parse_overrides
from tfopt.io.recipes.yaml import dump

CATALOG = known()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "recipe.yaml"
    file.write_text(dump(document()))
    return file


@pytest.mark.parametrize("file", sorted((REPOSITORY / "recipes").glob("*.yaml")), ids=lambda file: file.name)
def test_the_recipes_of_this_repository_are_good(file: Path) -> None:
    assert load_recipe(file, CATALOG).name


def test_a_written_recipe_is_the_same_recipe(path: Path) -> None:
    recipe = load_recipe(path, CATALOG)
    path.with_name("again.yaml").write_text(dump_recipe(recipe))
    assert load_recipe(path.with_name("again.yaml"), CATALOG) == recipe


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents())
def test_every_recipe_survives_its_file(written: dict[str, Any]) -> None:
    recipe = build_recipe(written, CATALOG)
    with TemporaryDirectory() as folder:
        file = Path(folder, "recipe.yaml")
        file.write_text(dump_recipe(recipe), encoding="utf-8")
        assert load_recipe(file, CATALOG) == recipe


def test_the_keys_are_written_in_the_order_of_the_design(path: Path) -> None:
    text = dump_recipe(load_recipe(path, CATALOG))
    top = [line.partition(":")[0] for line in text.splitlines() if line[0] not in " -"]
    wanted = ["name", "description", "seed", "data", "model", "compile", "stages", "export", "budgets"]
    assert [key for key in top if key in wanted] == wanted
    assert text.splitlines()[text.splitlines().index("      schedule:") + 1].strip() == "kind: polynomial"


def test_overrides_are_applied_before_the_recipe_is_checked(path: Path) -> None:
    recipe = load_recipe(
        path, CATALOG, {"stages.prune.epochs": 3, "budgets.int8.bytes": "70 kB", "model.source": "mlp"}
    )
    assert recipe.stage("prune").epochs == 3  # type: ignore[attr-defined]
    assert recipe.budgets[1].limit == 70_000
    assert recipe.model.args == {}
    assert recipe.with_overrides({"stages.prune.epochs": 10, "stages.train.epochs": 1}).stage("train").epochs == 1  # type: ignore[attr-defined]


def test_an_override_can_mend_a_file(path: Path) -> None:
    path.write_text(path.read_text().replace("epochs: 15", "epochs: many"))
    assert load_recipe(path, CATALOG, {"stages.train.epochs": 1}).stage("train").epochs == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"stages.prune.epochs": 0}, "--set stages.prune.epochs: prune.epochs must be at least 1. Got 0."),
        ({"stages.prune.epoch": 1}, "--set stages.prune.epoch: prune has no key 'epoch'. Did you mean 'epochs'?"),
        (
            {"stages.prun.epochs": 1},
            "--set stages.prun.epochs cannot be set: no stage is named 'prun'. Did you mean 'prune'?",
        ),
        ({"sead": 1}, "--set sead: the recipe has no key 'sead'. Did you mean 'seed'?"),
        (
            {"stages.prune.schedule": {"kind": "constant"}},
            "--set stages.prune.schedule: prune.schedule needs the key 'final': sparsity from begin on.",
        ),
        (
            {"data.source": "digit"},
            "--set data.source: data.source: there is no dataset 'digit'. Did you mean 'digits'?",
        ),
        (
            {"export.tflite.int8.io": "int9"},
            "--set export.tflite.int8.io: export.tflite.int8.io must be float32, int8, uint8 or int16.",
        ),
        (
            {"budgets.int8.bite": 1},
            "--set budgets.int8.bite: budgets.int8.bite names no measure: 'bite'. Did you mean 'bytes'?",
        ),
    ],
)
def test_a_mistake_in_an_override_names_the_override(path: Path, overrides: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match="--set") as caught:
        load_recipe(path, CATALOG, overrides)
    assert len(caught.value.problems) == 1
    assert str(caught.value).startswith(message)


def test_relative_paths_start_at_the_recipe(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (path.parent / "photos").mkdir()
    (path.parent / "net.keras").write_bytes(b"")
    changed = {**document(), "data": {"source": "./photos", "args": {"labels": "./labels.csv", "size": "8x8"}}}
    changed["model"] = {"source": "net.keras"}
    path.write_text(dump(changed))
    monkeypatch.chdir(REPOSITORY)
    recipe = load_recipe(path, CATALOG)
    assert recipe.data.source == str(path.parent / "photos")
    assert recipe.data.args == {"labels": str(path.parent / "labels.csv"), "size": "8x8"}
    assert recipe.model.source == str(path.parent / "net.keras")
    assert recipe.folder == str(path.parent)
    assert recipe.with_overrides({"seed": 1}).folder == recipe.folder


@pytest.mark.parametrize(
    ("block", "content", "message"),
    [
        ("data", {"source": "./none.csv"}, r"data\.source is a path, but there is nothing at .*none\.csv"),
        ("data", {"source": "recipe.yaml/"}, r"data\.source is a file of no known kind: .*recipe\.yaml"),
        (
            "data",
            {"source": "photos"},
            r"data\.source: there is no dataset 'photos'\. Known datasets: .* A path begins with",
        ),
        (
            "model",
            {"source": "net.h5", "args": {"a": 1}},
            r"model\.args has the keys a, but a model file takes no arguments",
        ),
        (
            "model",
            {"source": "small_cnn", "allow_unsafe": True},
            r"model\.allow_unsafe has a meaning for model files only, and model\.source is 'small_cnn'\. Remove it",
        ),
        (
            "model",
            {"source": "keras.applications.Xcepton"},
            r"keras\.applications has no 'Xcepton'\. Did you mean 'Xception'\?",
        ),
        ("model", {"source": "smal_cnn"}, r"model\.source: there is no model 'smal_cnn'\. Did you mean 'small_cnn'\?"),
        (
            "data",
            {"source": "digits", "args": {"scal": 1}},
            r"data\.args: digits has no argument 'scal'\. Did you mean 'scale'",
        ),
    ],
)
def test_sources_that_name_nothing(path: Path, block: str, content: dict[str, Any], message: str) -> None:
    (path.parent / "net.h5").write_bytes(b"")
    path.write_text(dump({**document(), block: content}))
    with pytest.raises(RecipeError, match=message):
        load_recipe(path, CATALOG)


def test_overrides_as_typed_on_a_command_line() -> None:
    typed = ["a.b=1e-3", "c=true", "d=[1, 2]", "e=80%", "f=", "g=x=y", "h={kind: constant, final: 50%}"]
    assert parse_overrides(typed) == {
        "a.b": 0.001,
        "c": True,
        "d": [1, 2],
        "e": "80%",
        "f": None,
        "g": "x=y",
        "h": {"kind": "constant", "final": "50%"},
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed", r"--set must be PATH=VALUE\. Got 'seed'\. For example --set stages\.prune\.epochs=3\."),
        ("=3", r"--set must be PATH=VALUE\. Got '=3'"),
        ("a=[1", r"--set a: '\[1' cannot be read: this is not YAML"),
    ],
)
def test_what_is_no_override(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_overrides([text])


def test_the_same_override_twice_is_refused() -> None:
    with refused(UsageError, "usage", "seed"):
        parse_overrides(["seed=1", "seed=2"])


def test_mistakes_that_show_later_have_their_place_too(path: Path) -> None:
    recipe = load_recipe(path, CATALOG, {"stages.train.epochs": 3})
    late = [
        Problem(("stages", 1, "prune", "layers", 0), "matches no layer.", code="unknown_layer"),
        Problem(("stages", 0, "train", "epochs"), "x.", code="out_of_range"),
    ]
    first, second = map(str, pickle.loads(pickle.dumps(recipe)).error(late).problems)
    assert (
        first
        == f"{path}:{path.read_text()[: path.read_text().index('match:')].count(chr(10)) + 1}:11: matches no layer."
    )
    assert second == "--set stages.train.epochs: x."


def test_reading_a_recipe_loads_nothing_heavy() -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from tfopt.catalog.catalog import catalog, code_named_by\n"
        "from tfopt.io.recipes.recipe_file import load_recipe\n"
        "code_named_by(load_recipe(Path('recipes/digits_prune_qat.yaml'), catalog()))\n"
        "heavy = {'numpy', 'tensorflow', 'tf_keras', 'keras', 'matplotlib', 'sklearn', 'rich', 'jinja2'}\n"
        "print(*sorted(heavy & {name.partition('.')[0] for name in sys.modules}))"
    )
    ran = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == []
