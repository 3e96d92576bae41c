"""Runs become one table: grouped over seeds, with the front, and with verdicts that know the seeds' noise."""

from __future__ import annotations

from typing import Any

import pytest

import tfopt
from tests.support.errors import refused
from tests.support.root import REPOSITORY
from tests.support.stand_ins.sweep_fakes import trial_report
from tfopt.core.records.report import Environment, Report
from tfopt.core.sweeps.candidates import Candidate, candidates_of_runs
from tfopt.core.sweeps.comparison import Comparison, compare, macs_of, sorted_by
from tfopt.core.sweeps.expand import expand
from tfopt.errors import UsageError

KINDS = {"stages.prune.schedule.kind": ["polynomial", "constant"]}
FINALS = {"stages.prune.schedule.final": ["80%", "90%"]}


def candidates(*axes: dict[str, Any], seeds: Any = 3, noise: float = 0.002, **overrides: Any) -> list[Candidate]:
    recipe = tfopt.load(REPOSITORY / "recipes" / "digits_prune_qat.yaml", overrides)
    trials = expand(recipe.with_overrides({"sweep": {"axes": list(axes), "seeds": seeds}})).trials
    return [
        Candidate(trial.group, trial.recipe.to_document(), trial_report(trial.recipe, str(index), noise))
        for index, trial in enumerate(trials)
    ]


def changed(candidate: Candidate, accuracy: float, gzip_bytes: int = 10_000, **report: Any) -> Candidate:
    """The candidate with another result."""
    old = candidate.report
    export = old.exports[0].model_copy(
        update={"gzip_bytes": gzip_bytes, "measures": {"accuracy": accuracy, "accuracy_drop": 0.99 - accuracy}}
    )
    return Candidate(candidate.group, candidate.document, old.model_copy(update={"exports": [export], **report}))


def narrowed(share: float, accuracy: float, latency: float, name: str) -> Candidate:
    """A run whose network has a share of a million operations."""
    (old, *_) = candidates(KINDS, seeds=1)
    changed_to = changed(old, accuracy)
    stages = [stage.model_copy(update={"macs": 1_000_000}) for stage in changed_to.report.stages]
    stages[-1] = stages[-1].model_copy(update={"macs": round(share * 1e6)})
    (export,) = changed_to.report.exports
    export = export.model_copy(update={"measures": {**export.measures, "latency_ms": latency}})
    report = changed_to.report.model_copy(update={"stages": stages, "exports": [export]})
    return Candidate(name, changed_to.document, report)


SHRUNK = [
    (0.6, 0.97, 6.0, "macs=60%"),
    (0.4, 0.96, 4.0, "macs=40%"),
    (0.5, 0.95, 5.0, "random"),
    (0.25, 0.9, 4.5, "low"),
]


def test_fronts_of_operations_and_of_time_are_found_on_their_own() -> None:
    table = compare([narrowed(*one) for one in SHRUNK])
    assert {row.name for row in table.rows if row.on_macs_front} == {"macs=60%", "macs=40%", "low"}
    assert {row.name for row in table.rows if row.on_latency_front} == {"macs=60%", "macs=40%"}
    assert {row.name: row.macs for row in table.rows}["low"] == 250_000
    older = narrowed(0.6, 0.97, 6.0, "old").report.stages[-1].model_copy(update={"macs": None})
    assert macs_of(older) is None
    assert macs_of(older.model_copy(update={"details": {"shrink": {"macs_after": 7}}})) == 7


def with_accuracies(polynomial: list[float], constant: list[float]) -> Comparison:
    found = candidates(KINDS, seeds=len(polynomial))
    values = {"polynomial": iter(polynomial), "constant": iter(constant)}
    return compare([changed(one, next(values[one.group])) for one in found])


def test_one_row_per_variant_with_mean_and_spread_over_the_seeds() -> None:
    table = with_accuracies([0.97, 0.98, 0.99], [0.95, 0.95, 0.95])
    first, second = table.rows
    assert (first.name, first.schedule, first.allocation, first.seeds) == (
        "polynomial",
        "polynomial",
        "uniform",
        (7, 8, 9),
    )
    assert first.metric == pytest.approx(0.98)
    assert first.spread == pytest.approx(0.01)
    assert first.drop == pytest.approx(0.01)
    assert second.spread == 0
    assert first.sparsity == pytest.approx(0.8)
    assert first.seconds == pytest.approx(9.0)
    assert table.export == "int8"


def test_a_difference_within_the_seeds_noise_is_no_victory() -> None:
    (verdict,) = with_accuracies([0.97, 0.98, 0.99], [0.98, 0.97, 0.985]).verdicts
    assert verdict.best == "polynomial"
    (rival,) = verdict.rivals
    assert rival.difference is not None
    assert rival.difference.test == "paired t-test"
    assert rival.p_value > 0.5
    assert not rival.beyond_noise


def test_a_difference_beyond_it_is_said_to_be_one() -> None:
    (verdict,) = with_accuracies([0.970, 0.980, 0.990], [0.940, 0.951, 0.959]).verdicts
    assert verdict.rivals[0].beyond_noise
    assert verdict.rivals[0].difference is not None
    assert verdict.rivals[0].difference.mean == pytest.approx(-0.03)


