"""Draws docs/life_of_a_run.svg, the steps of `tfopt run`: `python docs/draw_life_of_a_run.py`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

WIDTH, BOX, GAP, TOP = 1000, 96, 30, 44
COLUMNS = ((20, 270), (320, 360), (710, 270))
"""Left edge and width of the columns: code, step, what is written."""


@dataclass(frozen=True)
class Step:
    """One step of a run.

    Args:
        title: what happens.
        lines: details, at most three lines.
        code: files and folders of `tfopt/` that do it.
        written: which files are read or written.
        tensorflow: whether the step loads TensorFlow.
    """

    title: str
    lines: tuple[str, ...]
    code: tuple[str, ...]
    written: tuple[str, ...]
    tensorflow: bool = False


STEPS = (
    Step(
        "1  Read the recipe",
        ("YAML to checked, typed blocks; every", "mistake at once, with line and code"),
        ("io/recipes/", "core/language/", "core/recipe/"),
        ("reads recipe.yaml",),
    ),
    Step(
        "2  Look for a finished run",
        ("same recipe, seed, versions: return that run", "and stop here; unfinished: resume in its folder"),
        ("api/runs.py", "io/runs/"),
        ("reads saved_models/NAME/",),
    ),
    Step(
        "3  Prepare",
        ("load data and model (Keras 3 to tf_keras);", "preflight of every stage and export;", "a key per stage"),
        ("engine/plan.py", "engine/keys.py", "backend/data/, models/, bridge/"),
        ("reads the store's keys",),
        tensorflow=True,
    ),
    Step(
        "4  For each stage",
        ("key in the store: load its result; otherwise", "apply, check what it promised, measure, store"),
        ("engine/run.py", "stages/KIND.py", "backend/stages/KIND.py"),
        ("store: model, record", "run folder: events.jsonl"),
        tensorflow=True,
    ),
    Step(
        "5  For each export",
        (
            "convert in a child process, read the file back,",
            "run it on the test split, compare, time;",
            "claims with what was found",
        ),
        ("export/KIND.py", "backend/export/, audit/, tflite/", "core/claims/"),
        ("export/*.tflite, *.keras, ...",),
        tensorflow=True,
    ),
    Step(
        "6  Report",
        (
            "budgets are judged; the record is written,",
            "then drawn; exit code 0, or 7 when a claim",
            "or budget does not hold",
        ),
        ("core/records/", "report/run/", "cli/run.py"),
        ("report.json", "report.html, figures/*.svg"),
    ),
)


def drawing() -> str:
    """The picture as SVG."""
    height = TOP + len(STEPS) * (BOX + GAP)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'aria-label="The six steps of a run, the files that carry them out, and what each writes" '
        'font-family="sans-serif" font-size="14">',
        f'<rect width="{WIDTH}" height="{height}" rx="8" fill="#ffffff"/>',
    ]
    for (left, width), head in zip(
        COLUMNS, ("code in tfopt/", "step (orange: TensorFlow is loaded)", "files"), strict=True
    ):
        lines.append(text(left + width / 2, 28, head, "#57606a", "middle"))
    for number, step in enumerate(STEPS):
        lines += row(step, TOP + number * (BOX + GAP), last=number == len(STEPS) - 1)
    return "\n".join([*lines, "</svg>"]) + "\n"


def row(step: Step, top: int, *, last: bool) -> list[str]:
    """One step with its code and its files."""
    (code, code_width), (left, width), (written, _) = COLUMNS
    fill, edge = ("#fff1e5", "#bc4c00") if step.tensorflow else ("#ddf4ff", "#0969da")
    lines = [
        f'<rect x="{left}" y="{top}" width="{width}" height="{BOX}" rx="6" fill="{fill}" stroke="{edge}"/>',
        text(left + 14, top + 24, step.title, "#1f2328", weight="bold"),
        *(text(left + 14, top + 46 + 19 * at, line, "#1f2328") for at, line in enumerate(step.lines)),
        *(
            text(
                code + code_width,
                top + BOX / 2 + 5 + 20 * (at - (len(step.code) - 1) / 2),
                line,
                "#1f2328",
                "end",
                "monospace",
            )
            for at, line in enumerate(step.code)
        ),
        *(
            text(written, top + BOX / 2 + 5 + 20 * (at - (len(step.written) - 1) / 2), line, "#57606a")
            for at, line in enumerate(step.written)
        ),
        f'<path d="M{code + code_width + 8} {top + BOX / 2}H{left - 6}" stroke="#8c959f"/>',
        f'<path d="M{left + width + 6} {top + BOX / 2}H{written - 8}" stroke="#8c959f"/>',
    ]
    if not last:
        middle, below = left + width / 2, top + BOX
        lines.append(f'<path d="M{middle} {below}v{GAP - 7}" stroke="#57606a" stroke-width="1.5"/>')
        lines.append(f'<path d="M{middle - 5} {below + GAP - 8}h10l-5 8z" fill="#57606a"/>')
    return lines


def text(x: float, y: float, words: str, colour: str, anchor: str = "start", family: str = "", weight: str = "") -> str:
    """A line of text."""
    more = (f' font-family="{family}" font-size="13"' if family else "") + (
        f' font-weight="{weight}"' if weight else ""
    )
    return f'<text x="{x}" y="{y}" fill="{colour}" text-anchor="{anchor}"{more}>{escape(words)}</text>'


if __name__ == "__main__":
    Path(__file__).with_name("life_of_a_run.svg").write_text(drawing(), encoding="utf-8")
