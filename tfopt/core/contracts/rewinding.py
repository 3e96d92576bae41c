"""Check that the stage and the epoch of a `rewind:` block exist."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tfopt.core.config.rewind import Rewind
from tfopt.core.contracts.stage import Stage, TrainingStage
from tfopt.core.language.mistakes import Mistake
from tfopt.core.language.suggest import closest
from tfopt.core.language.wording import counted


def rewind_problems(rewind: Rewind, earlier: Sequence[Stage]) -> Iterator[Mistake]:
    """Mistakes of a `rewind:` block that only show together with the earlier stages; paths begin below the block."""
    stages = {stage.name: stage for stage in earlier}
    stage = stages.get(rewind.stage)
    if stage is None:
        known = closest(rewind.stage, stages) or f" Earlier stages: {', '.join(stages) or 'none'}."
        yield Mistake(("stage",), f"is {rewind.stage!r}, not an earlier stage.{known}", code="no_earlier_stage")
    elif not isinstance(stage, TrainingStage) or "keep" not in type(stage).model_fields:
        yield Mistake(
            ("stage",),
            f"is {rewind.stage!r}, a {stage.kind} stage, which keeps no epochs. Name a train stage, the dense one.",
            code="epoch_not_kept",
        )
    elif rewind.epoch > stage.epochs:
        number = f"{counted(stage.epochs, 'epoch')}"
        yield Mistake(("epoch",), f"is {rewind.epoch}, but {stage.name} has {number}", code="outside_stage")
    elif rewind.epoch not in (kept := stage.kept_epochs()):
        written = ", ".join(str(epoch) for epoch in sorted({*kept, rewind.epoch}))
        yield Mistake(
            ("epoch",),
            f"is {rewind.epoch}, but {stage.name} does not keep the weights of that epoch. "
            f"Write keep: [{written}] in {stage.name}.",
            code="epoch_not_kept",
        )
