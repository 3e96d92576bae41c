"""Draws docs/schedules.svg: every kind of sparsity schedule with its defaults, to 80 % over ten epochs of 20 steps."""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter

from tfopt.core.config.schedules import Schedule, schedule_kinds
from tfopt.report.plan.chart import schedules_chart

OWN_KEYS = {
    "stepwise": {"steps": [{"at": f"{at}%", "sparsity": f"{zeros}%"} for at, zeros in ((10, 40), (40, 60), (70, 80))]}
}
"""What a kind needs instead of `final`."""


def main() -> None:
    """Writes the figure next to this file."""
    read = TypeAdapter(Schedule).validate_python
    written = {kind: {"kind": kind, **OWN_KEYS.get(kind, {"final": "80%"})} for kind in schedule_kinds()}
    resolved = {kind: read(schedule).resolve(200, 20) for kind, schedule in written.items()}
    (Path(__file__).parent / "schedules.svg").write_text(schedules_chart(resolved).svg, encoding="utf-8")


if __name__ == "__main__":
    main()
