"""How recipes, plans, runs, sweeps and progress look in a notebook."""

from __future__ import annotations

import dataclasses
import logging
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

import tfopt
from tests.support.events import EVENTS
from tests.support.root import REPOSITORY
from tests.support.sample_explanation import sample_explanation
from tests.support.sample_report import hostile_report, lying_report, sample_report
from tfopt import notebook
from tfopt.core.config.schedules import Linear, OneShot, Polynomial
from tfopt.core.language.quantities import Span
from tfopt.core.recipe.plan import Plan, PlannedStage
from tfopt.core.recipe.recipe import Recipe
from tfopt.core.records.layer_support import LayerPreflight
from tfopt.core.records.report import DataRecord, Report
from tfopt.core.records.run import Run
from tfopt.core.sweeps.candidates import Candidate
from tfopt.core.sweeps.comparison import compare
from tfopt.core.sweeps.record import Sweep, SweepRecord, TrialRecord
from tfopt.errors import EnvironmentProblem, UsageError
from tfopt.report.notebook.parts import explanation_html, planned_schedules
from tfopt.results import ComparisonResult

EVIL = "</td><script>alert('x')</script>&"


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return tfopt.load(REPOSITORY / "recipes" / "digits_prune_qat.yaml")


@pytest.fixture(scope="module")
def plan(recipe: Recipe) -> Plan:
    own = recipe.stage("prune").schedule.resolve(210, 21)  # type: ignore[attr-defined]
    return Plan(
        recipe,
        (
            PlannedStage("train", "train", "a" * 64, "cached", epochs=15, steps=315),
            PlannedStage(
                "prune", "prune", "b" * 64, "will run", EVIL, epochs=10, steps=1210, schedules={"": own, "hidden": own}
            ),
        ),
        (LayerPreflight("conv", "Conv2D", 160, "8 x 8 x 16", None, "simulated"),),
        DataRecord(source="digits", train=1294, validation=143, test=360),
        "c" * 64,
        ("conv is small.",),
    )


@pytest.fixture
def shell() -> InteractiveShell:
    made = InteractiveShell()
    notebook.load_ipython_extension(made)
    return made


def shown(shell: InteractiveShell, thing: Any) -> tuple[str, str]:
    """HTML without its style, and text, as the notebook would store them."""
    found, _ = shell.display_formatter.format(thing)
    return re.sub(r"<style>.*?</style>", "", found["text/html"], flags=re.DOTALL), found["text/plain"]


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_a_recipe_shows_its_chain_as_written_and_every_path(shell: InteractiveShell, recipe: Recipe) -> None:
    page, text = shown(shell, recipe)
    told = words(page)
    assert "prune epochs: 10, schedule: {kind: polynomial, final: 80%}" in told
    assert "files saved_model, keras, float32, float16, dynamic, int8" in told
    assert "int8.accuracy_drop: 2%" in told
    assert "stages.prune.schedule.final" in told
    assert text == "<Recipe digits-prune-qat>"


def test_a_plan_shows_status_schedule_and_warnings(shell: InteractiveShell, plan: Plan) -> None:
    page, text = shown(shell, plan)
    told = words(page)
    assert "train 15 315 cached" in told
    assert "prune 10 1,210 will run" in told
    assert "conv is small." in told
    assert "1,294 training" in told
    assert page.count("<svg") == 1
    assert "<script>" not in page
    assert text == "<Plan of digits-prune-qat>"


@pytest.mark.parametrize(
    "report", [sample_report(), lying_report(), hostile_report()], ids=["held", "broken", "hostile"]
)
def test_a_run_shows_what_its_page_shows(shell: InteractiveShell, report: Report) -> None:
    page, text = shown(shell, Run(Path("/home/somebody/saved_models/x"), report))
    told = words(page)
    assert ("All 16 claims held" in told) is report.held
    assert "43.6 kB" in told
    assert "97.8%" in told
    assert "<script>" not in page
    assert "somebody" not in page + text


def test_a_run_that_does_not_hold_says_so_first(shell: InteractiveShell) -> None:
    page, _ = shown(shell, Run(Path("x"), lying_report()))
    told = words(page)
    assert told.index("1 of 16 claims broken and 3 of 5 budgets not met.") < told.index("43.6 kB")


def test_a_sweep_shows_every_trial(shell: InteractiveShell) -> None:
    record = SweepRecord(
        id="1", recipe="digits",
        trials=[
            TrialRecord(name="linear seed=1", group="linear", seed=1, state="done", run="a"),
            TrialRecord(name="cosine seed=1", group=EVIL, seed=1, state="failed", error="out of memory"),
        ],
    )  # fmt: skip
    page, text = shown(shell, Sweep(Path("x"), record, {"linear seed=1": Run(Path("x"), sample_report())}))
    told = words(page)
    assert "2 trials: 1 done, 1 failed." in told
    assert "linear 1 done 98.1% 79.9%" in told
    assert "out of memory" in told
    assert "<script>" not in page
    assert text == "<Sweep of digits: 2 trials>"


@pytest.fixture(scope="module")
def compared() -> ComparisonResult:
    report = sample_report()
    candidates = tuple(
        Candidate(name, {"stages": [{"prune": {"schedule": {"kind": name}}}]}, report) for name in ("linear", "cosine")
    )
    return ComparisonResult(compare(candidates), candidates)


