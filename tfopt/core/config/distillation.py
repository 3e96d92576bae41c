"""Distillation: a stage whose model, the student, also learns from the outputs of a different one, the teacher.

Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network" (2015), arXiv:1503.02531.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from tfopt.core.config.data import Augment, changes_every_epoch
from tfopt.core.config.model_source import PLACES, ModelSource
from tfopt.core.config.ramps import Change, RampValue, extremes
from tfopt.core.config.training.compile import Compile
from tfopt.core.config.training.outputs import Outputs, Task
from tfopt.core.language.block import Block, KeyMistake, SharedBlock
from tfopt.core.language.mistakes import Mistake, RecipePath

DEFAULT_TEMPERATURE = 4.0
"""In the middle of what Hinton et al. found useful (2.5 to 20)."""

_TEMPERED = ("soft_labels", "decoupled")


class Member(ModelSource):
    """One teacher of several."""

    weight: Annotated[float, Field(gt=0)] | None = None
    """Weight of its outputs; the weights of all members sum to 1. Left out by all, they count the same."""


class MovingAverage(Block):
    """The student's own past as its teacher (Tarvainen and Valpola 2017, arXiv:1703.01780)."""

    decay: Annotated[float, Field(gt=0, lt=1)] = 0.999
    """Share of the average that stays in each step."""


class Decoupled(Block):
    """Zhao et al. 2022, arXiv:2203.08679: outputs for the right class and for all others, weighted separately."""

    kind: Literal["decoupled"] = "decoupled"
    """The name of the loss."""
    target: Annotated[float, Field(ge=0)] = 1.0
    """Weight of how sure the teacher is of the right class."""
    others: Annotated[float, Field(ge=0)] = 8.0
    """Weight of how it shares out the rest."""


class Relational(Block):
    """Park et al. 2019, arXiv:1904.05068: distances and angles between the examples of a batch."""

    kind: Literal["relational"] = "relational"
    """The name of the loss."""
    distance: Annotated[float, Field(ge=0)] = 25.0
    """Weight of the distances of pairs."""
    angle: Annotated[float, Field(ge=0)] = 50.0
    """Weight of the angles of triples."""

    @model_validator(mode="after")
    def _counts(self) -> Relational:
        if self.distance == 0 and self.angle == 0:
            raise KeyMistake(
                ("angle",), "angle and distance are both 0: nothing would be compared", code="meaningless_key"
            )
        return self


ResponseLoss = Literal["soft_labels", "decoupled", "logits", "outputs", "none"]
LayerLoss = Literal["hint", "attention_transfer", "attention_maps", "hidden_states", "relational"]


class LayerPair(Block):
    """A layer of the student that learns to be like a layer of the teacher."""

    student: str
    """Name of the student's layer."""
    teacher: str | None = None
    """Name of the teacher's layer (default: the same name)."""
    loss: LayerLoss | Relational = "hint"
    """`hint` (FitNets, Romero et al. 2015, arXiv:1412.6550); `attention_transfer` (Zagoruyko and Komodakis 2017,
    arXiv:1612.03928); `attention_maps` and `hidden_states` of Transformers (TinyBERT, Jiao et al. 2020,
    arXiv:1909.10351); `relational`, or with its weights."""
    weight: Annotated[float, Field(gt=0)] = 1.0
    """Factor by which the loss of this pair is multiplied."""
    map: dict[str, str] | None = None
    """One pair for each entry: `*` in `student` stands for the key, in `teacher` for the value. With `block*_attention`
    in `student`, `{1: 3, 2: 6}` compares the first block with the third of the teacher, and the second with the
    sixth."""

    @field_validator("map", mode="before")
    @classmethod
    def _numbers_as_text(cls, value: object) -> object:
        return {str(key): str(one) for key, one in value.items()} if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _star_and_map(self) -> LayerPair:
        if self.map is None:
            return self
        if not self.map:
            raise KeyMistake(("map",), "map is empty: which layers would be compared?", code="missing_key")
        for key in ("student", "teacher"):
            name = getattr(self, key)
            if name is not None and name.count("*") != 1:
                raise KeyMistake(
                    (key,), f"{key} needs one * for the entries of map. Got {name!r}", code="conflicting_keys"
                )
        return self

    def pairs(self) -> tuple[LayerPair, ...]:
        """This pair, or the pairs that its map stands for."""
        if self.map is None:
            return (self,)
        return tuple(
            self.model_copy(
                update={
                    "student": self.student.replace("*", mine),
                    "teacher": self.teacher_layer.replace("*", theirs),
                    "map": None,
                }
            )
            for mine, theirs in self.map.items()
        )

    @property
    def teacher_layer(self) -> str:
        """Name of the teacher's layer."""
        return self.teacher or self.student

    @property
    def kind(self) -> LayerLoss:
        """Name of the loss."""
        return self.loss.kind if isinstance(self.loss, Relational) else self.loss


