"""Contexts of stages and exports, and a listener that remembers events."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.digits import digits
from tfopt.backend.data.splits import Data
from tfopt.core.config.data import Augment
from tfopt.core.config.training.compile import Compile
from tfopt.core.config.traits import Trait
from tfopt.core.contracts.export import ExportContext
from tfopt.core.contracts.result import StageResult
from tfopt.core.contracts.stage import StageContext
from tfopt.engine.history import StageHistory
from tfopt.stages.qat import Qat


@dataclass
class Log:
    """Remembers events; calls `react` with each of them."""

    events: list[dict[str, Any]] = field(default_factory=list)
    react: Callable[[Mapping[str, Any]], None] = lambda event: None

    def __call__(self, event: Mapping[str, Any]) -> None:
        self.events.append(dict(event))
        self.react(event)

    def reported(self, result: StageResult) -> Any:
        """Keeps what a stage reports about itself, as the engine does; returns the model."""
        StageHistory("stage", self).report(result)
        return result.model

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The events of one kind."""
        return [event for event in self.events if event["event"] == kind]


def context(
    folder: Path,
    emit: Callable[[Mapping[str, Any]], None] = lambda event: None,
    *,
    data: Data | None = None,
    compile: Compile | None = None,
    batch_size: int = 64,
    seed: int = 3,
    augment: Augment | None = None,
    traits: Collection[Trait] = (),
) -> StageContext:
    """A stage's context whose work and logs lie in `folder`."""
    return StageContext(
        data=data or digits(),
        compile=compile or Compile(),
        batch_size=batch_size,
        seed=seed,
        emit=emit,
        work=folder / "work",
        logs=folder / "logs",
        augment=augment,
        traits=frozenset(traits),
    )


def qat_context(folder: Path, *traits: Trait, events: list[Mapping[str, Any]] | None = None) -> StageContext:
    """A qat stage's context: what the stages before have left in the model, and the seed of its tests."""
    return context(folder, (lambda event: None) if events is None else events.append, seed=5, traits=traits)


def qat(epochs: int, **keys: object) -> Qat:
    """A qat stage."""
    return Qat.model_validate({"name": "qat", "epochs": epochs, "calibration": 128, "learning_rate": 1e-3, **keys})


def export_context(
    folder: Path, data: Data, events: list[Mapping[str, Any]] | None = None, **more: Any
) -> ExportContext:
    """The context of an export into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    emit = (lambda event: None) if events is None else events.append
    return ExportContext(folder=folder, data=data, compile=more.pop("compile", Compile()), seed=3, emit=emit, **more)
