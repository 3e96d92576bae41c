"""Recipe, Plan, Run, Sweep, comparison and audit as parts of a page, e.g. of a notebook.

Each part contains its style, which affects nothing outside it and follows the light or dark theme of Jupyter, VS Code
and Colab. Without the style, as GitHub shows notebooks, it is headings and tables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tfopt.core.language.wording import counted
from tfopt.core.records.layer_support import totals
from tfopt.core.sweeps.candidates import flattened
from tfopt.report.comparison.fronts import latencies_differ, macs_differ
from tfopt.report.comparison.sentences import verdict_sentences
from tfopt.report.comparison.text import latency_text, macs_text, metric_text
from tfopt.report.plan import layers as layers_text
from tfopt.report.plan.chart import COLUMNS, schedules_chart
from tfopt.report.plan.text import shortened
from tfopt.report.run import sentences
from tfopt.report.run.outputs import OUTPUT_HEADINGS, output_rows
from tfopt.report.run.rows import budget_rows, export_rows, layer_table, likeness, stage_rows
from tfopt.report.run.shrinking import shrunk_stages
from tfopt.report.shared import explanation as rows
from tfopt.report.shared import formats
from tfopt.report.shared.page import inline_svg, template

if TYPE_CHECKING:
    from tfopt.core.config.schedules import ResolvedSchedule
    from tfopt.core.language.block import Block
    from tfopt.core.recipe.plan import Plan
    from tfopt.core.recipe.recipe import Recipe
    from tfopt.core.records.explanation import ExplanationRecord
    from tfopt.core.records.report import AuditRecord, Report
    from tfopt.core.sweeps.comparison import Comparison
    from tfopt.core.sweeps.record import Sweep
    from tfopt.report.live.progress import LiveProgress
    from tfopt.report.shared.style import Chart


def recipe_html(recipe: Recipe) -> str:
    """The recipe in one line per block; behind a click, every value with its path."""
    document = recipe.to_document()
    rows = [(key, _changed(getattr(recipe, key))) for key in ("data", "model", "compile")]
    rows += [(stage.name, _changed(stage, without=("name",))) for stage in recipe.stages]
    rows += [("files", ", ".join(recipe.export_names())), ("budgets", _inline_yaml(document["budgets"], top=True))]
    rows += [("seed", str(recipe.seed))]
    paths = [(path, _inline_yaml(value)) for path, value in flattened(document).items()]
    return _render("recipe", recipe=recipe, rows=[(name, value) for name, value in rows if value], paths=paths)


def plan_html(plan: Plan) -> str:
    """Stages with their status, sparsity schedules, layers, warnings."""
    schedules = planned_schedules(plan)
    drawn = [schedules_chart(schedules)] if schedules else []
    return _render(
        "plan",
        plan=plan,
        examples=sentences.examples_sentence(plan.data),
        figures=[(chart, inline_svg(chart)) for chart in drawn],
        columns=min(len(schedules), COLUMNS),
        words=layers_text,
        totals=layers_text.totals_facts(totals(plan.layers)),
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
    return _render(
        "run",
        report=report,
        examples=sentences.examples_sentence(report.data),
        verdict=sentences.verdict(report),
        warnings=sentences.warnings(report),
        exports=export_rows(report),
        outputs=output_rows(report),
        output_headings=OUTPUT_HEADINGS,
        likeness=likeness(report),
        stages=stage_rows(report),
        layers=layer_table(report),
        shrunk=shrunk_stages(report),
        skips=sentences.skip_sentences(report),
        budgets=budget_rows(report),
    )


def sweep_html(sweep: Sweep) -> str:
    """One line per trial."""
    states = Counter(trial.state for trial in sweep.record.trials)
    total = len(sweep.record.trials)
    tally = f"{counted(total, 'trial')}: {', '.join(f'{n} {state}' for state, n in states.items())}."
    trials = []
    for trial in sweep.record.trials:
        run = sweep.runs.get(trial.name)
        trials.append((trial, run.report.stages[-1].measures if run and run.report.stages else {}))
    return _render("sweep", record=sweep.record, tally=tally, trials=trials)


def comparison_html(comparison: Comparison) -> str:
    """The table of a comparison, and its sentences."""
    return _render(
        "compared",
        comparison=comparison,
        rows=comparison.rows,
        schedules=sorted({row.schedule for row in comparison.rows}),
        allocations=sorted({row.allocation for row in comparison.rows}),
        sentences=verdict_sentences(comparison),
        metric_text=metric_text,
        macs_text=macs_text,
        latency_text=latency_text,
        macs_differ=macs_differ,
        latencies_differ=latencies_differ,
    )


def audit_html(audit: AuditRecord) -> str:
    """Inputs, outputs, operators and tensors of a file."""
    return _render("audit", audit=audit)


def explanation_html(explanation: ExplanationRecord) -> str:
    """Where the accuracy of a file went."""
    return _render("explanation", explanation=explanation, x=rows)


def figures_html(drawn: Sequence[Chart]) -> str:
    """Figures side by side."""
    return _render("figures", figures=[(chart, inline_svg(chart)) for chart in drawn])


def progress_html(progress: LiveProgress) -> str:
    """A line for each finished stage or trial, and a bar for each that is running."""
    bars = [bar for bar in (progress.overall, *progress.bars) if bar is not None]
    return _render("progress", lines=progress.lines, bars=bars)


def _render(name: str, **values: object) -> str:
    return template(f"{name}_part.html.j2").render(f=formats, **values)


def _changed(block: Block, without: Sequence[str] = ()) -> str:
    """The values of a block that differ from its defaults: what its author wrote."""
    changed = _difference(block.model_dump(mode="json"), block.model_dump(mode="json", exclude_defaults=True))
    return _inline_yaml({key: value for key, value in changed.items() if key not in without}, top=True)


def _difference(everything: Mapping[str, object], changed: Mapping[str, object]) -> dict[str, object]:
    """The changed values; `kind` is always included, because the other keys depend on it."""
    found = {"kind": everything["kind"]} if "kind" in everything else {}
    for key, value in everything.items():
        inner = changed.get(key)
        if isinstance(value, dict) and isinstance(inner, dict):
            found[key] = _difference(value, inner)
        elif key in changed:
            found[key] = value
    return found


def _inline_yaml(value: object, top: bool = False) -> str:
    """A value as in a recipe, on one line."""
    if isinstance(value, Mapping):
        inside = ", ".join(f"{key}: {_inline_yaml(part)}" for key, part in value.items())
        return inside if top else f"{{{inside}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_inline_yaml(part) for part in value)}]"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)
