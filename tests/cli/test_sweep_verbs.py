"""`tfopt sweep` and `tfopt compare`: what they ask of the api, what they answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.core.sweeps.test_comparison import KINDS, candidates
from tests.support.root import REPOSITORY
from tfopt.core.contracts.resources import Resources
from tfopt.core.records.run import Run
from tfopt.core.sweeps.comparison import compare
from tfopt.core.sweeps.record import Sweep, SweepRecord, TrialRecord
from tfopt.errors import StoreError
from tfopt.report.live.lines import TrialLines
from tfopt.results import ComparisonResult

Tfopt = Callable[..., Result]
Mocked = Callable[[str, Any], list[Any]]
RECIPE = str(REPOSITORY / "recipes" / "digits_prune_qat.yaml")


@pytest.fixture(scope="module")
def compared() -> ComparisonResult:
    found = candidates(KINDS)
    return ComparisonResult(compare(found), tuple(found))


def sweep(compared: ComparisonResult, state: str = "done") -> Sweep:
    error = None if state == "done" else "It broke."
    trials = [
        TrialRecord(name="polynomial seed=7", group="polynomial", seed=7, state="done", run="1"),
        TrialRecord(name="constant seed=7", group="constant", seed=7, state=state, error=error),
    ]
    record = SweepRecord(id="abc", recipe="digits-prune-qat", trials=trials)
    folder = Path("saved_models/digits-prune-qat/sweeps/abc")
    return Sweep(folder, record, {"polynomial seed=7": Run(Path("1"), compared.candidates[0].report)})


def test_sweep_hands_its_options_on_and_shows_the_table(
    tfopt: Tfopt, mocked: Mocked, compared: ComparisonResult
) -> None:
    calls = mocked("sweep", sweep(compared))
    mocked("compare", compared)
    options = ["--axis", "a=1,2", "--axis", "b=3..4/2", "--seeds", "1,5", "--jobs", "2", "--max-trials", "9"]
    options += ["--stop-trials", "median", "--executor", "ray", "--out", "there", "--store", "s3://b/f"]
    options += ["--gpus-per-trial", "0.5", "--placement", "spread", "--retries", "5"]
    result = tfopt("sweep", RECIPE, *options, COLUMNS="120")
    assert result.exit_code == 0, result.output
    ((arguments, keywords),) = calls
    assert arguments[1] == ("a=1,2", "b=3..4/2")
    del keywords["on_event"]
    assert keywords == {
        "seeds": "1,5", "max_trials": 9, "jobs": 2, "stop_trials": True, "executor": "ray", "out": "there",
        "store": "s3://b/f", "resources": Resources(None, 0.5, "spread", 5),
    }  # fmt: skip
    assert "●  polynomial" in result.stdout
    assert "sweep  saved_models/digits-prune-qat/sweeps/abc" in result.stdout


def test_the_old_name_of_stop_trials_is_read_with_a_note(
    tfopt: Tfopt, mocked: Mocked, compared: ComparisonResult
) -> None:
    calls = mocked("sweep", sweep(compared))
    mocked("compare", compared)
    result = tfopt("sweep", RECIPE, "--prune-trials", "median")
    assert calls[0][1]["stop_trials"]
    assert "is now --stop-trials" in result.stderr
    assert "--prune-trials" not in tfopt("sweep", "--help").stdout


def test_a_failed_trial_is_named_and_gives_exit_code_5(
    tfopt: Tfopt, mocked: Mocked, compared: ComparisonResult
) -> None:
    mocked("sweep", sweep(compared, "failed"))
    mocked("compare", compared)
    result = tfopt("sweep", RECIPE, COLUMNS="120")
    assert result.exit_code == 5
    assert "1 of 2 trials did not finish" in result.stdout
    assert "constant seed=7: failed. It broke." in result.stdout


def test_sweep_as_json_is_one_document(tfopt: Tfopt, mocked: Mocked, compared: ComparisonResult) -> None:
    mocked("sweep", sweep(compared))
    mocked("compare", compared)
    document = json.loads(tfopt("sweep", RECIPE, "--json").stdout)
    assert document["sweep"]["id"] == "abc"
    assert document["comparison"]["rows"][0]["name"] == "polynomial"


def test_an_interrupted_sweep_says_how_to_go_on(tfopt: Tfopt, mocked: Mocked) -> None:
    mocked("sweep", KeyboardInterrupt())
    result = tfopt("sweep", RECIPE)
    assert result.exit_code == 130
    assert "the same command resumes from there" in result.output


def test_nothing_to_vary_is_a_usage_error(tfopt: Tfopt, tmp_path: Path) -> None:
    result = tfopt("sweep", RECIPE, "--out", str(tmp_path))
    assert result.exit_code == 2
    assert "nothing to vary" in result.output


def test_all_mistakes_of_all_trials_come_before_anything_runs(tfopt: Tfopt, tmp_path: Path) -> None:
    axes = ["--axis", "stages.prune.schedule.final=80%,120%", "--axis", "stages.prune.epoch=1,2"]
    result = tfopt("sweep", RECIPE, *axes, "--out", str(tmp_path))
    assert result.exit_code == 3
    assert "trial final=80% epoch=1" in result.output
    assert "Got 120%" in result.output
    assert not (tmp_path / "digits-prune-qat").exists()


def test_compare_as_text_csv_and_json(tfopt: Tfopt, mocked: Mocked, compared: ComparisonResult) -> None:
    calls = mocked("compare", compared)
    text = tfopt("compare", "a", "b", "--export", "int8", "--out", "there")
    assert text.exit_code == 0, text.output
    assert "differences" in text.stdout
    assert calls[0] == (("a", "b"), {"export": "int8", "out": "there"})
    table = tfopt("compare", "a", "--csv", "--sort", "gzip_bytes").stdout.splitlines()
    assert table[0].startswith("name,schedule,allocation,seeds,sparsity")
    assert [line.split(",")[0] for line in table[1:]] == ["constant", "polynomial"]
    document = json.loads(tfopt("compare", "a", "--json").stdout)
    assert document["metric"] == "accuracy"
    assert document["verdicts"][0]["rivals"][0]["difference"]["test"] == "paired t-test"
    assert tfopt("compare", "a", "--json", "--csv").exit_code == 2
    assert tfopt("compare", "a", "--sort", "size").exit_code == 2


def test_compare_writes_page_and_figures(
    tfopt: Tfopt, mocked: Mocked, compared: ComparisonResult, tmp_path: Path
) -> None:
    mocked("compare", compared)
    result = tfopt("compare", "a", "--html", str(tmp_path / "page.html"), "--figures", str(tmp_path / "figures"))
    assert result.exit_code == 0, result.output
    assert "Differences</h2>" in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert len(list((tmp_path / "figures").glob("*.svg"))) == 5
    assert len(list((tmp_path / "figures").glob("*.png"))) == 5


def test_a_run_that_is_not_there(tfopt: Tfopt, tmp_path: Path) -> None:
    result = tfopt("compare", "nothing", "--out", str(tmp_path))
    assert result.exit_code == StoreError.exit_code
    assert "Found no run at nothing" in result.output


def test_progress_in_a_pipe_is_a_line_per_trial() -> None:
    lines: list[str] = []
    show = TrialLines(lines.append)
    events: list[Mapping[str, Any]] = [
        {
            "event": "sweep_started",
            "recipe": "r",
            "sweep": "abc",
            "trials": ["a", "bb", "c"],
            "settled": ["c"],
            "metric": "digit_accuracy",
        },
        {"event": "warning", "message": "Careful.", "trial": "a"},
        {"event": "warning", "message": "Careful.", "trial": "bb"},
        {"event": "stage_finished", "trial": "a", "stage": "train", "measures": {"accuracy": 0.97, "loss": 0.1}},
        {
            "event": "export_finished",
            "trial": "a",
            "export": "int8",
            "measures": {"a_mae": 0.5, "b_mae": 1, "digit_accuracy": 0.96},
            "held": True,
        },
        {"event": "trial_finished", "trial": "a", "state": "done", "error": None},
        {"event": "trial_finished", "trial": "bb", "state": "failed", "error": "It broke."},
    ]
    for event in events:
        show(event)
    assert lines == [
        "r  sweep abc: 3 trials, 1 of them finished before",
        "warning: Careful.",
        "[2/3] a   done  int8: digit_accuracy 96.0%  a_mae 0.5",
        "[3/3] bb  failed  It broke.",
    ]
