"""Each verb: what it asks of the api, what it answers as text and as JSON, and with which exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.support.sample_explanation import sample_explanation
from tests.support.sample_report import lying_report, sample_report
from tfopt.core.config.schedules import Polynomial
from tfopt.core.contracts.resources import Resources
from tfopt.core.recipe.plan import Plan, PlannedStage
from tfopt.core.records.layer_support import LayerPreflight
from tfopt.core.records.report import DataRecord, Environment, Report
from tfopt.core.records.run import Run
from tfopt.errors import Problem
from tfopt.results import CatalogEntry, DoctorReport, ExplorerFiles, Inspection, ValidationResult

Tfopt = Callable[..., Result]
Mocked = Callable[[str, Any], list[Any]]


class StandInRecipe:
    """The two things that drawing a plan needs of a recipe."""

    name = "digits"

    def to_document(self) -> dict[str, Any]:
        return {"name": self.name}

    def export_names(self) -> tuple[str, ...]:
        return ("keras", "int8")


RECIPE = StandInRecipe()


def run_of(report: Report) -> Run:
    return Run(Path("saved_models/digits-prune-qat/1"), report)


def plan() -> Plan:
    schedule = Polynomial(final=0.8).resolve(200, 20)
    return Plan(
        recipe=RECIPE,  # type: ignore[arg-type]
        stages=(
            PlannedStage("train", "train", "a" * 64, "cached", epochs=15, steps=300),
            PlannedStage("prune", "prune", "b" * 64, "will run", "not in the store", 10, 200, {"": schedule}),
        ),
        layers=(LayerPreflight("conv", "Conv2D", 160, "8, 8, 16", None, "simulated"),),
        data=DataRecord(source="digits", train=1294, validation=143, test=360),
        model_key="c" * 64,
        warnings=("More calibration examples than data.",),
    )


@pytest.mark.parametrize(
    ("name", "path"),
    [(None, "recipe.yaml"), ("digits", "digits.yaml"), ("a/my.yml", "a/my.yml"), ("v1.2", "v1.2.yaml")],
)
def test_init(tfopt: Tfopt, mocked: Mocked, name: str | None, path: str) -> None:
    calls = mocked("init", lambda path: path)
    result = tfopt("init", *([name] if name else []))
    assert result.exit_code == 0
    assert calls == [((Path(path),), {})]
    assert f"tfopt run {Path(path)}" in result.stdout
    assert json.loads(tfopt("init", "x", "--json").stdout) == {"path": "x.yaml"}


def test_ls(tfopt: Tfopt, mocked: Mocked) -> None:
    calls = mocked("list_names", {"models": [CatalogEntry("mlp", "Dense layers.", "tfopt", ("units",))]})
    result = tfopt("ls", "models")
    assert calls == [(("models",), {})]
    assert "mlp" in result.stdout
    assert "units" in result.stdout
    assert json.loads(tfopt("ls", "--json").stdout)["models"][0]["arguments"] == ["units"]
    assert calls[-1] == ((None,), {})
    assert tfopt("ls", "model").exit_code == 2


def test_validate(tfopt: Tfopt, mocked: Mocked) -> None:
    mocked("validate", [ValidationResult("a.yaml", (), ("mine:data",))])
    result = tfopt("validate", "a.yaml")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == ["a.yaml: ok", "a.yaml: would import mine:data"]


def test_validate_of_a_broken_recipe(tfopt: Tfopt, mocked: Mocked) -> None:
    calls = mocked(
        "validate",
        [
            ValidationResult("a.yaml", (), ()),
            ValidationResult("b.yaml", (Problem(("seed",), "seed is odd.", code="invalid_value"),), ()),
        ],
    )
    result = tfopt("validate", "a.yaml", "b.yaml")
    assert calls == [((("a.yaml", "b.yaml"),), {})]
    assert result.exit_code == 3
    assert result.stdout.splitlines() == ["a.yaml: ok", "seed is odd.", "b.yaml: 1 mistake"]
    result = tfopt("validate", "a.yaml", "b.yaml", "--json")
    assert result.exit_code == 3
    assert json.loads(result.stdout)[1]["problems"][0]["message"] == "seed is odd."


def test_schema(tfopt: Tfopt, mocked: Mocked) -> None:
    calls = mocked("schema", {"title": "Recipe"})
    assert json.loads(tfopt("schema").stdout) == {"title": "Recipe"}
    assert json.loads(tfopt("schema", "--report", "--json").stdout) == {"title": "Recipe"}
    assert calls == [(("recipe",), {}), (("report",), {})]


def test_plan(tfopt: Tfopt, mocked: Mocked) -> None:
    loads, plans = mocked("load", RECIPE), mocked("plan", plan())
    result = tfopt("plan", "a.yaml", "--set", "seed=3", "--set", "data.batch_size=8", COLUMNS="80")
    assert result.exit_code == 0
    assert loads == [(("a.yaml", ("seed=3", "data.batch_size=8")), {})]
    assert plans == [((RECIPE,), {"out": "saved_models", "store": None, "trial": True})]
    assert "prune: sparsity to 80%, masks updated every 2 steps" in result.stdout
    assert "█" in result.stdout
    assert "warning: More calibration examples than data." in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_plan_as_json(tfopt: Tfopt, mocked: Mocked) -> None:
    mocked("load", RECIPE)
    mocked("plan", plan())
    document = json.loads(tfopt("plan", "a.yaml", "--json").stdout)
    assert document["recipe"] == {"name": "digits"}
    assert [stage["status"] for stage in document["stages"]] == ["cached", "will run"]
    assert document["stages"][1]["schedules"][0]["final"] == 0.8
    assert document["layers"][0]["prunable"] is None


def test_run(tfopt: Tfopt, mocked: Mocked) -> None:
    mocked("load", RECIPE)
    calls = mocked("run", run_of(sample_report()))
    result = tfopt("run", "a.yaml", "--out", "elsewhere", "--store", "s3://b/f", "--fresh", COLUMNS="80")
    assert result.exit_code == 0
    ((arguments, keywords),) = calls
    assert arguments == (RECIPE,)
    assert keywords.pop("on_event") is not None
    assert keywords == {
        "out": "elsewhere", "store": "s3://b/f", "fresh": True, "executor": "here", "resources": None,
    }  # fmt: skip
    assert "All 16 claims held and both budgets met." in result.stdout
    assert "report.json" in result.stdout


def test_run_on_a_cluster(tfopt: Tfopt, mocked: Mocked) -> None:
    mocked("load", RECIPE)
    calls = mocked("run", run_of(sample_report()))
    options = ["--executor", "ray", "--cpus-per-trial", "2", "--gpus-per-trial", "0.5"]
    assert tfopt("run", "a.yaml", *options, "--placement", "spread", "--retries", "0").exit_code == 0
    ((_, keywords),) = calls
    assert (keywords["executor"], keywords["resources"]) == ("ray", Resources(2, 0.5, "spread", 0))
    refused = tfopt("run", "a.yaml", "--executor", "ray", "--gpus-per-trial", "1.5")
    assert (refused.exit_code, len(calls)) == (2, 1)


def test_a_run_that_does_not_hold_has_exit_code_7_and_says_what(tfopt: Tfopt, mocked: Mocked) -> None:
    mocked("load", RECIPE)
    mocked("run", run_of(lying_report()))
    result = tfopt("run", "a.yaml")
    assert result.exit_code == 7
    assert "int8 does not hold 'int8 only': FULLY_CONNECTED computes in float32" in result.stdout


def test_run_as_json_is_the_report_and_nothing_else(tfopt: Tfopt, mocked: Mocked) -> None:
    mocked("load", RECIPE)
    calls = mocked("run", run_of(lying_report()))
    result = tfopt("run", "a.yaml", "--json")
    assert result.exit_code == 7
    assert Report.model_validate_json(result.stdout) == lying_report()
    assert result.stderr == ""
    assert calls[0][1]["on_event"] is None


def test_an_interrupted_run_says_how_to_go_on(tfopt: Tfopt, mocked: Mocked) -> None:
    mocked("load", RECIPE)
    mocked("run", KeyboardInterrupt())
    result = tfopt("run", "a.yaml")
    assert result.exit_code == 130
    assert "the same command resumes from there" in result.stderr


def test_show(tfopt: Tfopt, mocked: Mocked) -> None:
    calls = mocked("show", run_of(lying_report()))
    result = tfopt("show", "digits-prune-qat", COLUMNS="80")
    assert calls == [(("digits-prune-qat", "saved_models"), {})]
    assert result.exit_code == 0
    assert "from the store" in result.stdout
    assert Report.model_validate_json(tfopt("show", "x", "--out", "y", "--json").stdout) == lying_report()
    assert calls[-1] == (("x", "y"), {})


def test_inspect(tfopt: Tfopt, mocked: Mocked) -> None:
    calls = mocked("inspect", sample_report().exports[-1].audit)
    result = tfopt("inspect", "model.tflite")
    assert calls == [((Path("model.tflite"),), {})]
    assert "integers only" in result.stdout
    assert json.loads(tfopt("inspect", "model.tflite", "--json").stdout)["operators"]["CONV_2D"] == 2


def test_inspect_against(tfopt: Tfopt, mocked: Mocked, tmp_path: Path) -> None:
    audit = sample_report().exports[-1].audit
    assert audit is not None
    calls = mocked("inspect", Inspection(audit, sample_explanation()))
    page = tmp_path / "where.html"
    options = ["--against", "m.keras", "--data", "r.yaml", "--sensitivity", "--html", str(page)]
    result = tfopt("inspect", "model.tflite", *options)
    ((arguments, keywords),) = calls
    assert arguments == (Path("model.tflite"), Path("m.keras"), Path("r.yaml"))
    assert keywords["sensitivity"]
    assert "2 lost, 1 gained" in " ".join(result.stdout.split())
    assert "One layer at a time" in page.read_text(encoding="utf-8")
    document = json.loads(tfopt("inspect", "model.tflite", *options, "--json").stdout)
    assert document["explanation"]["sensitivity"]["advice"]["layers"] == ["logits"]


def test_inspect_for_model_explorer_opens_nothing_in_a_pipe(tfopt: Tfopt, mocked: Mocked) -> None:
    mocked("inspect", sample_report().exports[-1].audit)
    nodes = ExplorerFiles((Path("a.json"),), ("model-explorer", "model.tflite"), installed=True)
    calls = mocked("explore", nodes)
    result = tfopt("inspect", "model.tflite", "--explorer")
    assert calls == [((Path("model.tflite"),), {"inspection": None})]
    assert "model-explorer model.tflite" in result.stdout


def test_a_page_needs_a_comparison(tfopt: Tfopt, mocked: Mocked) -> None:
    mocked("inspect", sample_report().exports[-1].audit)
    result = tfopt("inspect", "model.tflite", "--html", "x.html")
    assert result.exit_code == 2
    assert "Give --against and --data, too." in result.stderr


def test_bench(tfopt: Tfopt, mocked: Mocked) -> None:
    row = {"name": "a", "bytes": 10, "latency_ms": 0.5, "latency_ms_p10": 0.4, "latency_ms_p90": float("nan")}
    calls = mocked("bench", [row])
    result = tfopt("bench", "a.tflite", "b.tflite", "--threads", "2", "--rounds", "9")
    asked = {"kernels": ("default",), "operators": False, "out": "saved_models"}
    assert calls == [(((Path("a.tflite"), Path("b.tflite")), (2,), 9), asked)]
    assert "0.500 ms" in result.stdout
    assert json.loads(tfopt("bench", "a.tflite", "--json").stdout)[0]["latency_ms_p90"] is None
    assert tfopt("bench", "a.tflite", "--threads", "0").exit_code == 2


def test_doctor(tfopt: Tfopt, mocked: Mocked) -> None:
    calls = mocked("doctor", DoctorReport(Environment(python="3.11.9"), ()))
    result = tfopt("doctor")
    assert calls == [((None, (28, 28, 1), 10), {"allow_unsafe": False, "trial": True})]
    assert result.exit_code == 0
    assert "3.11.9" in result.stdout
    assert json.loads(tfopt("doctor", "mlp", "--input-shape", "32,32,3", "--json").stdout)["mismatches"] == []
    assert calls[-1] == (("mlp", (32, 32, 3), 10), {"allow_unsafe": False, "trial": True})
    tfopt("doctor", "own.keras", "--allow-unsafe", "--no-trial")
    assert calls[-1] == (("own.keras", (28, 28, 1), 10), {"allow_unsafe": True, "trial": False})
    assert tfopt("doctor", "mlp", "--input-shape", "32x32").exit_code == 2


def test_a_sick_environment_has_exit_code_4(tfopt: Tfopt, mocked: Mocked) -> None:
    mocked("doctor", DoctorReport(Environment(), ("tf-keras is missing: pip install tf-keras",)))
    result = tfopt("doctor")
    assert result.exit_code == 4
    assert "problem: tf-keras is missing" in result.stdout
