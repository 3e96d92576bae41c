"""How raw values became the inputs of a model: `input = (raw - mean) / std`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from tfopt.core.language.block import KeyMistake, SharedBlock


class Normalization(SharedBlock):
    """What a data source did to raw values, where tfopt cannot know it: `input = (raw - mean) / std`."""

    mean: float | Annotated[tuple[float, ...], Field(min_length=1)] = 0.0
    """What was subtracted: one number, or one for each channel (the last axis)."""
    std: float | Annotated[tuple[float, ...], Field(min_length=1)] = 1.0
    """What the difference was divided by: one number, or one for each channel."""

    @model_validator(mode="after")
    def _can_be_undone(self) -> Normalization:
        if any(value <= 0 for value in self.stds):
            raise KeyMistake(("std",), f"std must be above 0. Got {self.std}", code="out_of_range")
        counts = {len(self.means), len(self.stds)} - {1}
        if len(counts) > 1:
            message = f"std must have as many numbers as mean ({len(self.means)}). Got {len(self.stds)}"
            raise KeyMistake(("std",), message, code="conflicting_keys")
        return self

    @property
    def means(self) -> tuple[float, ...]:
        """`mean` as a list of one number, or one for each channel."""
        return self.mean if isinstance(self.mean, tuple) else (self.mean,)

    @property
    def stds(self) -> tuple[float, ...]:
        """`std` as a list of one number, or one for each channel."""
        return self.std if isinstance(self.std, tuple) else (self.std,)
