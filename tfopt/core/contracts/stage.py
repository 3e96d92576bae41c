"""The contract of stages: a frozen config, class-level traits, and `apply`.

A new technique is one file in `tfopt/stages/` (or a package's own, through the entry point `tfopt.stages`) that
defines one subclass of `Stage`; the file's name is the recipe's key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from tfopt.core.config.data import Augment
from tfopt.core.config.distillation import Teacher
from tfopt.core.config.model_source import ModelLocation, ModelSource, sources_in
from tfopt.core.config.pruning import Pruning
from tfopt.core.config.quantization import FloatPolicy
from tfopt.core.config.training.callbacks import OwnCallback
from tfopt.core.config.training.class_weights import ClassWeights
from tfopt.core.config.training.compile import Compile
from tfopt.core.config.training.learning_rate import LearningRate
from tfopt.core.config.training.precision import Precision
from tfopt.core.config.traits import Trait
from tfopt.core.contracts.types import Data, Model
from tfopt.core.language.block import Block
from tfopt.core.language.mistakes import Mistake
from tfopt.core.language.quantities import Span

if TYPE_CHECKING:
    from tfopt.core.contracts.events import Emit
    from tfopt.core.contracts.preflight import Preflight, Workload
    from tfopt.core.contracts.result import StageResult

SNAPSHOTS = "snapshots"
"""Folder, in `StageContext.work` and then in the stage's store entry, of what is kept besides the result."""


@dataclass(frozen=True)
class StageContext:
    """Inputs of a stage, in addition to the model.

    Args:
        data: the splits (`tfopt.backend.data.load.Data`).
        compile: optimizer, loss and metrics of the recipe.
        batch_size: examples per optimizer step.
        augment: random changes of training images.
        seed: seed of this stage; the same seed gives the same result.
        traits: what the incoming model is.
        emit: where progress goes.
        work: folder for checkpoints; holds those of an interrupted attempt at the same stage, gone after the stage, but
            for `work/snapshots`, which is stored with the stage's result.
        logs: folder for TensorBoard logs, kept with the run.
        earlier: store folder of each earlier stage, cached or just run, by its name.
        sources: where each model of `Stage.sources` is, by its label, in their order.
        measurements: folder of measurements of this machine that stages share; None keeps none.
        precision: what training computes in; None for float32.
    """

    data: Data
    compile: Compile
    batch_size: int
    seed: int
    emit: Emit
    work: Path
    logs: Path
    augment: Augment | None = None
    traits: frozenset[Trait] = frozenset()
    earlier: Mapping[str, Path] = field(default_factory=dict)
    sources: Mapping[str, ModelLocation] = field(default_factory=dict)
    measurements: Path | None = None
    precision: Precision | None = None

    @property
    def examples_at_once(self) -> int:
        """Examples that are computed together: all of a step, or one of its batches where it accumulates gradients."""
        return self.batch_size // (self.compile.gradient_accumulation_steps or 1)


class Stage(Block):
    """One step of the chain.

    Attributes:
        kind: the recipe's key, set from the file's name.
        version: raise it when the same config would give another result, so that stored results are not reused.
        adds: traits that the result has.
        keeps: traits of the incoming model that survive. What a stage claims to keep is measured after it ran.
        last: no trainable stage may follow.
        not_in_key: keys that say what is acceptable and change no result: another value reuses the stored result.
    """

    kind: ClassVar[str] = ""
    version: ClassVar[int] = 1
    adds: ClassVar[frozenset[Trait]] = frozenset()
    keeps: ClassVar[frozenset[Trait]] = frozenset()
    last: ClassVar[bool] = False
    not_in_key: ClassVar[frozenset[str]] = frozenset()

    name: str = ""
    """Name of the stage in reports and paths (default: its kind, numbered when repeated)."""

    def apply(self, model: Model, context: StageContext) -> StageResult:
        """Carries the stage out.

        Args:
            model: a built `tf_keras.Model` free of wrappers; it may be changed.
            context: data, seed and the way to report progress.

        Returns:
            The model, and what the stage reports about it.

        Raises:
            StageError: the stage failed, with the reason in the user's words.
        """
        raise NotImplementedError

    def preflight(self, model: Model, workload: Workload) -> Preflight:
        """Reports what is known before training; `tfopt plan` shows it.

        Args:
            model: the starting `tf_keras.Model`; it may not be changed.
            workload: how long the stage will be.
        """
        from tfopt.core.contracts.preflight import Preflight

        return Preflight()

    def layers_after(self, model: Model, workload: Workload) -> Model:
        """A model with the layers that the result will have, whatever its weights; called where `preflight` found no
        problem.

        Args:
            model: what `preflight` was given; it may not be changed.
            workload: the same.

        Returns:
            `model` itself unless the stage removes or adds layers.
        """
        return model

    def problems(self) -> Sequence[Mistake]:
        """Mistakes that only show across keys; paths begin below the stage."""
        return ()

    def problems_after(self, earlier: Sequence[Stage]) -> Sequence[Mistake]:
        """Mistakes that only show together with the stages that come before; paths begin below the stage."""
        return ()

    def problems_before(self, later: Sequence[Stage]) -> Sequence[Mistake]:
        """Mistakes that only show together with the stages that come after; paths begin below the stage."""
        return ()

    def depends_on(self) -> tuple[str, ...]:
        """Names of the earlier stages whose store entries (`StageContext.earlier`) this one reads.

        Which stages they are is part of this stage's key.
        """
        return ()

    def sources(self, seed: int) -> tuple[ModelSource, ...]:
        """External models that this stage needs; by default every `ModelSource` among its keys.

        They are in `StageContext.sources` when `apply` is called, and are part of this stage's key.

        Args:
            seed: the recipe's.
        """
        return tuple(source for _, source in sources_in(self))

    def kept(self) -> frozenset[Trait]:
        """Traits of the incoming model that survive with this stage's config: `keeps`, or a part of it."""
        return self.keeps

    def float_policy(self) -> FloatPolicy:
        """Layers of an integer file that may compute in float; read from the stage that quantizes."""
        return "listed"

    def depends_on_machine(self) -> bool:
        """Whether the result depends on how fast the processor is, which then is a part of the key."""
        return False

    def kept_epochs(self) -> tuple[int, ...]:
        """Epochs at whose end the weights are stored with the result, for later stages."""
        return ()


