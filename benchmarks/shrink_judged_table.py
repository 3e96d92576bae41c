"""The table of `shrink_judged.py`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev

from tfopt.core.language.wording import counted

LONGER = "longer"


def rows(out: Path, epochs_of: Mapping[str, tuple[int, int]], methods: Sequence[str]) -> list[tuple[str, ...]]:
    """Accuracy over the seeds that are there (mean, standard deviation), and the share that is left.

    Args:
        out: folder of the results, a file for each case and seed.
        epochs_of: by case, those of the dense network and of the stage after it.
        methods: columns after the dense networks.
    """
    made = []
    for name in epochs_of:
        results = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(out.glob(f"{name}-*.json"))]
        results = [one for one in results if LONGER in one]
        made_for = {key.partition(" ")[2] for one in results for key in one if key.startswith("shrink ")}
        for budget in sorted(made_for, key=lambda text: ("latency" in text, -float(text.split()[-1]))):
            judged = [one for one in results if f"shrink {budget}" in one]
            parameters = fmean(one[f"shrink {budget}"]["parameters"] / one["dense"]["parameters"] for one in judged)
            cells = [_cell([one[key]["accuracy"] for one in judged]) for key in ("dense", LONGER)]
            for method in methods:
                pairs = [(one[f"{method} {budget}"], one["dense"]) for one in judged if f"{method} {budget}" in one]
                if not pairs:
                    cells.append("not run")
                    continue
                left = fmean(found.get("latency", found["macs"] / dense["macs"]) for found, dense in pairs)
                seeds = "" if len(pairs) == len(judged) else f", {counted(len(pairs), 'seed')}"
                cells.append(f"{_cell([found['accuracy'] for found, _ in pairs])} ({left:.0%}{seeds})")
            epochs = " + ".join(str(one) for one in epochs_of[name])
            of = "latency" if "latency" in budget else "MACs"
            most = f"{float(budget.split()[-1]):.0%} of {of}"
            made.append((f"`{name}`", most, f"{parameters:.0%}", *cells, epochs, str(len(judged))))
    return made


def _cell(values: Sequence[float]) -> str:
    mean = f"{100 * fmean(values):.1f}"
    return mean if len(values) < 2 else f"{mean} ± {100 * stdev(values):.1f}"
