"""External models that a stage needs: teachers, members of an ensemble, ingredients of an average.

A stage declares them as `ModelSource` blocks among its keys. Each is known before any training: which recipe makes it,
or which file holds it; whatever is missing is built before the stage that needs it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from tfopt.core.language.block import Block, blocks_in
from tfopt.core.language.mistakes import Mistake, RecipePath
from tfopt.core.language.suggest import closest

if TYPE_CHECKING:
    from tfopt.core.config.traits import Trait

SourceKind = Literal["stage", "recipe", "seed", "file"]

PLACES = ("stage", "recipe", "seed", "file")
"""Keys of a `ModelSource` that locate the model. A stage's store key contains the content in their place."""

FILES = (".keras", ".h5", ".hdf5", ".tflite")
"""Suffixes of the files that can be named; a folder is a SavedModel."""


class ModelSource(Block):
    """An external model: exactly one of `stage`, `recipe`, `seed` and `file`; `recipe` may have a `seed` too."""

    stage: str | None = None
    """The result of an earlier stage of this recipe, by its name."""
    recipe: str | None = None
    """The result of the last stage of another recipe, by the path of its file. What is not in the store is run first;
    its exports are not written."""
    seed: Annotated[int, Field(ge=0)] | None = None
    """The result of the stages of this recipe before this one, run with another seed; with `recipe`, the seed that
    it is run with."""
    file: str | None = None
    """A model file: .keras, .h5, a SavedModel folder, or .tflite where only outputs are needed."""

    @model_validator(mode="after")
    def _in_one_place(self) -> ModelSource:
        given = [key for key in PLACES if getattr(self, key) is not None]
        if len(given) != 1 and given != ["recipe", "seed"]:
            got = f"Got {' and '.join(given)}" if given else "Got none of them"
            raise ValueError(f"needs exactly one of stage, recipe, seed and file (recipe may have a seed). {got}")
        return self

    @property
    def names_a_model(self) -> bool:
        """Whether it says where a model is; a block that inherits from this one may say something else instead."""
        return any(getattr(self, key) is not None for key in PLACES)

    @property
    def kind(self) -> SourceKind:
        """The key that locates the model."""
        if self.stage is not None:
            return "stage"
        if self.file is not None:
            return "file"
        return "seed" if self.recipe is None else "recipe"

    @property
    def label(self) -> str:
        """Its name in reports and in `StageContext.sources`: `stage train`, `seed 3`, `recipe member.yaml seed 3`."""
        parts = [(key, getattr(self, key)) for key in PLACES]
        return " ".join(f"{key} {value}" for key, value in parts if value is not None)

    def problems(self, earlier: Sequence[str]) -> Iterator[Mistake]:
        """Mistakes that only show together with the stages that come before; paths begin below this block.

        Args:
            earlier: names of the earlier stages.
        """
        if self.stage is not None and self.stage not in earlier:
            known = closest(self.stage, earlier) or f" Earlier stages: {', '.join(earlier) or 'none'}."
            yield Mistake(("stage",), f"is {self.stage!r}, not an earlier stage.{known}", code="no_earlier_stage")
        elif self.kind == "seed" and not earlier:
            text = f"is {self.seed}, but no stage comes before that could be run with it"
            yield Mistake(("seed",), text, code="no_earlier_stage")


def sources_in(value: object) -> Iterator[tuple[RecipePath, ModelSource]]:
    """Every external model that is named in a block, with its path."""
    for path, block in blocks_in(value):
        if isinstance(block, ModelSource) and block.names_a_model:
            yield path, block


@dataclass(frozen=True)
class ModelLocation:
    """Where an external model is stored; `tfopt.backend.artifacts.external_models` loads it.

    Args:
        label: of its source.
        kind: `file`, or where the store entry comes from.
        path: a store entry, or the file.
        traits: what the model is, by the stages it went through; nothing is known of files.
        code: folder of the recipe that makes it, in which its own classes are found.
    """

    label: str
    kind: SourceKind
    path: Path
    traits: frozenset[Trait] = frozenset()
    code: Path = Path()


@dataclass(frozen=True)
class KnownModel:
    """An external model before any training.

    Args:
        model: a `tf_keras.Model` with the layers that it will have, or, for a .tflite, a
            `tfopt.backend.artifacts.external_models.TfliteModel`.
        traits: what it will be, by the stages it goes through; nothing is known of files.
    """

    model: Any
    traits: frozenset[Trait] = field(default=frozenset())
