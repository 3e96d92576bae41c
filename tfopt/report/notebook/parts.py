"""Recipe, Plan, Run, Sweep, comparison and audit as pieces of a page that is somebody else's, as a notebook's is.

Each piece brings its style, which touches nothing outside it and follows the light or dark theme of Jupyter, VS Code
and Colab. Without the style, as GitHub shows notebooks, it still is headings and tables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tfopt.core.records.layer_support import totals
from tfopt.core.sweeps.candidates import flattened
from tfopt.report.comparison.data import verdict_sentences
from tfopt.report.comparison.text import metric_text
from tfopt.report.plan import layers as text_layers
from tfopt.report.plan.chart import COLUMNS, schedules_chart
from tfopt.report.plan.text import shortened
from tfopt.report.run import data
from tfopt.report.run.html import inline, template
from tfopt.report.run.text import examples
from tfopt.report.shared import formats

if TYPE_CHECKING:
    from tfopt.core.config.schedules import ResolvedSchedule
    from tfopt.core.recipe.plan import Plan
    from tfopt.core.recipe.recipe import Recipe
    from tfopt.core.records.report import AuditRecord, Report
    from tfopt.core.sweeps.comparison import Comparison
    from tfopt.core.sweeps.record import Sweep
    from tfopt.report.live.watch import MetricMonitor
    from tfopt.report.shared.style import Chart


def recipe_html(recipe: Recipe) -> str:
    """What is asked, in one line per block; behind a click, every value with its path."""
    document = recipe.to_document()
    rows = [(key, _changed(getattr(recipe, key))) for key in ("data", "model", "compile")]
    rows += [(stage.name, _changed(stage, without=("name",))) for stage in recipe.stages]
    rows += [("files", ", ".join(recipe.export_names())), ("budgets", _spelled(document["budgets"], top=True))]
    rows += [("seed", str(recipe.seed))]
    paths = [(path, _spelled(value)) for path, value in flattened(document).items()]
    return _drawn("recipe", recipe=recipe, rows=[(name, value) for name, value in rows if value], paths=paths)


def plan_html(plan: Plan) -> str:
    """Stages with their status, sparsity schedules, layers, warnings."""
    schedules = planned_schedules(plan)
    drawn = [schedules_chart(schedules)] if schedules else []
    return _drawn(
        "plan",
        plan=plan,
        examples=examples(plan.data),
        figures=[(chart, inline(chart)) for chart in drawn],
        columns=min(len(schedules), COLUMNS),
        words=text_layers,
        totals=text_layers.totals_facts(totals(plan.layers)),
    )


def planned_schedules(plan: Plan) -> dict[str, ResolvedSchedule]:
    """The distinct sparsity schedules of a plan, by the stage and the layers that follow them."""
    found = {}
    for stage in plan.stages:
        groups: list[tuple[ResolvedSchedule, list[str]]] = []
        for layer, schedule in stage.schedules.items():
            layers = next((layers for known, layers in groups if known == schedule), None)
            if layers is None:
                groups.append((schedule, layers := []))
            layers.append(layer)
        for schedule, layers in groups:
            whole = len(groups) == 1 or "" in layers
            found[stage.name if whole else f"{stage.name}, {shortened(layers, 2)}"] = schedule
    return found


def run_html(report: Report) -> str:
    """The verdict, files and stages of a run; behind a click, budgets and layers."""
    return _drawn(
        "run",
        report=report,
        examples=examples(report.data),
        verdict=data.verdict(report),
        exports=data.export_rows(report),
        stages=data.stage_rows(report),
        layers=data.layer_table(report),
        skips=data.skip_sentences(report),
        budgets=data.budget_rows(report),
    )


def sweep_html(sweep: Sweep) -> str:
    """One line per trial."""
    states = Counter(trial.state for trial in sweep.record.trials)
    total = len(sweep.record.trials)
    tally = f"{total} trial{'' if total == 1 else 's'}: {', '.join(f'{n} {state}' for state, n in states.items())}."
    trials = []
    for trial in sweep.record.trials:
        run = sweep.runs.get(trial.name)
        trials.append((trial, run.report.stages[-1].measures if run and run.report.stages else {}))
    return _drawn("sweep", record=sweep.record, tally=tally, trials=trials)


def comparison_html(comparison: Comparison) -> str:
    """The table of a comparison, and what can be said about it."""
    return _drawn(
        "compared",
        comparison=comparison,
        rows=comparison.rows,
        schedules=sorted({row.schedule for row in comparison.rows}),
        allocations=sorted({row.allocation for row in comparison.rows}),
        sentences=verdict_sentences(comparison),
        metric_text=metric_text,
    )


def audit_html(audit: AuditRecord) -> str:
    """Inputs, outputs, operators and tensors of a file."""
    return _drawn("audit", audit=audit)


def figures_html(drawn: Sequence[Chart]) -> str:
    """Figures side by side."""
    return _drawn("figures", figures=[(chart, inline(chart)) for chart in drawn])


def watch_html(watch: MetricMonitor) -> str:
    """What is finished, and a bar for whatever runs."""
    bars = [bar for bar in (watch.overall, *watch.bars) if bar is not None]
    return _drawn("watch", lines=watch.lines, bars=bars)


def _drawn(name: str, **values: Any) -> str:
    return template(f"{name}_part.html.j2").render(f=formats, **values)


def _changed(block: Any, without: Sequence[str] = ()) -> str:
    """What of a block is not as it would be anyway: what its author wrote."""
    told = _difference(block.model_dump(mode="json"), block.model_dump(mode="json", exclude_defaults=True))
    return _spelled({key: value for key, value in told.items() if key not in without}, top=True)


def _difference(everything: Mapping[str, Any], changed: Mapping[str, Any]) -> dict[str, Any]:
    """The changed values; a `kind` is always said, for it names what the others belong to."""
    told = {"kind": everything["kind"]} if "kind" in everything else {}
    for key, value in everything.items():
        if isinstance(value, dict) and isinstance(changed.get(key), dict):
            told[key] = _difference(value, changed[key])
        elif key in changed:
            told[key] = value
    return told


def _spelled(value: Any, top: bool = False) -> str:
    """A value as in a recipe, on one line."""
    if isinstance(value, Mapping):
        inside = ", ".join(f"{key}: {_spelled(part)}" for key, part in value.items())
        return inside if top else f"{{{inside}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_spelled(part) for part in value)}]"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)
