"""tfopt in Jupyter: rich displays, live progress, and plots with one call.

    %load_ext tfopt.notebook
    import tfopt
    from tfopt import notebook

    recipe = tfopt.load("recipes/digits_prune_qat.yaml")
    notebook.plot(recipe.stage("prune").schedule)
    run = tfopt.run(recipe, on_event=notebook.progress())
    notebook.plot(run, "sparsity")

The extension teaches the notebook how recipes, plans, runs, sweeps, comparisons and audits look; the classes
themselves know nothing of it. It also keeps the chatter of TensorFlow and LiteRT out of the cells. Needs
`pip install "tfopt[notebook]"`.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tfopt.core.config.schedules import ResolvedSchedule, ScheduleBase
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
from tfopt.results import ComparisonResult

if TYPE_CHECKING:
    from tfopt.core.contracts.events import Event

SECONDS_BETWEEN_UPDATES = 0.25
"""How often at most a running bar is drawn again: a browser must keep up with eight trials at once."""

Plottable = (
    ScheduleBase | ResolvedSchedule | Mapping[str, ScheduleBase | ResolvedSchedule] | Plan | Run | ComparisonResult
)
"""What `plot` can draw."""

_LOOKS: dict[type, tuple[Callable[[Any], str], Callable[[Any], str]]] = {
    Recipe: (parts.recipe_html, lambda recipe: f"Recipe {recipe.name}"),
    Plan: (parts.plan_html, lambda plan: f"Plan of {plan.recipe.name}"),
    Run: (
        lambda run: parts.run_html(run.report),
        lambda run: f"Run of {run.report.run.recipe}: {run.report.run.state}",
    ),
    Sweep: (parts.sweep_html, lambda sweep: f"Sweep of {sweep.record.recipe}: {len(sweep.record.trials)} trials"),
    ComparisonResult: (
        lambda compared: parts.comparison_html(compared.table),
        lambda compared: f"Comparison of {len(compared.table.rows)} variants",
    ),
    AuditRecord: (parts.audit_html, lambda audit: f"Audit: {sum(audit.operators.values())} operators"),
}
"""How each class looks in a notebook, and where there is only text."""


def load_ipython_extension(shell: Any) -> None:
    """Teaches an IPython shell how tfopt's objects look; called by `%load_ext tfopt.notebook`.

    Args:
        shell: IPython's `InteractiveShell`.
    """
    formatters = shell.display_formatter.formatters
    for kind, (html, text) in _LOOKS.items():
        formatters["text/html"].for_type(kind, html)
        formatters["text/plain"].for_type(kind, _printer(text))
    logging.getLogger("tensorflow").addFilter(_is_worth_a_look)
    if hasattr(shell, "kernel"):
        _hush_native_messages()


def unload_ipython_extension(shell: Any) -> None:
    """Forgets it again; called by `%unload_ext tfopt.notebook`."""
    for kind in _LOOKS:
        for mime in ("text/html", "text/plain"):
            shell.display_formatter.formatters[mime].pop(kind, None)
    logging.getLogger("tensorflow").removeFilter(_is_worth_a_look)


def enable() -> None:
    """Does what `%load_ext tfopt.notebook` does, without a magic command.

    Raises:
        EnvironmentProblem: IPython is not installed.
        UsageError: this is no notebook and no IPython shell.
    """
    try:
        from IPython.core.getipython import get_ipython
    except ImportError as error:
        raise EnvironmentProblem("Jupyter is not installed.", 'Install it: pip install "tfopt[notebook]".') from error
    shell = get_ipython()
    if shell is None:
        raise UsageError("tfopt.notebook.enable() works inside a notebook only.", "Run it in a cell.")
    load_ipython_extension(shell)


def progress() -> Callable[[Event], None]:
    """Live progress below the cell, for `tfopt.run(recipe, on_event=progress())` and for `tfopt.sweep`.

    Shows stage, epoch, sparsity, metric and the time left while it runs, and a line for whatever is finished. Quiet
    outside notebooks.
    """
    return _Progress() if _in_notebook() else _quiet


def plot(what: Plottable, figure: str | None = None, *, epochs: int = 10, steps_per_epoch: int = 100) -> Figures:
    """Figures of a schedule, several schedules by name, a plan, a run or a comparison.

    Args:
        what: what to draw.
        figure: name of one figure, e.g. `sparsity`; all figures by default.
        epochs: length of the stage, for schedules that belong to no plan yet.
        steps_per_epoch: optimizer steps of each epoch, likewise.

    Returns:
        Figures that a notebook shows.

    Raises:
        UsageError: there is no such figure, or a schedule that does not fit into the stage.
    """
    drawn = _charts(what, epochs, steps_per_epoch)
    chosen = tuple(chart for chart in drawn if figure in (None, chart.name))
    if not chosen:
        names = ", ".join(chart.name for chart in drawn)
        asked = "no figure" if figure is None else f"no figure {figure!r}"
        raise UsageError(f"There is {asked} to draw.", f"There are: {names}." if names else "")
    return Figures(chosen)


@dataclass(frozen=True)
class Figures:
    """Figures that a notebook shows.

    Args:
        charts: what is shown; a single one is shown as a plain SVG image, which any viewer of notebooks can show.
    """

    charts: tuple[style.Chart, ...]

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
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
            schedules = {str(name): _resolved(one, epochs, steps_per_epoch) for name, one in what.items()}
        case _:
            raise UsageError(f"Cannot plot {type(what).__name__}.", "Give a schedule, a plan, a run or a comparison.")
    return (schedules_chart(schedules),) if schedules else ()


def _resolved(schedule: ScheduleBase | ResolvedSchedule, epochs: int, steps_per_epoch: int) -> ResolvedSchedule:
    if isinstance(schedule, ResolvedSchedule):
        return schedule
    try:
        return schedule.resolve(epochs * steps_per_epoch, steps_per_epoch)
    except ValueError as error:
        raise UsageError(
            f"This schedule does not fit into {epochs} epochs of {steps_per_epoch} steps: {error}",
            "Give epochs and steps_per_epoch of its stage.",
        ) from error


def _printer(text: Callable[[Any], str]) -> Callable[[Any, Any, bool], None]:
    """A text formatter: one line, instead of a repr as long as the report."""

    def show(thing: Any, printer: Any, cycle: bool) -> None:
        printer.text(f"<{text(thing)}>")

    return show


def _is_worth_a_look(record: logging.LogRecord) -> bool:
    """Whether a message of TensorFlow is a warning that a user can do something about.

    In an interactive Python, TensorFlow tells everything. Its advice on retracing is about one model in a loop; a
    notebook that runs two recipes evaluates many models once each.
    """
    return record.levelno >= logging.WARNING and "triggered tf.function retracing" not in record.getMessage()


def _hush_native_messages() -> None:
    """Keeps C++ libraries out of the cells, as the command line keeps them off the terminal.

    TensorFlow 2.21 writes four lines about oneDNN and CUDA to file descriptor 2 whatever TF_CPP_MIN_LOG_LEVEL says, and
    LiteRT one per delegate. What Python writes to stderr takes another way to the notebook, and still arrives.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)


def _quiet(event: Event) -> None:
    """Shows nothing."""


def _in_notebook() -> bool:
    """Whether cells of a notebook are being run: in a shell or a script nobody can look at HTML."""
    # A process that never imported IPython is no notebook: nothing needs to be imported to know it.
    if "IPython" not in sys.modules:
        return False
    from IPython.core.getipython import get_ipython

    return hasattr(get_ipython(), "kernel")


class _Progress:
    """Draws what is going on into one place below the cell."""

    def __init__(self) -> None:
        from IPython.display import display

        self.state = LiveProgress()
        self.shown_at = time.monotonic()
        self.handle = display(self._drawn(), raw=True, display_id=True)  # type: ignore[no-untyped-call]

    def __call__(self, event: Event) -> None:
        now = time.monotonic()
        self.state.update(event, now)
        if event["event"] == "progress" and now - self.shown_at < SECONDS_BETWEEN_UPDATES:
            return
        self.shown_at = now
        self.handle.update(self._drawn(), raw=True)

    def _drawn(self) -> dict[str, str]:
        return {"text/html": parts.progress_html(self.state), "text/plain": "\n".join(self.state.lines)}
