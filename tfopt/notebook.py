"""tfopt in Jupyter: rich displays, live progress, and plots with one call.

    %load_ext tfopt.notebook
    import tfopt
    from tfopt import notebook

    recipe = tfopt.load("recipes/digits_prune_qat.yaml")
    notebook.plot(recipe.stage("prune").schedule)
    run = tfopt.run(recipe, on_event=notebook.progress())
    notebook.plot(run, "sparsity")

The extension registers displays of recipes, plans, runs, sweeps, comparisons and audits; their classes do not depend on
it. It also keeps log messages of TensorFlow and LiteRT out of the cells. Needs
`pip install "tfopt[notebook]"`.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from tfopt.core.config.schedules import ResolvedSchedule, ScheduleBase
from tfopt.core.language.wording import counted
from tfopt.core.recipe.plan import Plan
from tfopt.core.recipe.recipe import Recipe
from tfopt.core.records.report import AuditRecord
from tfopt.core.records.run import Run
from tfopt.core.sweeps.record import Sweep
from tfopt.errors import EnvironmentProblem, UsageError
from tfopt.report.comparison import charts as comparison_charts
from tfopt.report.live.progress import LiveProgress
from tfopt.report.notebook import parts
from tfopt.report.plan.chart import schedules_chart
from tfopt.report.run import charts
from tfopt.report.shared import style
from tfopt.results import ComparisonResult, Inspection

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from tfopt.core.contracts.events import Event

SECONDS_BETWEEN_UPDATES = 0.25
"""Shortest time between two updates of a bar: a browser must keep up with eight trials at once."""

Plottable = (
    ScheduleBase | ResolvedSchedule | Mapping[str, ScheduleBase | ResolvedSchedule] | Plan | Run | ComparisonResult
)
"""What `plot` can draw."""

_DISPLAYS: dict[type, tuple[Callable[[Any], str], Callable[[Any], str]]] = {
    Recipe: (parts.recipe_html, lambda recipe: f"Recipe {recipe.name}"),
    Plan: (parts.plan_html, lambda plan: f"Plan of {plan.recipe.name}"),
    Run: (
        lambda run: parts.run_html(run.report),
        lambda run: f"Run of {run.report.run.recipe}: {run.report.run.state}",
    ),
    Sweep: (
        parts.sweep_html,
        lambda sweep: f"Sweep of {sweep.record.recipe}: {counted(len(sweep.record.trials), 'trial')}",
    ),
    ComparisonResult: (
        lambda compared: parts.comparison_html(compared.table),
        lambda compared: f"Comparison of {len(compared.table.rows)} variants",
    ),
    Inspection: (
        lambda found: parts.explanation_html(found.explanation),
        lambda found: f"Comparison with {found.explanation.against}",
    ),
    AuditRecord: (parts.audit_html, lambda audit: f"Audit: {counted(sum(audit.operators.values()), 'operator')}"),
}
"""HTML and text of each class. `Any`: a function accepts the class of its key only, which no type of a dict says."""


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Registers the displays of tfopt's objects; called by `%load_ext tfopt.notebook`.

    Args:
        shell: IPython's `InteractiveShell`.
    """
    formatters = _formatters(shell)
    for kind, (html, text) in _DISPLAYS.items():
        formatters["text/html"].for_type(kind, html)
        formatters["text/plain"].for_type(kind, _printer(text))
    logging.getLogger("tensorflow").addFilter(_is_useful)
    if hasattr(shell, "kernel"):
        _silence_native_libraries()


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Removes the displays; called by `%unload_ext tfopt.notebook`."""
    for kind in _DISPLAYS:
        for mime in ("text/html", "text/plain"):
            _formatters(shell)[mime].pop(kind, None)
    logging.getLogger("tensorflow").removeFilter(_is_useful)


def _formatters(shell: InteractiveShell) -> Any:  # untyped in IPython
    return shell.display_formatter.formatters  # type: ignore[union-attr]  # None only without a shell


def enable() -> None:
    """Does what `%load_ext tfopt.notebook` does, without a magic command.

    Raises:
        EnvironmentProblem: IPython is not installed.
        UsageError: this is neither a notebook nor an IPython shell.
    """
    try:
        from IPython.core.getipython import get_ipython
    except ImportError as error:
        raise EnvironmentProblem(
            "Jupyter is not installed.", 'Install it: pip install "tfopt[notebook]".', code="missing_package"
        ) from error
    shell = get_ipython()
    if shell is None:
        raise UsageError("tfopt.notebook.enable() works inside a notebook only.", "Run it in a cell.", code="usage")
    load_ipython_extension(shell)


def progress() -> Callable[[Event], None]:
    """Live progress below the cell, for `tfopt.run(recipe, on_event=progress())` and for `tfopt.sweep`.

    Shows stage, epoch, sparsity, metric and the time left, and a line for each finished stage or trial. Shows nothing
    outside notebooks.
    """
    return _Progress() if _in_notebook() else _quiet


def plot(what: Plottable, figure: str | None = None, *, epochs: int = 10, steps_per_epoch: int = 100) -> Figures:
    """Figures of a schedule, several schedules by name, a plan, a run or a comparison.

    Args:
        what: what to draw.
        figure: name of one figure, e.g. `sparsity`; all figures by default.
        epochs: length of the stage, for schedules without a plan.
        steps_per_epoch: optimizer steps of each epoch, for schedules without a plan.

    Returns:
        Figures that a notebook shows.

    Raises:
        UsageError: there is no such figure, or a schedule that does not fit into the stage.
    """
    available = _charts(what, epochs, steps_per_epoch)
    chosen = tuple(chart for chart in available if figure in (None, chart.name))
    if not chosen:
        names = ", ".join(chart.name for chart in available)
        missing = "no figure" if figure is None else f"no figure {figure!r}"
        raise UsageError(f"There is {missing} to draw.", f"There are: {names}." if names else "", code="usage")
    return Figures(chosen)


@dataclass(frozen=True)
class Figures:
    """Figures that a notebook shows.

    Args:
        charts: what is shown; a single one is shown as a plain SVG image, which every viewer of notebooks supports.
    """

    charts: tuple[style.Chart, ...]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        text = "\n".join(chart.description for chart in self.charts)
        if len(self.charts) == 1:
            return {"image/svg+xml": self.charts[0].svg, "text/plain": text}
        return {"text/html": parts.figures_html(self.charts), "text/plain": text}


def _charts(what: Plottable, epochs: int, steps_per_epoch: int) -> tuple[style.Chart, ...]:
    match what:
        case Run():
            return charts.charts(what.report)
        case ComparisonResult():
            drawn = comparison_charts.drawings(what.table, what.candidates)
            return tuple(drawing.chart() for drawing in drawn)
        case Plan():
            schedules = parts.planned_schedules(what)
        case ScheduleBase():
            schedules = {what.kind: _resolved(what, epochs, steps_per_epoch)}
        case ResolvedSchedule():
            schedules = {what.schedule.kind: what}
        case Mapping():
            schedules = {str(name): _resolved(schedule, epochs, steps_per_epoch) for name, schedule in what.items()}
        case _:
            hint = "Give a schedule, a plan, a run or a comparison."
            raise UsageError(f"Cannot plot {type(what).__name__}.", hint, code="usage")
    return (schedules_chart(schedules),) if schedules else ()


def _resolved(schedule: ScheduleBase | ResolvedSchedule, epochs: int, steps_per_epoch: int) -> ResolvedSchedule:
    if isinstance(schedule, ResolvedSchedule):
        return schedule
    try:
        return schedule.resolve(epochs * steps_per_epoch, steps_per_epoch)
    except ValueError as error:
        raise UsageError(
            f"This schedule does not fit into {counted(epochs, 'epoch')} of "
            f"{counted(steps_per_epoch, 'step')}: {error}",
            "Give epochs and steps_per_epoch of its stage.",
            code="outside_stage",
        ) from error


def _printer(text: Callable[[Any], str]) -> Callable[[object, _Printer, bool], None]:
    """A text formatter: one line, instead of a repr as long as the report."""

    def show(thing: object, printer: _Printer, cycle: bool) -> None:
        printer.text(f"<{text(thing)}>")

    return show


def _is_useful(record: logging.LogRecord) -> bool:
    """Whether a message of TensorFlow is a warning that a user can do something about.

    In an interactive Python, TensorFlow logs everything. Its advice on retracing is about one model in a loop; a
    notebook that runs two recipes evaluates many models once each.
    """
    return record.levelno >= logging.WARNING and "triggered tf.function retracing" not in record.getMessage()


def _silence_native_libraries() -> None:
    """Keeps C++ libraries out of the cells, as the command line keeps them off the terminal.

    TensorFlow 2.21 writes four lines about oneDNN and CUDA to file descriptor 2 whatever TF_CPP_MIN_LOG_LEVEL says, and
    LiteRT one per delegate. What Python writes to stderr is sent to the notebook in a different way and still shown.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)


def _quiet(event: Event) -> None:
    """Shows nothing."""


def _in_notebook() -> bool:
    """Whether this process runs cells of a notebook; shells and scripts show no HTML."""
    # A process that has not imported IPython is not a notebook; this check imports nothing.
    if "IPython" not in sys.modules:
        return False
    from IPython.core.getipython import get_ipython

    return hasattr(get_ipython(), "kernel")


class _Printer(Protocol):
    """IPython's pretty printer."""

    def text(self, text: str) -> None: ...


class _Progress:
    """One display below the cell, redrawn while a run or a sweep goes on."""

    def __init__(self) -> None:
        from IPython.display import display

        self.state = LiveProgress()
        self.shown_at = time.monotonic()
        self.handle = display(self._display(), raw=True, display_id=True)  # type: ignore[no-untyped-call]  # IPython

    def __call__(self, event: Event) -> None:
        now = time.monotonic()
        self.state.update(event, now)
        if event["event"] == "progress" and now - self.shown_at < SECONDS_BETWEEN_UPDATES:
            return
        self.shown_at = now
        self.handle.update(self._display(), raw=True)

    def _display(self) -> dict[str, str]:
        return {"text/html": parts.progress_html(self.state), "text/plain": "\n".join(self.state.lines)}
