"""Networks of a model at some widths: their costs and, for measuring, the networks themselves."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tf_keras

from tfopt.backend.shrinking import latency
from tfopt.backend.shrinking.choices import Choice, Choices, Widths
from tfopt.backend.shrinking.costs import CostOf, NetworkCosts
from tfopt.backend.shrinking.graph import remove
from tfopt.backend.shrinking.latency import Convert, LatencyTable
from tfopt.backend.shrinking.measurements import remembered
from tfopt.core.config.shrink_budget import Cost
from tfopt.core.records.fingerprint import fingerprint

_SHARES = (0.25, 0.5, 0.75)
"""Of the units of every group: networks that are measured between the smallest and the full one."""


def first_units(choices: Sequence[Choice], widths: Widths) -> dict[str, tuple[int, ...]]:
    """The first units of every narrowed group: for networks whose weights do not matter."""
    return {
        choice.name: tuple(range(widths[choice.name])) for choice in choices if widths[choice.name] < choice.group.units
    }


def at_share(choices: Sequence[Choice], share: float) -> dict[str, int]:
    """The width of each group that is nearest to a share of its units."""
    return {
        choice.name: min(choice.widths, key=lambda width: abs(width - share * choice.group.units)) for choice in choices
    }


@dataclass(frozen=True)
class Pricing:
    """What networks cost in the unit of a budget.

    Args:
        cost: macs, parameters, bytes or latency.
        costs: operations and weights.
        table: milliseconds by layer; None unless the cost is latency.
    """

    cost: Cost
    costs: NetworkCosts
    table: LatencyTable | None = None

    @property
    def of(self) -> CostOf:
        """Cost of a network by its widths."""
        if self.table is not None:
            return self.table.milliseconds
        return {"macs": self.costs.macs, "parameters": self.costs.parameters, "bytes": self.costs.bytes}[self.cost]


def pricing(
    model: tf_keras.Model, choices: Choices, cost: Cost, convert: Convert, measurements: Path | None
) -> Pricing:
    """The costs of all networks of a model; for latency, files are converted and timed unless that was done before.

    Args:
        model: as it is.
        choices: what can be narrowed.
        cost: of the budget.
        convert: writes float32 `.tflite` files.
        measurements: folder of measurements of this machine; None keeps nothing.
    """
    costs = NetworkCosts(model, choices.groups)
    if cost != "latency":
        return Pricing(cost, costs)
    asked = {name: costs.settled(widths) for name, widths in _measured(choices).items()}

    def measure() -> latency.Measured:
        networks = {
            name: (widths, remove(model, first_units(choices.choices, widths)) if name != "full" else model)
            for name, widths in asked.items()
        }
        with tempfile.TemporaryDirectory(prefix="tfopt-latency-") as folder:
            return latency.measure(networks, costs, Path(folder), convert)

    about = {"what": "latency", "model": architecture(model), "networks": asked}
    return Pricing(cost, costs, latency.table(costs, remembered(measurements, about, measure)))


def _measured(choices: Choices) -> dict[str, dict[str, int]]:
    """The networks that are timed, each once, the smallest first."""
    found = {"smallest": dict(choices.smallest)}
    found |= {f"share{round(100 * share)}": at_share(choices.choices, share) for share in _SHARES}
    found["full"] = dict(choices.full)
    distinct: dict[str, dict[str, int]] = {}
    for name, widths in found.items():
        if widths not in distinct.values():
            distinct[name] = widths
    return distinct


def architecture(model: tf_keras.Model) -> str:
    """Fingerprint of the layers and connections of a model, whatever its weights."""
    return fingerprint([json.loads(model.to_json())])
