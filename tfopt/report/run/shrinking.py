"""What a shrink stage removed, group by group: sentences, table and the picture of the narrowed network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tfopt.core.language.wording import counted
from tfopt.report.shared import formats
from tfopt.report.shared.style import BLUE, INK, Chart, svg

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tfopt.core.records.report import Report

_ROW = 0.26
"""Inches of a group in the picture."""
_MOST = 40
"""Groups that the picture shows."""
_HEADINGS = ("group", "kind", "units", "score kept", "score removed", "MACs", "share of MACs")
_TIME_HEADINGS = ("ms by table", "share of ms")


@dataclass(frozen=True)
class ShrunkStage:
    """One shrink stage.

    Args:
        name: of the stage.
        sentences: budget, cost before and after, recovery.
        headings: of the columns of `rows`; with milliseconds where the budget was a latency.
        rows: of each group.
        widths: of each group: name, units before and after.
    """

    name: str
    sentences: tuple[str, ...]
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[tuple[str, int, int], ...]


def shrunk_stages(report: Report) -> tuple[ShrunkStage, ...]:
    """The shrink stages of a run, in order."""
    return tuple(
        ShrunkStage(
            stage.name,
            _sentences(stage.name, stage.details["shrink"], report.metric),
            _HEADINGS + (_TIME_HEADINGS if _is_timed(stage.details["shrink"]) else ()),
            _rows(stage.details["shrink"]),
            tuple((row["group"], row["units_before"], row["units_after"]) for row in stage.details["shrink"]["groups"]),
        )
        for stage in report.stages
        if "shrink" in stage.details
    )


def shrink_charts(report: Report) -> tuple[Chart, ...]:
    """The narrowed network of each shrink stage."""
    return tuple(_picture(stage) for stage in shrunk_stages(report) if stage.widths)


def _sentences(name: str, details: dict[str, Any], metric: str) -> tuple[str, ...]:
    found = [
        f"{name}: {details['budget']}, criterion {details['criterion']}, allocation {details['allocation']}. "
        f"MACs {_change(details, 'macs')}, parameters {_change(details, 'parameters')}. "
        f"In the table, {'MACs and times' if _is_timed(details) else 'the MACs'} of a group are those of all layers "
        "with its units; a layer between two groups counts in both."
    ]
    if "ms_after" in details:
        tries = [f"{planned:.3g}, {measured:.3g} ms" for planned, measured in details["tries"]]
        found.append(
            f"{name}: the float32 file of the network took {details['ms_after']:.3g} ms, timed in turns with the dense "
            "one" + (f"; tries (planned, measured): {'; '.join(tries)}." if tries else ".")
        )
    before = details.get("before_training")
    if before:
        solved, split = details.get("reconstructed", ()), details.get("judged_on", "validation")
        value = formats.measure(metric, before.get(metric))
        found.append(
            f"{name}: before training, {formats.spaced(metric)} {value} on {split} examples"
            + (f", with the weights of {counted(len(solved), 'layer')} solved again." if solved else ".")
        )
    return tuple(found)


def _change(details: dict[str, Any], what: str) -> str:
    before, after = details[f"{what}_before"], details[f"{what}_after"]
    share = f" ({after / before:.1%})" if before else ""
    return f"{formats.count(before)} to {formats.count(after)}{share}"


def _rows(details: dict[str, Any]) -> tuple[tuple[str, ...], ...]:
    total = max(details["macs_before"], 1)
    return tuple(
        (
            row["group"],
            row["kind"],
            f"{row['units_before']} to {row['units_after']}"
            if row["units_after"] != row["units_before"]
            else f"all {row['units_before']}",
            formats.number(row["score_kept"]),
            formats.number(row["score_removed"]),
            f"{formats.count(row['macs_before'])} to {formats.count(row['macs_after'])}",
            f"{row['macs_before'] / total:.1%} to {row['macs_after'] / max(details['macs_after'], 1):.1%}",
            *(_times(row, details) if _is_timed(details) else ()),
        )
        for row in details["groups"]
    )


def _is_timed(details: dict[str, Any]) -> bool:
    """Whether the budget was a latency, and the record has the time of the network by the table of layers."""
    return "ms_after_by_table" in details


def _times(row: dict[str, Any], details: dict[str, Any]) -> tuple[str, str]:
    """Milliseconds of the layers of a group, and their share of the network, before and after."""
    before, after = row["ms_before"], row["ms_after"]
    shares = (before / max(details["ms_before_by_table"], 1e-9), after / max(details["ms_after_by_table"], 1e-9))
    return f"{before:.3g} to {after:.3g}", f"{shares[0]:.1%} to {shares[1]:.1%}"


def _picture(stage: ShrunkStage) -> Chart:
    """Each group as a bar, from the inputs at the top: its units before as an outline, what stayed filled."""
    shown = stage.widths[:_MOST]

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        places = range(len(shown))
        before = [units for _, units, _ in shown]
        after = [units for _, _, units in shown]
        lefts = [-units / 2 for units in after]
        axes.barh(places, after, left=lefts, color=BLUE, alpha=0.55, height=0.72)
        outline = [-units / 2 for units in before]
        axes.barh(places, before, left=outline, facecolor="none", edgecolor=INK, linewidth=0.8, height=0.72)
        axes.set_yticks(places, [name for name, _, _ in shown], parse_math=False)
        axes.invert_yaxis()
        axes.set_xticks([])
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
        for place, (_, units, left) in zip(places, shown, strict=True):
            axes.text(
                units / 2 + max(before) * 0.02, place, f"{units} to {left}" if left != units else f"{units}",
                va="center", fontsize=8, color=INK,
            )  # fmt: skip
        axes.set_xlim(-max(before) * 0.52, max(before) * 0.75)

    words = "; ".join(f"{name} {before} to {after}" for name, before, after in stage.widths)
    rest = len(stage.widths) - len(shown)
    title = f"{stage.name}: units of each group" + (f", without the last {rest}" if rest else "")
    figure = svg(5.8, 0.5 + _ROW * len(shown), draw)
    return Chart(
        f"{stage.name}_units",
        title,
        f"Units of each group before and after {stage.name}: {words}.",
        figure,
        len(shown) > 20,
    )
