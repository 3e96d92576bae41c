"""XLA in training: is the step compiled by it, as a recipe asks, or as was measured on the first batches?

XLA fuses the operations of a step into few kernels: many models gain on a GPU. On a processor it was measured to be
five times slower (ResNet-8, TensorFlow 2.21, two cores), so that `auto` never uses it there.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import tensorflow as tf

from tfopt.atomic import replacing
from tfopt.backend.devices import replicas
from tfopt.backend.training.compile import first_line
from tfopt.backend.training.resume.state import assign
from tfopt.backend.training.steps import StepRunner
from tfopt.backend.types import Nested

FILE = "xla.json"
"""In the folder of a stage: what was chosen, so that it resumes with the same steps."""

GAIN = 0.95
"""XLA is chosen where a step takes at most this share of the time without it."""

ROUNDS = 5
"""Measured calls of each, in turns, after one that compiles."""

UNCOMPILABLE = (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError, tf.errors.NotFoundError)
"""How TensorFlow says that XLA has no kernel for an operation, or needs a static shape."""


@dataclass(frozen=True)
class Choice:
    """Whether XLA compiles the steps of a stage.

    Args:
        compiled: it does.
        step_ratio: time of a step with XLA over that without; None where it was not measured.
        reason: why not, where `auto` did not measure or could not use it.
    """

    compiled: bool
    step_ratio: float | None = None
    reason: str = ""

    def details(self) -> dict[str, object]:
        """For the record of the stage; what is not known is left out."""
        return {key: value for key, value in asdict(self).items() if value not in (None, "")}


def on_gpu() -> bool:
    """Whether TensorFlow trains on a GPU."""
    return bool(tf.config.list_physical_devices("GPU"))


def first_choice(asked: bool | Literal["auto"] | None, work: Path) -> Choice | None:
    """What is known before anything is measured: None where `auto` has to measure.

    Args:
        asked: `compile.xla`.
        work: folder of the stage, with the choice of an interrupted run.
    """
    if asked != "auto":
        return Choice(bool(asked))
    if (work / FILE).is_file():
        return Choice(**json.loads((work / FILE).read_text()))
    if not on_gpu():
        return Choice(False, reason="no GPU: XLA is slower on a processor")
    if replicas.count() > 1:
        return Choice(False, reason="several devices: not measured")
    return None


def measured_choice(
    without: StepRunner,
    make: Callable[[], StepRunner],
    batches: tf.data.Dataset,
    variables: Sequence[tf.Variable],
    work: Path,
) -> Choice:
    """Takes steps with and without XLA in turns; afterwards all variables have the values that they had before.

    Args:
        without: takes steps without XLA.
        make: gives what takes them with it.
        batches: of training.
        variables: all that a step may change.
        work: folder of the stage, where the choice is written.
    """
    before = [variable.numpy() for variable in variables]
    try:
        choice = _compared(without, make(), iter(batches.repeat()))
    except UNCOMPILABLE as error:
        choice = Choice(False, reason=f"XLA cannot compile the step: {first_line(error)}")
    finally:
        assign(variables, before)
    work.mkdir(parents=True, exist_ok=True)
    with replacing(work / FILE) as temporary:
        temporary.write_text(json.dumps(asdict(choice)))
    return choice


def _compared(without: StepRunner, compiled: StepRunner, batches: Iterator[Nested]) -> Choice:
    for runner in (without, compiled):
        runner.seconds_per_step(batches)
    ratios = [compiled.seconds_per_step(batches) / without.seconds_per_step(batches) for _ in range(ROUNDS)]
    ratio = statistics.median(ratios)
    return Choice(ratio <= GAIN, step_ratio=round(ratio, 3))
