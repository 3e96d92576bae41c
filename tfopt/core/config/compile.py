"""Optimizer, loss and metrics, by Keras name with their own arguments."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import ConfigDict, Field, GetJsonSchemaHandler, field_validator, model_validator
from pydantic_core import CoreSchema

from tfopt.core.config.keras_names import LOSSES, METRICS, OPTIMIZERS, KerasName
from tfopt.core.config.learning_rate import LearningRate
from tfopt.core.language.block import Block, KeyMistake
from tfopt.core.language.suggest import closest


def _is_argument(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return all(_is_argument(part) for part in value)
    return value is None or isinstance(value, (str, bool, int)) or (isinstance(value, float) and math.isfinite(value))


class _Named(Block):
    """Something with a Keras name; its other keys are that thing's own arguments, checked by name."""

    model_config = ConfigDict(extra="allow")

    name: str
    """Name in Keras."""

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: object) -> object:
        return {"name": value} if isinstance(value, str) else value

    def arguments(self) -> dict[str, Any]:
        """The arguments, without the name."""
        return dict(self.__pydantic_extra__ or {})

    def check(self, known: Mapping[str, KerasName], what: str) -> None:
        """Raises ValueError when the name or an argument is not known."""
        if self.name not in known:
            raise KeyMistake(
                ("name",), f"names no {what} of Keras: {self.name!r}.{closest(self.name, known)}", code="unknown_name"
            )
        arguments = known[self.name].arguments
        for argument, value in self.arguments().items():
            if argument not in arguments:
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
        """The Keras names that may stand here."""
        raise NotImplementedError

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        block = dict(handler.resolve_ref_schema(handler(schema)))
        arguments = dict.fromkeys(argument for known in cls.known().values() for argument in known.arguments)
        properties = {argument: {} for argument in arguments} | block["properties"]
        properties["name"] = properties["name"] | {"enum": list(cls.known())}
        description = block.pop("description", "")
        block |= {"properties": properties, "additionalProperties": False}
        return {"description": description, "anyOf": [{"type": "string", "enum": list(cls.known())}, block]}


class Optimizer(_Named):
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


class Loss(_Named):
    """A loss, e.g. `sparse_categorical_crossentropy` or `{name: huber, delta: 0.5}`."""

    @model_validator(mode="after")
    def _is_known(self) -> Loss:
        self.check(LOSSES, "loss")
        return self

    @classmethod
    def known(cls) -> Mapping[str, KerasName]:
        return LOSSES


class Metric(_Named):
    """A metric, e.g. `accuracy` or `{name: sparse_top_k_categorical_accuracy, k: 3}`."""

    @model_validator(mode="after")
    def _is_known(self) -> Metric:
        self.check(METRICS, "metric")
        return self

    @classmethod
    def known(cls) -> Mapping[str, KerasName]:
        return METRICS


class Compile(Block):
    """Optimizer, loss and metrics."""

    optimizer: Optimizer = Optimizer.model_construct(name="adam")
    """Optimizer of all training stages."""
    loss: Loss = Loss.model_construct(name="sparse_categorical_crossentropy")
    """The loss that is minimized."""
    metrics: Annotated[tuple[Metric, ...], Field(min_length=1)] = (Metric.model_construct(name="accuracy"),)
    """The metrics; budgets and tables use the first."""

    @field_validator("metrics")
    @classmethod
    def _differ(cls, value: tuple[Metric, ...]) -> tuple[Metric, ...]:
        names = [metric.name for metric in value]
        for index, name in enumerate(names):
            if name in names[:index]:
                raise KeyMistake(
                    (index,),
                    f"names the metric {name!r} twice: their values could not be distinguished.",
                    code="duplicate_name",
                )
        return value

    @property
    def metric(self) -> str:
        """Name of the first metric: the one the report leads with."""
        return self.metrics[0].name
