"""Mistakes that only show across the parts of a recipe, and need neither data nor TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tfopt.core.config.data import Augment
from tfopt.core.config.model_source import sources_in
from tfopt.core.config.ramps import Change
from tfopt.core.config.schedules import Metric, ScheduleBase, SparsityStep, Stepwise
from tfopt.core.config.training.class_weights import class_weight_problems
from tfopt.core.config.training.compile import Compile
from tfopt.core.config.training.learning_rate import CosineRate, ExponentialRate, PiecewiseRate, PlateauRate, RateStep
from tfopt.core.contracts.export import Export
from tfopt.core.contracts.stage import EarlyStopping, Stage, TrainingStage
from tfopt.core.language.block import Block, blocks_in
from tfopt.core.language.mistakes import Mistake, RecipePath, below
from tfopt.core.language.quantities import Span
from tfopt.core.language.suggest import closest
from tfopt.core.language.wording import counted, name_of, with_stop
from tfopt.errors import Problem


def stage_problems(stage: Stage, path: RecipePath, compile: Compile, augment: Augment | None) -> list[Problem]:
    """Everything wrong with one stage besides its values.

    Args:
        stage: a stage whose own values are valid.
        path: its location in the recipe.
        compile: optimizer and metrics of the recipe.
        augment: how the recipe changes training images.
    """
    found = [*stage.problems(), *_monitors(stage, compile)]
    if isinstance(stage, TrainingStage):
        found += _spans(stage, stage.epochs)
        found += class_weight_problems(stage.class_weights, compile)
        if stage.teacher is not None:
            found += below(("teacher",), stage.teacher.problems_with(compile, augment))
    return _problems(found, path, stage.name)


def chain_problems(stages: Sequence[Stage]) -> list[Problem]:
    """Everything wrong with what stages take from earlier ones, or leave to later ones.

    Args:
        stages: all of the recipe.
    """
    found: list[Problem] = []
    for index, stage in enumerate(stages):
        mistakes = [
            *stage.problems_after(stages[:index]),
            *stage.problems_before(stages[index + 1 :]),
            *_sources(stage, [one.name for one in stages[:index]]),
        ]
        found += _problems(mistakes, ("stages", index, stage.kind), stage.name)
    return found


def _sources(stage: Stage, earlier: Sequence[str]) -> Iterator[Mistake]:
    for path, source in sources_in(stage):
        yield from below(path, source.problems(earlier))


def export_problems(exports: Sequence[Export]) -> list[Problem]:
    """Everything wrong with what exports take from each other."""
    return [
        Problem(("export", export.kind, *mistake.path), with_stop(mistake.message), code=mistake.code)
        for export in exports
        for mistake in export.problems_beside([other for other in exports if other is not export])
    ]


def compile_problems(compile: Compile, stages: Sequence[Stage]) -> list[Problem]:
    """Everything wrong with the learning rate of `compile` in the stages that use it."""
    found = list(_monitors(compile, compile))
    for stage in stages:
        if isinstance(stage, TrainingStage) and stage.learning_rate is None:
            known = {mistake.path for mistake in found}
            found += [
                replace(mistake, message=f"{mistake.message} (in stage {stage.name})")
                for mistake in _spans(compile, stage.epochs)
                if mistake.path not in known
            ]
    return _problems(found, ("compile",), "compile")


def _problems(found: Sequence[Mistake], path: RecipePath, label: str) -> list[Problem]:
    return [
        Problem(
            (*path, *mistake.path), f"{name_of(label, mistake.path)} {with_stop(mistake.message)}", code=mistake.code
        )
        for mistake in found
    ]


def _monitors(block: Block, compile: Compile) -> Iterator[Mistake]:
    together = [metric.label for metric in compile.together]
    measured = [*compile.losses, *(name for name in compile.metric_names if name not in together)]
    known = [*measured, *(f"val_{name}" for name in measured)]
    for path, part in blocks_in(block):
        if isinstance(part, (EarlyStopping, PlateauRate, Metric)) and part.monitor not in known:
            guess = closest(part.monitor, known) or f" Expected one of {', '.join(known)}."
            if part.monitor.removeprefix("val_") in together:
                guess = f" A metric of all outputs is measured of finished stages and of files. Use {known[-1]}."
            yield Mistake(
                (*path, "monitor"), f"watches {part.monitor!r}, which is not measured.{guess}", code="unknown_metric"
            )


def _spans(block: Block, epochs: int) -> Iterator[Mistake]:
    for path, part in blocks_in(block):
        if isinstance(part, ScheduleBase):
            found = _of_schedule(part, epochs)
        elif isinstance(part, CosineRate):
            found = _within(("warmup",), part.warmup, epochs, "the rate would never come down")
        elif isinstance(part, ExponentialRate):
            found = _positive(("every",), part.every)
        elif isinstance(part, Change):
            found = _of_change(part, epochs)
        elif isinstance(part, PiecewiseRate):
            found = _of_steps(part.steps, epochs, "this rate would never be used")
        else:
            continue
        yield from below(path, found)


def _share(span: Span, epochs: int) -> float | None:
    """A span as a share of the stage; None where that depends on the number of steps."""
    if span.unit == "steps":
        return None
    return span.amount if span.unit == "%" else span.amount / epochs


def _stage_of(epochs: int) -> str:
    return f"the stage has {counted(epochs, 'epoch')}"


def _positive(path: RecipePath, span: Span) -> Iterator[Mistake]:
    if span.amount == 0:
        yield Mistake(path, f"must be longer than nothing. Got {span}", code="out_of_range")


def _within(path: RecipePath, span: Span, epochs: int, consequence: str) -> Iterator[Mistake]:
    share = _share(span, epochs)
    if share is not None and share >= 1:
        yield Mistake(path, f"is {span}, but {_stage_of(epochs)}: {consequence}", code="outside_stage")


def _of_change(change: Change, epochs: int) -> Iterator[Mistake]:
    begin, end = _share(change.begin, epochs), _share(change.end, epochs)
    if begin is not None and begin >= 1:
        yield Mistake(
            ("begin",), f"is {change.begin}, but {_stage_of(epochs)}: nothing would ever change", code="outside_stage"
        )
    elif end is not None and end > 1:
        yield Mistake(
            ("end",),
            f"is {change.end}, but {_stage_of(epochs)}: {change.final:g} would never be reached",
            code="outside_stage",
        )
    elif _not_after(change.begin, change.end, epochs):
        yield Mistake(("end",), f"is {change.end}: it must come after begin ({change.begin})", code="wrong_order")


def _of_schedule(schedule: ScheduleBase, epochs: int) -> Iterator[Mistake]:
    if isinstance(schedule, Stepwise):
        yield from _of_steps(schedule.steps, epochs, "this sparsity would never come")
        return
    # Kinds that derive begin or end from other keys are checked when they are resolved.
    written = {key: value for key in type(schedule).model_fields if isinstance(value := getattr(schedule, key), Span)}
    if "begin" not in written:
        return
    begin, end = _share(schedule.begin, epochs), _share(schedule.end, epochs)
    if begin is not None and begin >= 1:
        yield Mistake(
            ("begin",), f"is {schedule.begin}, but {_stage_of(epochs)}: pruning would never begin", code="outside_stage"
        )
    elif "end" not in written:
        return
    elif end is not None and end > 1:
        reached = f"{schedule.final_sparsity():.0%} would never be reached"
        yield Mistake(("end",), f"is {schedule.end}, but {_stage_of(epochs)}: {reached}", code="outside_stage")
    elif _not_after(schedule.begin, schedule.end, epochs):
        yield Mistake(("end",), f"is {schedule.end}: it must come after begin ({schedule.begin})", code="wrong_order")
    elif "every" in written:
        yield from _positive(("every",), written["every"])
        every = _share(written["every"], epochs)
        # The tolerance is for 10 epochs / 100 - 3% and the like.
        if every is not None and begin is not None and end is not None and every > end - begin + 1e-9:
            longer = "longer than from begin to end: the masks would never be updated"
            yield Mistake(("every",), f"is {written['every']}, {longer}", code="outside_stage")


def _of_steps(steps: Sequence[RateStep | SparsityStep], epochs: int, consequence: str) -> Iterator[Mistake]:
    for index, step in enumerate(steps):
        yield from _within(("steps", index, "at"), step.at, epochs, consequence)
        if index and _not_after(steps[index - 1].at, step.at, epochs):
            yield Mistake(
                ("steps", index, "at"),
                f"is {step.at}: it must come after the step before ({steps[index - 1].at})",
                code="wrong_order",
            )


def _not_after(first: Span, second: Span, epochs: int) -> bool:
    """Whether `second` is known to come no later than `first`."""
    if first.unit == second.unit:
        return second.amount <= first.amount
    earlier, later = _share(first, epochs), _share(second, epochs)
    return earlier is not None and later is not None and later <= earlier
