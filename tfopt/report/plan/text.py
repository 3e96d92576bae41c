"""A plan and the state of the environment as text for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tfopt.report.plan.files import files_text
from tfopt.report.plan.groups import groups_text
from tfopt.report.plan.layers import layers_text
from tfopt.report.plan.terminal_plot import schedule_plot
from tfopt.report.run.curves import ScheduleCurve, schedule_curves
from tfopt.report.run.sentences import examples_sentence
from tfopt.report.shared import formats
from tfopt.report.shared.terminal import heading, plain_text, table

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from tfopt.core.contracts.trial import TrialConversion
    from tfopt.core.recipe.plan import Plan, PlannedStage
    from tfopt.core.records.layer_support import LayerPreflight
    from tfopt.core.records.report import Environment
    from tfopt.core.records.shrink_groups import GroupPreflight

_STATUS_STYLE = {"cached": "green", "will run": ""}


def plan_text(plan: Plan, width: int = 80, unicode: bool = True) -> list[RenderableType]:
    """Stages, sparsity schedules, layers and warnings of a plan.

    Args:
        plan: what a run would do.
        width: columns of the terminal.
        unicode: whether it can show block characters.
    """
    parts: list[RenderableType] = [
        plain_text(plan.recipe.name, "bold"),
        plain_text(examples_sentence(plan.data)),
        heading("stages"),
        _stages(plan.stages),
    ]
    for stage in plan.stages:
        curves = schedule_curves(stage, points=max(2, min(width, 76)))
        for curve in curves:
            who = f"{stage.name}, {shortened(curve.layers)}" if curve.layers and len(curves) > 1 else stage.name
            final = formats.limit("sparsity", curve.final)
            goal = f"to {final}" if curve.below is None else f"by what is below {curve.below:g}, at most {final}"
            parts.append(heading(f"{who}: sparsity {goal}, masks updated {_updates(curve)}"))
            parts += [plain_text(line, "cyan") for line in schedule_plot(curve, min(width, 76), unicode=unicode)]
        if stage.notes:
            parts.append(heading(stage.name))
            parts += [plain_text(note) for note in stage.notes]
    if plan.layers:
        parts += layers_text(plan.layers, width)
    if plan.files:
        parts += files_text(plan.files)
    files = plan.recipe.export_names()
    parts += [plain_text(""), plain_text(f"files  {', '.join(files)}" if files else "no files will be written")]
    parts += [plain_text(f"warning: {warning}", "yellow") for warning in plan.warnings]
    return parts


def _updates(curve: ScheduleCurve) -> str:
    if curve.every is None:
        return "once" if curve.num_mask_updates == 1 else f"{curve.num_mask_updates} times"
    return "every step" if curve.every == 1 else f"every {curve.every} steps"


def shortened(names: Sequence[str], shown: int = 4) -> str:
    """The first names, and how many more there are."""
    rest = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {rest} more" if rest > 0 else "")


def _stages(stages: Sequence[PlannedStage]) -> Table:
    rows = [
        (
            plain_text(name, "bold"),
            str(stage.epochs) if stage.epochs else "–",
            formats.count(stage.steps) if stage.steps else "–",
            stage.key[:12],
            plain_text(stage.status, _STATUS_STYLE[stage.status]),
            stage.reason,
        )
        for name, stage in _in_order(stages)
    ]
    return table(("", "epochs", "steps", "key", "status", ""), rows, left=(0, 3, 4, 5))


def _in_order(stages: Sequence[PlannedStage], prefix: str = "") -> Iterator[tuple[str, PlannedStage]]:
    """Every stage that is run or looked up, each after those that make the models it needs."""
    seen: set[str] = set()
    for stage in stages:
        for source in stage.sources if stage.status != "cached" else ():
            if source.key not in seen:
                seen.add(source.key)
                needed = source.stages[-1:] if source.status == "cached" else source.stages
                yield from _in_order(needed, f"{prefix}{source.name}/")
        yield prefix + stage.name, stage


def doctor_text(
    environment: Environment,
    mismatches: Sequence[str],
    layers: Sequence[LayerPreflight],
    files: Sequence[TrialConversion] = (),
    width: int = 80,
    verbose: bool = False,
    groups: Sequence[GroupPreflight] = (),
) -> list[RenderableType]:
    """Versions, problems with them, and what a model's layers support.

    Args:
        environment: what is installed.
        mismatches: what cannot work, each with its fix.
        layers: of the model, if one was named.
        files: what the converter makes of it.
        width: columns of the terminal.
        verbose: everything about each layer, in words.
        groups: what can be removed from it.
    """
    names = {
        "tfopt": environment.tfopt, "python": environment.python, "tensorflow": environment.tensorflow,
        "tf-keras": environment.tf_keras, "keras": environment.keras,
        "tensorflow-model-optimization": environment.tfmot, "ai-edge-litert": environment.litert,
        "processor": environment.cpu, "threads": str(environment.threads) if environment.threads else "",
    }  # fmt: skip
    parts: list[RenderableType] = [
        table(
            ("", ""),
            [(plain_text(name, "bold"), value or plain_text("missing", "red")) for name, value in names.items()],
            left=(0, 1),
        ),
        plain_text(""),
    ]  # fmt: skip
    if mismatches:
        parts += [plain_text(f"problem: {mismatch}", "bold red") for mismatch in mismatches]
    else:
        parts.append(plain_text("These versions work together.", "bold green"))
    if not layers:
        return parts
    return [*parts, *layers_text(layers, width, verbose), *groups_text(groups, verbose), *files_text(files)]