class EarlyStopping(Block):
    """Ends a stage when a metric stops improving.

    In a pruning stage it counts only from the step at which the final sparsity is reached, so that the best
    weights are never those of a half-pruned model.
    """

    monitor: str = "val_loss"
    """The metric that is monitored; `val_` measures the validation split."""
    patience: Annotated[int, Field(ge=1)] = 5
    """Epochs without improvement before stopping."""
    min_delta: Annotated[float, Field(ge=0)] = 0.0
    """The smallest change that counts."""
    restore_best: bool = True
    """Go back to the weights of the best epoch."""


class TrainingStage(Stage):
    """A stage that runs the optimizer.

    Attributes:
        on_replicas: `distribute` divides its batches among devices; without, it trains on the first of them.
    """

    on_replicas: ClassVar[bool] = True

    epochs: Annotated[int, Field(ge=1)]
    """Passes over the training split."""
    batch_size: Annotated[int, Field(ge=1)] | None = None
    """Replaces data.batch_size for this stage."""
    learning_rate: LearningRate | None = None
    """Replaces the rate of compile.optimizer for this stage."""
    early_stopping: EarlyStopping | None = None
    """When to stop before the last epoch."""
    class_weights: ClassWeights | None = None
    """Weight of each class in the loss; `balanced` makes all classes count the same. Of several outputs: by output,
    as in `{digit: balanced}`."""
    tensorboard: bool = False
    """Write TensorBoard logs into the run folder."""
    teacher: Teacher | None = None
    """Learn from the outputs of another model in addition to the labels (distillation)."""
    callbacks: tuple[OwnCallback, ...] | None = None
    """Callbacks of your own, as `package.module:Class` or `package.module:function`."""

    def warmup_end(self) -> Span | None:
        """Position in the stage from which early stopping counts; None for its start."""
        return None


def next_traits(stage: type[Stage] | Stage, traits: frozenset[Trait]) -> frozenset[Trait]:
    """Traits of a model with `traits` after `stage`."""
    keeps = stage.kept() if isinstance(stage, Stage) else stage.keeps
    return (traits & keeps) | stage.adds


def surviving_pruning(stages: Sequence[Stage]) -> Pruning | None:
    """Keys of the stage whose zeros a model has at the end of a chain; None where no stage prunes, or they are lost."""
    traits: frozenset[Trait] = frozenset()
    found: Pruning | None = None
    for stage in stages:
        traits = next_traits(stage, traits)
        if "sparse" in stage.adds:
            found = stage if isinstance(stage, Pruning) else None
        elif "sparse" not in traits:
            found = None
    return found


def quantizing_position(stages: Sequence[Stage]) -> int | None:
    """Position of the stage from which on a model is quantized up to the end of a chain; None where it is not."""
    traits: frozenset[Trait] = frozenset()
    found: int | None = None
    for position, stage in enumerate(stages):
        traits = next_traits(stage, traits)
        if "quantized" not in traits:
            found = None
        elif found is None:
            found = position
    return found


def float_policy(stages: Iterable[Stage]) -> FloatPolicy:
    """Layers of an integer file that may compute in float, as the first quantizing stage of a chain specifies."""
    return next((stage.float_policy() for stage in stages if "quantized" in stage.adds), "listed")
