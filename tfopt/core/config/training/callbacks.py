"""Callbacks of one's own in a training stage."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ConfigDict, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from tfopt.core.config.training.keras_names import KerasName
from tfopt.core.config.training.keras_objects import Named
from tfopt.core.language.block import KeyMistake
from tfopt.core.language.references import REFERENCE_PATTERN, is_reference


class OwnCallback(Named):
    """A callback of one's own, e.g. `callbacks:Watch` or `{name: "callbacks:Watch", every: 2}`."""

    model_config = ConfigDict(extra="allow")
    own_code = True

    name: str
    """`package.module:Class` of a subclass of `keras.callbacks.Callback`, or `package.module:function`, which is called
    with the number of the epoch (from 0) and its metrics when an epoch has ended."""

    @model_validator(mode="after")
    def _is_own(self) -> OwnCallback:
        if not is_reference(self.name):
            raise KeyMistake(
                ("name",),
                f"must be package.module:Class of a callback of yours. Got {self.name!r}. For early stopping, rate "
                "schedules and TensorBoard use the keys early_stopping, learning_rate and tensorboard",
                code="unknown_name",
            )
        self.check({}, "callback")
        return self

    @classmethod
    def known(cls) -> Mapping[str, KerasName]:
        return {}

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, object]:
        block = dict(handler.resolve_ref_schema(handler(schema)))
        description = block.pop("description", "")
        text = {"type": "string", "pattern": REFERENCE_PATTERN}
        return {"description": description, "anyOf": [text, block | {"additionalProperties": True}]}
