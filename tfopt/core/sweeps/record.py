"""What a sweep leaves behind: `sweep.json`, field by field."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from tfopt.core.language.wording import counted
from tfopt.core.records.record import Record
from tfopt.core.records.run import Run
from tfopt.core.sweeps.expand import Trial
from tfopt.errors import EXIT_NOT_MET, RecipeError, StageError

TrialState = Literal["waiting", "running", "done", "failed", "stopped", "interrupted"]
"""`stopped`: by the median rule; `interrupted`: with the whole sweep."""


class TrialRecord(Record):
    """One trial of a sweep."""

    name: str
    group: str
    """The name without the seed."""
    seed: int
    overrides: dict[str, object] = {}
    """What differs from the recipe, by path, besides the seed."""
    state: TrialState = "waiting"
    run: str | None = None
    """Its run folder, next to `sweeps/`."""
    error: str | None = None
    """Why it failed or was stopped."""
    error_code: str | None = None
    """The code of the error for which it failed (docs/errors.md)."""
    error_exit_code: int | None = None
    """The exit code of that error, where it is one of tfopt's."""
    repeated: str | None = None
    """The error of its first attempt, where that need not come from the recipe: the trial was run a second time."""
    node: str | None = None
    """The node of the cluster that it ran on last."""
    lost_nodes: int = 0
    """How many of its attempts ended because their node was lost."""

    @property
    def settled(self) -> bool:
        """Whether the same command does not run it again."""
        return self.state in ("done", "stopped")

    @property
    def repetition(self) -> str | None:
        """Why it was run more than once, in sentences."""
        sentences = []
        if self.lost_nodes:
            times = counted(self.lost_nodes, "time")
            sentences.append(f"{self.name} started again on another node {times}, because its node was lost.")
        if self.repeated is not None:
            sentences.append(
                f"{self.name} was run twice: its first attempt ended with an error that need not come from its recipe. "
                f"{self.repeated}"
            )
        return " ".join(sentences) or None

    @classmethod
    def of(cls, trial: Trial) -> TrialRecord:
        """A trial before it runs."""
        return cls(name=trial.name, group=trial.group, seed=trial.seed, overrides=dict(trial.overrides))


class SweepRecord(Record):
    """All of `sweep.json`."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    id: str
    recipe: str
    metric: str = "accuracy"
    """The recipe's first metric."""
    trials: list[TrialRecord]
    notes: list[str] = []


@dataclass(frozen=True)
class Sweep:
    """A recipe's variants, each an ordinary run.

    Args:
        folder: `saved_models/<recipe>/sweeps/<sweep-id>`.
        record: the content of `sweep.json`.
        runs: the finished runs by trial name.
    """

    folder: Path
    record: SweepRecord
    runs: dict[str, Run]

    @property
    def failed(self) -> tuple[TrialRecord, ...]:
        """Trials that failed."""
        return tuple(trial for trial in self.record.trials if trial.state == "failed")

    @property
    def mistake(self) -> str | None:
        """The mistake in the recipe for which every trial failed; None where they did not, or for different ones."""
        errors = {trial.error for trial in self.failed if trial.error_exit_code == RecipeError.exit_code}
        return errors.pop() if len(errors) == 1 and len(self.failed) == len(self.record.trials) else None

    @property
    def exit_code(self) -> int:
        """Exit code of the command line: 3 if every trial failed for one mistake in the recipe, 5 if a trial failed for
        another reason, 7 if a claim or budget of a run does not hold."""
        if self.mistake is not None:
            return RecipeError.exit_code
        if self.failed:
            return StageError.exit_code
        return 0 if all(run.ok for run in self.runs.values()) else EXIT_NOT_MET