class Teacher(ModelSource, SharedBlock):
    """The teacher and how it is used: exactly one of `stage`, `recipe`, `seed`, `file`, `members` and `ema`.

    The loss is (1 - weight) * that of the labels + weight * (that of the outputs + those of the layer pairs).
    """

    members: Annotated[tuple[Member, ...], Field(min_length=2)] | None = None
    """Several teachers, whose outputs are averaged: probabilities (at the temperature), logits or quantities."""
    ema: MovingAverage | None = None
    """The moving average of the student itself."""
    temperature: RampValue | None = None
    """Softens the outputs for `soft_labels` and `decoupled` (default: 4); a number, or how it changes."""
    weight: RampValue = 0.5
    """Share of the loss that comes from the teacher; the rest comes from the labels, whose part alone `class_weights`
    weigh. A number, or how it changes."""
    loss: ResponseLoss | Decoupled | None = None
    """The loss that compares the outputs. `soft_labels`: probabilities at the temperature (KL divergence, times the
    temperature squared; the default for classes); `decoupled`, or with its weights; `logits`: their squared difference;
    `outputs`: the squared difference of quantities (the default for them); `none`: only `layers`. Of several outputs,
    those that are classes; `compile.loss_weights` weigh each."""
    layers: tuple[LayerPair, ...] = ()
    """Pairs of layers that are compared in addition."""
    cache: bool = False
    """Ask the teacher once for every training example, before the first step; not with augmentation, but for
    `data.augment.tokens` with `variants`."""

    @property
    def pairs(self) -> tuple[LayerPair, ...]:
        """The pairs of `layers`, one for each entry of a map."""
        return tuple(one for pair in self.layers for one in pair.pairs())

    @model_validator(mode="after")
    def _in_one_place(self) -> Teacher:
        given = [key for key in (*PLACES, "members", "ema") if getattr(self, key) is not None]
        if len(given) != 1 and given != ["recipe", "seed"]:
            got = f"Got {' and '.join(given)}" if given else "Got none of them"
            wanted = "exactly one of stage, recipe, seed, file, members and ema (recipe may have a seed)"
            raise ValueError(f"needs {wanted}. {got}")
        for path, value in extremes(self.temperature) if self.temperature is not None else ():
            if value <= 0:
                raise KeyMistake(
                    ("temperature", *path), f"temperature must be above 0. Got {value:g}", code="out_of_range"
                )
        for path, value in extremes(self.weight):
            if not 0 <= value <= 1:
                raise KeyMistake(
                    ("weight", *path), f"weight must be at least 0 and at most 1. Got {value:g}", code="out_of_range"
                )
        if all(value == 0 for _, value in extremes(self.weight)):
            raise KeyMistake(("weight",), "weight is 0, so the teacher has no effect", code="meaningless_key")
        _check_members(self.members or ())
        return self

    def sources(self) -> tuple[ModelSource, ...]:
        """The teachers, in order; empty where the teacher is the moving average of the student."""
        return (self,) if self.names_a_model else self.members or ()

    def shares(self) -> tuple[float, ...]:
        """Weight of each of `sources`; they sum to 1."""
        number = len(self.sources())
        if self.members is None or self.members[0].weight is None:
            return (1 / number,) * number if number else ()
        return tuple(member.weight or 0.0 for member in self.members)

    def response_loss(self, task: Task, several: bool = False) -> ResponseLoss:
        """The loss that compares an output.

        Args:
            task: what the output is.
            several: whether it is one of several. `loss` is then that of classes; quantities are compared by `outputs`.
        """
        if self.loss is None or (several and task == "quantities" and self.loss != "none"):
            return "outputs" if task == "quantities" else "soft_labels"
        return "decoupled" if isinstance(self.loss, Decoupled) else self.loss

    def decoupled(self) -> Decoupled:
        """The weights of the decoupled loss."""
        return self.loss if isinstance(self.loss, Decoupled) else Decoupled()

    def used_temperature(self) -> RampValue:
        """The temperature of the losses that have one."""
        return DEFAULT_TEMPERATURE if self.temperature is None else self.temperature

    def problems_with(self, compile: Compile, augment: Augment | None) -> Iterator[Mistake]:
        """Mistakes together with the rest of the recipe: paths begin below this block."""
        several = len(compile.outputs) > 1
        losses = {self.response_loss(Outputs.of(of).task, several) for of in compile.of_each().values()}
        for of in compile.of_each().values():
            yield from self._loss_problems(of, augment, several)
        if losses == {"none"} and not self.layers:
            yield Mistake(
                ("loss",),
                "is none, and there are no layers: nothing would be learned from the teacher",
                code="conflicting_keys",
            )
        if self.temperature is not None and not losses & {*_TEMPERED}:
            named = " and ".join(sorted(losses))
            yield Mistake(("temperature",), f"has no meaning for the loss {named}. Remove it", code="meaningless_key")
        if self.layers and self.members is not None:
            yield Mistake(
                ("layers",), "cannot be combined with members: whose layers? Name one teacher", code="conflicting_keys"
            )
        if self.cache and self.ema is not None:
            yield Mistake(
                ("cache",), "cannot be combined with ema: that teacher changes in every step", code="conflicting_keys"
            )
        if self.cache and changes_every_epoch(augment):
            yield Mistake(
                ("cache",),
                "needs the same examples in every epoch, but data.augment changes them. Remove one of the two",
                code="conflicting_keys",
            )
        yield from self._file_problems(augment)

    def _loss_problems(self, compile: Compile, augment: Augment | None, several: bool) -> Iterator[Mistake]:
        """Mistakes of the loss together with what one output is."""
        task = Outputs.of(compile).task
        loss = self.response_loss(task, several)
        if task == "quantities" and loss in ("soft_labels", "decoupled", "logits"):
            yield Mistake(
                ("loss",),
                f"is {loss}, but compile.loss {compile.single_loss.name} is not about probabilities. Use outputs",
                code="incompatible_loss",
            )
        elif task == "binary" and loss == "decoupled":
            yield Mistake(
                ("loss",),
                "is decoupled, which needs one right class of several. Use soft_labels",
                code="incompatible_loss",
            )
        elif task != "quantities" and loss == "outputs":
            yield Mistake(
                ("loss",),
                f"is outputs, but compile.loss {compile.single_loss.name} is about classes. Use logits",
                code="incompatible_loss",
            )
        elif loss == "decoupled" and augment is not None and augment.mixup:
            yield Mistake(
                ("loss",),
                "is decoupled, which needs one right class, but data.augment.mixup mixes them",
                code="incompatible_loss",
            )
        elif loss == "decoupled" and "ignore_class" in compile.single_loss.arguments():
            yield Mistake(
                ("loss",),
                "is decoupled, which needs a right class everywhere, but compile.loss has ignore_class",
                code="incompatible_loss",
            )

    def _file_problems(self, augment: Augment | None) -> Iterator[Mistake]:
        members = [(("members", index), member) for index, member in enumerate(self.members or ())]
        places: list[tuple[RecipePath, ModelSource]] = [((), self), *members]
        for path, source in places:
            if not is_tflite(source):
                continue
            if changes_every_epoch(augment):
                yield Mistake(
                    (*path, "file"),
                    f"is {source.file}: a .tflite is asked once for each training example, but data.augment changes "
                    "them in every epoch. Use a Keras model as teacher, or remove the augmentation",
                    code="conflicting_keys",
                )
            if self.layers:
                yield Mistake(
                    ("layers",),
                    f"cannot be combined with {source.file}: a .tflite has outputs only",
                    code="conflicting_keys",
                )


def is_tflite(source: ModelSource) -> bool:
    """Whether a model is a `.tflite`: it has outputs, but cannot be run inside a training step."""
    return source.file is not None and source.file.endswith(".tflite")


def changes(teacher: Teacher) -> Iterator[tuple[str, Change]]:
    """Values that change over the stage, by key."""
    for key in ("temperature", "weight"):
        value = getattr(teacher, key)
        if isinstance(value, Change):
            yield key, value


def _check_members(members: Sequence[Member]) -> None:
    given = [member.weight for member in members if member.weight is not None]
    if not given:
        return
    if len(given) != len(members):
        missing = next(index for index, member in enumerate(members) if member.weight is None)
        raise KeyMistake(
            ("members", missing), f"members.{missing} has no weight, but others have one", code="missing_key"
        )
    if abs(sum(given) - 1) > 1e-6:
        raise KeyMistake(
            ("members",), f"the weights of the members sum to {sum(given):g}; they must sum to 1", code="weights_sum"
        )
