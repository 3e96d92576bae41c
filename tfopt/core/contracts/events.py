"""Events of a run: one frozen dataclass per kind, journaled and shown as they happen.

An event is also a mapping of its keys, with the name of its kind under `event`; `plain` makes it a dict. Receivers
(`on_event`) and `events.jsonl` see these keys: they are a contract. Optional fields that are None are left out.

Events of stages that make an external model (`tfopt.core.config.model_source`) have a key `source` in addition: the
name of what they make (recipe and seed), which, with a slash, also precedes the name of their stage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

Event = Mapping[str, Any]
"""One thing that happened: a `RunEvent`, or a mapping with the same keys, as it comes from another process."""

Emit = Callable[[Event], None]
"""Receives events."""

_MERGED = {"merged": True}
"""Metadata of a field whose entries are keys of the event themselves."""


class RunEvent(Mapping[str, Any]):
    """The base of all events.

    Attributes:
        event: the name of its kind.
    """

    event: ClassVar[str]

    def __getitem__(self, key: str) -> Any:
        return plain(self)[key]

    def __iter__(self) -> Iterator[str]:
        return iter(plain(self))

    def __len__(self) -> int:
        return len(plain(self))


def plain(event: Event) -> dict[str, Any]:
    """An event as a dict, `event` first; mappings that are no `RunEvent` are copied."""
    if not isinstance(event, RunEvent):
        return dict(event)
    found: dict[str, Any] = {"event": event.event}
    for key in fields(event):  # type: ignore[arg-type]  # every subclass is a dataclass
        value = getattr(event, key.name)
        if key.metadata.get("merged"):
            found.update(value)
        elif value is not None or key.default is not None:
            found[key.name] = value
    return found


@dataclass(frozen=True, eq=False)
class RunStarted(RunEvent):
    """A run begins; `sources` are the keys of external models that it needs."""

    event: ClassVar[str] = "run_started"
    run: str
    recipe: str
    stages: Sequence[str]
    exports: Sequence[str]
    sources: Sequence[str]


@dataclass(frozen=True, eq=False)
class StageStarted(RunEvent):
    """A stage begins; `steps` are those of the whole stage."""

    event: ClassVar[str] = "stage_started"
    stage: str
    kind: str
    key: str
    epochs: int
    steps: int
    cached: bool


@dataclass(frozen=True, eq=False)
class Waiting(RunEvent):
    """Another process builds the same stage; its result will be used."""

    event: ClassVar[str] = "waiting"
    stage: str


@dataclass(frozen=True, eq=False)
class StepProgress(RunEvent):
    """Optimizer steps were taken; `sparsity` only where the stage measures it. Shown, not journaled."""

    event: ClassVar[str] = "progress"
    stage: str
    step: int
    steps: int
    epoch: int
    epochs: int
    metrics: Mapping[str, float]
    sparsity: float | None = None


@dataclass(frozen=True, eq=False)
class EpochFinished(RunEvent):
    """An epoch is over; the keys of its history entry (`StageRecord.history`) are keys of the event."""

    event: ClassVar[str] = "epoch"
    stage: str
    entry: Mapping[str, float] = field(metadata=_MERGED)
    cached: bool | None = None


@dataclass(frozen=True, eq=False)
class StageDetails(RunEvent):
    """The report of a stage (`StageResult`): skipped layers with reasons, and `StageRecord.details`."""

    event: ClassVar[str] = "details"
    stage: str
    skipped: Mapping[str, str]
    details: Mapping[str, object] = field(metadata=_MERGED)


@dataclass(frozen=True, eq=False)
class StageFinished(RunEvent):
    """A stage is over, its result in the store."""

    event: ClassVar[str] = "stage_finished"
    stage: str
    seconds: float
    measures: Mapping[str, float]
    cached: bool


@dataclass(frozen=True, eq=False)
class ExportStarted(RunEvent):
    """A file is being written."""

    event: ClassVar[str] = "export_started"
    export: str


@dataclass(frozen=True, eq=False)
class SensitivityProgress(RunEvent):
    """So many of so many versions of a file have run for its sensitivity table."""

    event: ClassVar[str] = "sensitivity"
    export: str
    done: int
    total: int


@dataclass(frozen=True, eq=False)
class Measuring(RunEvent):
    """A stage measures something before it trains: so many of so many are done."""

    event: ClassVar[str] = "measuring"
    stage: str
    what: str
    done: int
    total: int


@dataclass(frozen=True, eq=False)
class ExportFinished(RunEvent):
    """A file is written and verified; `held`: whether all its claims hold."""

    event: ClassVar[str] = "export_finished"
    export: str
    bytes: int
    measures: Mapping[str, float]
    held: bool


@dataclass(frozen=True, eq=False)
class Warned(RunEvent):
    """A sentence that the user should read."""

    event: ClassVar[str] = "warning"
    message: str


@dataclass(frozen=True, eq=False)
class RunReused(RunEvent):
    """Nothing has changed since that run; its report is drawn again."""

    event: ClassVar[str] = "run_reused"
    run: str


@dataclass(frozen=True, eq=False)
class RunFinished(RunEvent):
    """The report is written; `code` is that of the error for which the run failed."""

    event: ClassVar[str] = "run_finished"
    state: str
    seconds: float
    held: bool
    code: str | None = None


@dataclass(frozen=True, eq=False)
class SweepStarted(RunEvent):
    """A sweep begins; `settled` are the names of trials that were finished before, `metric` what they are judged by."""

    event: ClassVar[str] = "sweep_started"
    sweep: str
    recipe: str
    trials: Sequence[str]
    settled: Sequence[str]
    metric: str


@dataclass(frozen=True, eq=False)
class TrialStarted(RunEvent):
    """A trial begins; events of its run have a key `trial` in addition."""

    event: ClassVar[str] = "trial_started"
    trial: str


@dataclass(frozen=True, eq=False)
class TrialRepeated(RunEvent):
    """A trial lost its node, or ended with an error that need not come from its recipe; it starts again."""

    event: ClassVar[str] = "trial_repeated"
    trial: str
    error: str
    code: str | None = None


@dataclass(frozen=True, eq=False)
class TrialPlaced(RunEvent):
    """A trial runs on this node of a cluster."""

    event: ClassVar[str] = "trial_placed"
    node: str


@dataclass(frozen=True, eq=False)
class TrialFinished(RunEvent):
    """A trial is over; `error` and its `code` are None where it is done."""

    event: ClassVar[str] = "trial_finished"
    trial: str
    state: str
    error: str | None
    code: str | None = None


@dataclass(frozen=True, eq=False)
class SweepFinished(RunEvent):
    """All trials are over; number of trials by state."""

    event: ClassVar[str] = "sweep_finished"
    sweep: str
    states: Mapping[str, int]


@dataclass(frozen=True, eq=False)
class TrialEnded(RunEvent):
    """The last message of a worker about a trial.

    `state` is `done`, `failed`, `stopped`, or `lost` where its machine was lost and it should start on another.
    `memory` is the peak of its process in bytes, where known; `not_of_recipe` is True where the error need not come
    from the recipe. `exit_code` is that of the error, where it is one of tfopt's.
    """

    event: ClassVar[str] = "trial_ended"
    state: str
    error: str | None
    memory: int | None = None
    code: str | None = None
    not_of_recipe: bool | None = None
    exit_code: int | None = None