def test_with_six_seeds_the_exact_permutation_test_answers() -> None:
    base = [0.97, 0.98, 0.99, 0.975, 0.985, 0.98]
    (verdict,) = with_accuracies(base, [value - 0.01 - 0.001 * index for index, value in enumerate(base)]).verdicts
    (rival,) = verdict.rivals
    assert rival.difference is not None
    assert rival.difference.test == "paired permutation test"
    assert rival.p_value == pytest.approx(2 / 64)
    assert rival.beyond_noise


def test_one_seed_cannot_tell() -> None:
    (verdict,) = with_accuracies([0.99], [0.5]).verdicts
    assert not verdict.rivals[0].beyond_noise
    assert verdict.rivals[0].difference is not None
    assert verdict.rivals[0].difference.test is None


def test_rivals_are_of_one_sparsity() -> None:
    table = compare(candidates(KINDS, FINALS))
    assert [round(verdict.sparsity or 0, 2) for verdict in table.verdicts] == [0.8, 0.9]
    assert [row.name for row in table.rows] == [
        "polynomial final=80%", "constant final=80%", "polynomial final=90%", "constant final=90%",
    ]  # fmt: skip


def test_the_front_is_what_nobody_beats_in_both() -> None:
    finals = {"stages.prune.schedule.final": ["50%", "60%", "70%", "80%"]}
    results = [(0.99, 20_000), (0.98, 20_000), (0.97, 9_000), (0.97, 8_000)]
    found = [
        changed(one, accuracy, size)
        for one, (accuracy, size) in zip(candidates(finals, seeds=[7]), results, strict=True)
    ]
    assert {row.name for row in compare(found).rows if row.on_front} == {"final=50%", "final=80%"}


def test_rows_can_be_sorted_by_any_column_and_metric_puts_the_best_first() -> None:
    table = compare(candidates(KINDS, FINALS))
    sizes = [row.gzip_bytes for row in sorted_by(table, "gzip_bytes")]
    assert sizes == sorted(sizes, key=lambda size: size or 0)
    metrics = [row.metric for row in sorted_by(table, "metric")]
    assert metrics == sorted(metrics, key=lambda value: -(value or 0))
    assert sorted_by(table, "on_front")[0].on_front
    with refused(UsageError, "unknown_column", "'size'", "name, schedule"):
        sorted_by(table, "size")


def test_a_later_run_of_the_same_variant_and_seed_counts() -> None:
    (first, *_) = candidates(KINDS, seeds=2)
    table = compare([changed(first, 0.1), changed(first, 0.9)])
    assert table.rows[0].metric == 0.9
    assert table.rows[0].seeds == (7,)


def test_without_a_common_file_the_last_stage_is_compared() -> None:
    found = [
        Candidate(one.group, one.document, one.report.model_copy(update={"exports": []}))
        for one in candidates(KINDS, seeds=2)
    ]
    table = compare(found)
    assert table.export is None
    assert table.rows[0].metric == pytest.approx(found[0].report.stages[-1].measures["accuracy"], abs=0.01)
    assert table.rows[0].gzip_bytes is None
    assert (table.rows[0].drop or 0) > 0


def test_what_cannot_be_compared_is_refused() -> None:
    found = candidates(KINDS, seeds=2)
    with refused(UsageError, "nothing_to_compare"):
        compare([])
    with refused(UsageError, "run_not_found", "'float32'", "int8"):
        compare(found, "float32")
    other = found[0].report.model_copy(update={"metric": "auc"})
    with refused(UsageError, "not_comparable", "accuracy, auc"):
        compare([*found, Candidate("x", found[0].document, other)])


def test_unequal_seeds_data_and_processors_are_said() -> None:
    first, second, *rest = candidates(KINDS, seeds=2)
    other: Report = second.report.model_copy(
        update={
            "data": second.report.data.model_copy(update={"fingerprint": "0"}),
            "environment": Environment(cpu="Z80"),
        }
    )
    notes = " ".join(compare([first, Candidate(second.group, second.document, other), rest[0]]).notes)
    assert "same seeds" in notes
    assert "same data" in notes
    assert "different processors" in notes


def test_plain_runs_are_grouped_by_recipe_and_named_by_what_differs() -> None:
    runs = [(one.document, one.report) for one in candidates(KINDS, FINALS, seeds=2)]
    groups = [one.group for one in candidates_of_runs(runs)]
    assert len(set(groups)) == 4
    assert groups[:4] == groups[4:]
    assert groups[0] == "polynomial final=80%"


def test_a_single_variant_is_called_by_its_recipe() -> None:
    runs = [(one.document, one.report) for one in candidates(seeds=2)]
    assert {one.group for one in candidates_of_runs(runs)} == {"digits-prune-qat"}


def test_layer_rules_are_an_allocation() -> None:
    found = candidates(KINDS, **{"stages.prune.layers": [{"match": "logits", "skip": True}]})
    assert {row.allocation for row in compare(found).rows} == {"uniform with rules"}
