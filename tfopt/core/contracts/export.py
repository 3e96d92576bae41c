"""The contract of export targets: a frozen config, `preflight` and `write`.

A new target is one file in `tfopt/export/` (or a package's own, through the entry point `tfopt.exports`) that
defines one subclass of `Export`; the file's name is the recipe's key under `export:`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from tfopt.core.config.budgets import Budget
from tfopt.core.config.pruning import Pruning
from tfopt.core.config.quantization import FloatPolicy
from tfopt.core.config.training.compile import Compile
from tfopt.core.config.traits import Trait
from tfopt.core.contracts.types import Data, Model
from tfopt.core.language.block import Block
from tfopt.core.language.mistakes import Mistake, RecipePath
from tfopt.core.targets.table import Target, TargetName

if TYPE_CHECKING:
    from tfopt.core.config.files.tflite_variant import Variant
    from tfopt.core.contracts.events import Emit
    from tfopt.core.contracts.preflight import Preflight
    from tfopt.core.contracts.trial import TrialConversion, TrialWorkload
    from tfopt.core.language.mistakes import Mistake
    from tfopt.core.records.report import ExportRecord, LayerRecord
    from tfopt.core.records.shrunk import Shrunk
    from tfopt.core.records.zero_units import ZeroUnits


@dataclass(frozen=True)
class ExportWorkload:
    """Properties of the model to export that are known before training.

    Args:
        traits: what the model will be.
        parameters: how many weights it will have.
        examples: examples of the training split.
        budgets: of the recipe, for all its files.
        example: shape of one example of the data, by input name where there are several; None where it is not known.
        data: the splits (`tfopt.backend.data.load.Data`); None where they are not known.
        pruning: keys of the stage whose zeros the model will have; None where no stage prunes it.
        trained: whether any stage changes its weights.
        folder: of the recipe, where relative paths begin.
        outputs: names of the outputs of the model, in its order.
        compile: loss and metrics, with all outputs of the model; None where they are not known.
    """

    traits: frozenset[Trait] = frozenset()
    parameters: int = 0
    examples: int = 0
    budgets: tuple[Budget, ...] = ()
    example: tuple[int, ...] | Mapping[str, tuple[int, ...]] | None = None
    data: Data | None = None
    pruning: Pruning | None = None
    trained: bool = True
    folder: Path = Path()
    outputs: tuple[str, ...] = ()
    compile: Compile | None = None


@dataclass(frozen=True)
class BeforeQuantizing:
    """The model that a quantizing stage began with: what integer files would be made of without that stage.

    Args:
        stage: name of the stage.
        load: returns the model, a `tf_keras.Model`; called only where it is needed.
        traits: what that model is.
        layers: layer records of the stage before; none where the quantizing stage is the first.
    """

    stage: str
    load: Callable[[], Model]
    traits: frozenset[Trait] = frozenset()
    layers: Sequence[LayerRecord] = ()


@dataclass(frozen=True)
class ExportContext:
    """Inputs of an export target, in addition to the model.

    Args:
        folder: where the files go (`<run>/export`).
        data: the splits (`tfopt.backend.data.load.Data`).
        compile: metrics of the recipe.
        traits: what the model is.
        layers: layer records of the last stage: the sparsity that must survive.
        dense: measures of the first stage that trains on the test split, for the drop.
        seed: the recipe's seed.
        emit: where progress goes.
        origin: the Keras 3 model that the recipe began with, or None where it began with tf_keras.
        float_layers: which layers of an int8 file may compute in float.
        before_quantizing: the model before the stage that quantized it; None where none did.
        budgets: of the recipe, for all its files.
        recipe: name of the recipe.
        description: of the recipe.
        recipe_folder: where relative paths begin.
        written: records of the exports that are finished; for a target that is written `last`, all others.
        target: where the files will run; None where the recipe does not say.
        shrunk: what the last shrink stage promised; None where no stage shrinks.
        zero_units: heads and blocks that a prune stage made zero; None where none did.
        sparse_is_faster: whether a stage arranged its zeros so that sparse float32 files are faster than dense ones.
    """

    folder: Path
    data: Data
    compile: Compile
    seed: int
    emit: Emit
    traits: frozenset[Trait] = frozenset()
    layers: Sequence[LayerRecord] = ()
    dense: Mapping[str, float] = field(default_factory=dict)
    origin: Model = None
    float_layers: FloatPolicy = "listed"
    before_quantizing: BeforeQuantizing | None = None
    budgets: tuple[Budget, ...] = ()
    recipe: str = ""
    description: str = ""
    recipe_folder: Path = Path()
    written: Sequence[ExportRecord] = ()
    target: TargetName | None = None
    shrunk: Shrunk | None = None
    zero_units: ZeroUnits | None = None
    sparse_is_faster: bool = False


class Export(Block):
    """One export target.

    Attributes:
        kind: the recipe's key, set from the file's name.
        last: whether it is made of the files of other exports, and so is written after them.
        converts: whether it makes `.tflite` files in child processes, which need TensorFlow.
    """

    kind: ClassVar[str] = ""
    last: ClassVar[bool] = False
    converts: ClassVar[bool] = False

    def names(self) -> tuple[str, ...]:
        """Names of the files' records, as budgets and reports call them."""
        return (self.kind,)

    def tflite_files(self) -> Mapping[str, Variant]:
        """The `.tflite` files that this target converts with the keys of `export.tflite`, by name."""
        return {}

    def own_code(self) -> Sequence[tuple[RecipePath, str]]:
        """Functions of the user's own that this target calls, as `package.module:function`, with their paths below the
        target."""
        return ()

    def problems_beside(self, others: Sequence[Export]) -> Iterable[Mistake]:
        """Mistakes that show only together with the other exports of the recipe; their messages are whole sentences.

        Args:
            others: the other exports, in the order of the recipe.
        """
        return ()

    @classmethod
    def with_defaults_of(cls, body: object, target: Target) -> object:
        """The block as written, with what a target chooses where the recipe says nothing; as it is by default."""
        return body

    def problems_on(self, target: Target) -> Iterable[Mistake]:
        """What cannot run on a target, known from the recipe alone; none by default."""
        return ()

    def preflight(self, model: Model, workload: ExportWorkload) -> Preflight:
        """Reports what is known before training; `tfopt plan` shows it.

        Args:
            model: the `tf_keras.Model` that the recipe starts with; it may not be changed.
            workload: what the exported model will be.

        Returns:
            Problems with paths below the target, whose messages are whole sentences, and warnings.
        """
        from tfopt.core.contracts.preflight import Preflight

        return Preflight()

    def trial(self, model: Model, workload: TrialWorkload) -> tuple[TrialConversion, ...]:
        """Makes `.tflite` files of the untrained model for looking at them; `tfopt plan` shows what is in them.

        Args:
            model: a `tf_keras.Model` with the layers that will be exported.
            workload: what will have been done to it, and data.

        Returns:
            One per file; none for a target that writes no `.tflite`.
        """
        return ()

    def write(self, model: Model, context: ExportContext) -> list[ExportRecord]:
        """Writes the files and proves them.

        Args:
            model: a `tf_keras.Model`, or a `tfopt.backend.quantization.Quantized`.
            context: folder, data and what must hold.

        Returns:
            One record per name of `names()`: bytes, measures from running the file, audit, claims. A file that could
            not be made or run has a record too, whose claim names what crashed.

        Raises:
            ExportError: nothing could be written (disk full, folder read-only).
        """
        raise NotImplementedError
