"""A plan with what was loaded to make it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tfopt.core.contracts.types import Data, Model
from tfopt.core.recipe.plan import Plan


@dataclass(frozen=True)
class Prepared:
    """A plan with what was loaded to make it.

    Args:
        plan: what would be done.
        data: the splits (`tfopt.backend.data.load.Data`).
        model: the starting model, a `tf_keras.Model`.
        origin: the Keras 3 model it was made from, or None; also where a stage adds layers that Keras 3 does not have.
        needed: what makes the external models that stages need, by the key of its last stage.
        layout: a model with the layers that the last stage leaves, whatever its weights; the starting model itself
            where no stage adds or removes layers.
    """

    plan: Plan
    data: Data
    model: Model
    origin: Model = None
    needed: Mapping[str, Prepared] = field(default_factory=dict)
    layout: Model = None

    def stage_keys(self) -> list[str]:
        """Keys of all its stages, and of all that make the models they need."""
        own = [stage.key for stage in self.plan.stages]
        return list(dict.fromkeys([*(key for one in self.needed.values() for key in one.stage_keys()), *own]))