def test_a_comparison_shows_its_table_and_what_can_be_said(shell: InteractiveShell, compared: ComparisonResult) -> None:
    page, text = shown(shell, compared)
    told = words(page)
    assert "linear" in told
    assert "cosine" in told
    assert "At 80% sparsity" in told
    assert text == "<Comparison of 2 variants>"


def test_an_audit_shows_operators_and_tensors(shell: InteractiveShell) -> None:
    page, text = shown(shell, sample_report().exports[-1].audit)
    told = words(page)
    assert "FULLY_CONNECTED 2 0" in told
    assert "small_cnn/conv/Conv2D" in told
    assert text == "<Audit: 7 operators>"


def test_the_style_touches_nothing_outside_and_has_both_themes(shell: InteractiveShell, recipe: Recipe) -> None:
    page = shell.display_formatter.format(recipe)[0]["text/html"]
    style = re.search(r"<style>(.*?)</style>", page, flags=re.DOTALL)
    assert style is not None
    depth, outside = 0, ""
    for character in style[1]:
        depth += (character == "{") - (character == "}")
        outside += character if depth == 0 else ""
    selectors = [one.strip() for one in outside.replace("}", ",").split(",") if one.strip()]
    assert selectors
    assert all(one.endswith(".tfopt.tfopt") for one in selectors)
    assert '[data-jp-theme-light="false"]' in style[1]
    assert "prefers-color-scheme" not in style[1]


def test_the_extension_can_be_unloaded(shell: InteractiveShell, recipe: Recipe) -> None:
    notebook.unload_ipython_extension(shell)
    assert "text/html" not in shell.display_formatter.format(recipe)[0]


def test_enabling_outside_a_notebook_says_so() -> None:
    InteractiveShell.clear_instance()
    with pytest.raises(UsageError, match="inside a notebook only"):
        notebook.enable()


def test_without_jupyter_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython.core.getipython", None)
    with pytest.raises(EnvironmentProblem, match=r'pip install "tfopt\[notebook\]"'):
        notebook.enable()


def test_progress_is_quiet_outside_notebooks(capsys: pytest.CaptureFixture[str]) -> None:
    on_event = notebook.progress()
    for event in EVENTS:
        on_event(event)
    assert capsys.readouterr() == ("", "")


def test_one_figure_is_an_image_that_any_viewer_can_show(plan: Plan, compared: ComparisonResult) -> None:
    run = Run(Path("x"), sample_report())
    schedules = {"early": OneShot(final=0.8), "slow": Linear(final=0.8)}
    for figures in (
        notebook.plot(Polynomial(final=0.8)),
        notebook.plot(Polynomial(final=0.8).resolve(100, 10)),
        notebook.plot(schedules),
        notebook.plot(plan),
        notebook.plot(run, "sparsity"),
        notebook.plot(compared, notebook.plot(compared).charts[0].name),
    ):
        bundle = figures._repr_mimebundle_()
        assert bundle["image/svg+xml"].count("<svg") == 1
        assert bundle["text/plain"]
    assert "early to 80%" in notebook.plot(schedules)._repr_mimebundle_()["text/plain"]


def test_all_figures_of_a_run_stand_side_by_side() -> None:
    bundle = notebook.plot(Run(Path("x"), sample_report()))._repr_mimebundle_()
    assert bundle["text/html"].count("<svg") == 6


def test_a_figure_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(UsageError, match=r"no figure 'accuracy'.*metric, loss, sparsity"):
        notebook.plot(Run(Path("x"), sample_report()), "accuracy")


def test_a_schedule_longer_than_its_stage_says_what_to_give() -> None:
    with pytest.raises(UsageError, match=r"10 epochs of 100 steps.*Give epochs and steps_per_epoch"):
        notebook.plot(Polynomial(final=0.8, end=Span(2000, "steps")))


def test_the_chatter_of_tensorflow_stays_out_of_the_cells(
    shell: InteractiveShell, caplog: pytest.LogCaptureFixture
) -> None:
    logger = logging.getLogger("tensorflow")
    with caplog.at_level(logging.INFO, "tensorflow"):
        logger.info("Assets written to: x")
        logger.warning("5 out of the last 15 calls to f triggered tf.function retracing.")
        logger.warning("The GPU is gone.")
        notebook.unload_ipython_extension(shell)
        logger.info("Assets written to: y")
    assert caplog.messages == ["The GPU is gone.", "Assets written to: y"]


def test_layers_with_the_same_schedule_share_a_figure(plan: Plan) -> None:
    own, other = Linear(final=0.5).resolve(100, 10), Linear(final=0.9).resolve(100, 10)
    layers = dict.fromkeys(("a", "b", "c"), own)
    one = dataclasses.replace(plan.stages[1], schedules=layers)
    several = dataclasses.replace(plan.stages[1], schedules={**layers, "logits": other})
    assert list(planned_schedules(dataclasses.replace(plan, stages=(one,)))) == ["prune"]
    named = planned_schedules(dataclasses.replace(plan, stages=(several,)))
    assert named == {"prune, a, b and 1 more": own, "prune, logits": other}


def test_where_accuracy_went_has_pictures_layers_and_rules() -> None:
    shown = explanation_html(sample_explanation().model_copy(update={"against": EVIL}))
    assert "data:image/png;base64,AAAA" in shown
    assert "{match: logits, quantize: none}" in shown
    assert EVIL not in shown
