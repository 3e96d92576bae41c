"""On how many devices, and on how many machines, a recipe is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from tfopt.core.language.block import Block, KeyMistake

Strategy = Literal["mirrored", "multi_worker", "auto"]
"""How training is spread over devices."""


class Distribution(Block):
    """Data-parallel training: each batch is divided among devices, which all hold the same weights."""

    strategy: Strategy
    """`mirrored`: all GPUs of this machine. `multi_worker`: the machines that the environment variable TF_CONFIG lists,
    with all GPUs of each. `auto`: `multi_worker` where TF_CONFIG lists several workers, `mirrored` where this machine
    has several GPUs, otherwise one device, as without `distribute`."""
    devices: Annotated[int | None, Field(ge=1)] = None
    """How many devices of each machine (default: all)."""
    device: Literal["gpu", "cpu"] | None = None
    """Which devices (default: `gpu` where there are some). `cpu` divides the processor into `devices` logical ones, to
    try a recipe where no GPU is at hand; it is not faster."""

    @model_validator(mode="after")
    def _says_how_many(self) -> Distribution:
        if self.strategy == "auto" and (self.devices or self.device):
            raise KeyMistake(
                ("strategy",),
                "strategy: auto finds the devices itself: leave `devices` and `device` out, or write mirrored",
                code="conflicting_keys",
            )
        if self.device == "cpu" and self.devices is None and self.strategy == "mirrored":
            raise KeyMistake(
                ("device",),
                "device: cpu needs a number: devices: 2 divides the processor into two logical devices",
                code="missing_key",
            )
        return self


def _from_name(value: object) -> object:
    if value is not None and not isinstance(value, (str, Mapping, Distribution)):
        raise ValueError("must be mirrored, multi_worker, auto, or a block with `strategy` and `devices`")
    return {"strategy": value} if isinstance(value, str) else value


Distribute = Annotated[Distribution | None, BeforeValidator(_from_name)]
"""`mirrored`, or a block with the number of devices."""
