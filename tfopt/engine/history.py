"""The events of a stage on their way from the stage to the run."""

from __future__ import annotations

from dataclasses import dataclass, field

from tfopt.core.contracts.events import Emit, EpochFinished, Event, StageDetails, plain
from tfopt.core.contracts.result import StageResult


@dataclass
class StageHistory:
    """Collects the epochs of a stage, and passes every event on under the name that the stage has in the run.

    Args:
        stage: that name.
        pass_on: receives the events.
    """

    stage: str
    pass_on: Emit
    epochs: dict[int, dict[str, float]] = field(default_factory=dict)

    def emit(self, event: Event) -> None:
        """Receives an event of the stage."""
        values = plain(event)
        if values["event"] == EpochFinished.event:
            entry = {key: value for key, value in values.items() if key not in ("event", "stage")}
            self.epochs[int(entry["epoch"])] = entry
        self.pass_on({**values, "stage": self.stage})

    def report(self, result: StageResult) -> None:
        """Passes on what the stage reports about itself."""
        if result.skipped or result.details:
            self.pass_on(StageDetails(self.stage, result.skipped, result.details))

    def entries(self) -> list[dict[str, float]]:
        """One entry per epoch, in order."""
        return [self.epochs[epoch] for epoch in sorted(self.epochs)]
