"""Optimizers, losses and metrics in a recipe: a Keras name with its own arguments, or code of the user's own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import ConfigDict, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from tfopt.core.config.training.keras_names import LOSSES, METRICS, OPTIMIZERS, KerasName
from tfopt.core.config.training.learning_rate import LearningRate
from tfopt.core.language.block import Block, KeyMistake
from tfopt.core.language.references import REFERENCE_PATTERN, is_reference
from tfopt.core.language.suggest import closest

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaValue


def _is_argument(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return all(_is_argument(part) for part in value)
    return value is None or isinstance(value, (str, bool, int)) or (isinstance(value, float) and math.isfinite(value))


class Named(Block):
    """Something with a Keras name; its other keys are that thing's own arguments, checked by name."""

    model_config = ConfigDict(extra="allow")

    name: str
    """Name in Keras."""

    own_code: ClassVar[bool] = False
    """Whether `package.module:name` can replace a Keras name."""

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: object) -> object:
        return {"name": value} if isinstance(value, str) else value

    @property
    def reference(self) -> str | None:
        """`package.module:name` where it is code of the user's own."""
        return self.name if is_reference(self.name) else None

    @property
    def label(self) -> str:
        """Its name in reports, budgets and monitors: of code of the user's own, the part after the colon."""
        return self.name.rpartition(":")[2]

    def arguments(self) -> dict[str, Any]:
        """The arguments, without the name."""
        return dict(self.__pydantic_extra__ or {})

    def check(self, known: Mapping[str, KerasName], what: str) -> None:
        """Raises ValueError when the name or an argument is not known; code of one's own is looked at later."""
        own = self.own_code and self.reference is not None
        if self.name not in known and not own:
            guess = closest(self.name, known) or (
                " Code of your own is written package.module:function." if self.own_code else ""
            )
            raise KeyMistake(("name",), f"names no {what} of Keras: {self.name!r}.{guess}", code="unknown_name")
        arguments = () if own else known[self.name].arguments
        for argument, value in self.arguments().items():
            if argument not in arguments and not own:
                guess = closest(argument, arguments) or f" Its arguments: {', '.join(arguments) or 'none'}."
                raise KeyMistake(
                    (argument,),
                    f"{self.name} has no argument {argument!r}.{guess}",
                    on_key=True,
                    code="unknown_argument",
                )
            if not _is_argument(value):
                raise KeyMistake(
                    (argument,),
                    f"{argument} must be a finite number, a text, a truth value, or a list of them",
                    code="wrong_type",
                )

    @classmethod
    def known(cls) -> Mapping[str, KerasName]:
        """The Keras names that are accepted here."""
        raise NotImplementedError

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        block = dict(handler.resolve_ref_schema(handler(schema)))
        arguments = dict.fromkeys(argument for known in cls.known().values() for argument in known.arguments)
        properties = {argument: {} for argument in arguments} | block["properties"]
        properties["name"] = properties["name"] | {"enum": list(cls.known())}
        description = block.pop("description", "")
        block |= {"properties": properties, "additionalProperties": False}
        forms: list[JsonSchemaValue] = [{"type": "string", "enum": list(cls.known())}, block]
        if cls.own_code:
            own = {"type": "string", "pattern": REFERENCE_PATTERN}
            forms += [own, {**block, "properties": {**block["properties"], "name": own}, "additionalProperties": True}]
        return {"description": description, "anyOf": forms}


class Optimizer(Named):
    """An optimizer, e.g. `{name: adam, learning_rate: 1e-3, clipnorm: 1.0, weight_decay: 1e-4}`."""

    learning_rate: LearningRate = 1e-3
    """A number, or a schedule."""

    @model_validator(mode="after")
    def _is_known(self) -> Optimizer:
        self.check(OPTIMIZERS, "optimizer")
        return self

    @classmethod
    def known(cls) -> Mapping[str, KerasName]:
        return OPTIMIZERS


class Loss(Named):
    """A loss, e.g. `sparse_categorical_crossentropy`, `{name: huber, delta: 0.5}`, or one of your own:
    `losses:focal`, `{name: "losses:focal", gamma: 2, like: sparse_categorical_crossentropy}`."""

    own_code = True

    like: str | None = None
    """For a loss of your own: the Keras loss that takes the same targets and outputs. Without it, classes are assumed
    where a metric is about classes, and quantities otherwise."""

    @model_validator(mode="after")
    def _is_known(self) -> Loss:
        self.check(LOSSES, "loss")
        if self.like is not None and self.reference is None:
            raise KeyMistake(("like",), "is for a loss of your own", on_key=True, code="meaningless_key")
        if self.like is not None and self.like not in LOSSES:
            message = f"names no loss of Keras: {self.like!r}.{closest(self.like, LOSSES)}"
            raise KeyMistake(("like",), message, code="unknown_name")
        return self

    @classmethod
    def known(cls) -> Mapping[str, KerasName]:
        return LOSSES


class Metric(Named):
    """A metric, e.g. `accuracy`, `{name: sparse_top_k_categorical_accuracy, k: 3}`, or one of your own:
    `metrics:hit_rate`, whose name is then `hit_rate`."""

    own_code = True

    @model_validator(mode="after")
    def _is_known(self) -> Metric:
        self.check(METRICS, "metric")
        return self

    @classmethod
    def known(cls) -> Mapping[str, KerasName]:
        return METRICS
