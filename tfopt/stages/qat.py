"""Quantization-aware training in 8 bits: tfmot's `quantize_apply` with a corrected scheme."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from tfopt.core.config.quantization import FloatPolicy, Quantization
from tfopt.core.config.traits import Trait
from tfopt.core.contracts.stage import StageContext, TrainingStage
from tfopt.core.contracts.types import Model
from tfopt.core.language.block import KeyMistake

if TYPE_CHECKING:
    from tfopt.core.contracts.preflight import Preflight, Workload
    from tfopt.core.contracts.result import StageResult

_POLICIES: Mapping[str, FloatPolicy] = {"all": "forbid", "listed": "listed", "none": "allow"}
"""Today's value of `float_layers` by the value of the old key `require`."""


class Qat(Quantization, TrainingStage):
    """Trains on while weights and activations are rounded to 8 bits, so that the int8 file loses little.

    Ranges are calibrated on training data before the first step; sparsity and clusters of earlier stages are
    preserved by the scheme that fits them, which is chosen automatically.
    """

    version: ClassVar[int] = 10
    adds: ClassVar[frozenset[Trait]] = frozenset({"trained", "quantized"})
    keeps: ClassVar[frozenset[Trait]] = frozenset({"sparse", "clustered"})
    last: ClassVar[bool] = True
    not_in_key: ClassVar[frozenset[str]] = frozenset({"float_layers", "require"})

    float_layers: FloatPolicy = "listed"
    """Which layers may compute in float in the int8 file. `forbid`: none; a layer known to stay float is an error
    before training. `listed`: those that `tfopt plan` lists, each with its reason; float in any other breaks the claim
    of the file. `allow`: any; float is only reported."""
    require: Annotated[
        Literal["all", "listed", "none"] | None, Field(exclude=True, json_schema_extra={"deprecated": True})
    ] = None
    """The old name of `float_layers`, read for one release: `all` is `forbid`, `none` is `allow`."""

    @model_validator(mode="before")
    @classmethod
    def _read_the_old_key(cls, value: object) -> object:
        if not isinstance(value, Mapping) or value.get("require") is None:
            return value
        if "float_layers" in value:
            message = "require is the old name of float_layers; remove it, both are given"
            raise KeyMistake(("require",), message, on_key=True, code="conflicting_keys")
        policy = _POLICIES.get(str(value["require"]))
        # An unknown value is left to the check of `require` itself, which names the known ones.
        return value if policy is None else {**value, "float_layers": policy}

    def preflight(self, model: Model, workload: Workload) -> Preflight:
        from tfopt.backend.quantization.preflight import preflight
        from tfopt.core.contracts.preflight import Preflight

        found = preflight(model, self, workload, self.float_layers)
        if self.require is None:
            return found
        warning = f"require is now float_layers; write float_layers: {self.float_layers}."
        return found.joined(Preflight(warnings=(warning,)))

    def float_policy(self) -> FloatPolicy:
        return self.float_layers

    def apply(self, model: Model, context: StageContext) -> StageResult:
        from tfopt.backend.stages.qat import quantize_aware_train

        return quantize_aware_train(model, self, self, context)
