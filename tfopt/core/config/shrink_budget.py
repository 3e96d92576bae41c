"""The budget of a shrink stage: `to: {macs: 50%}`, `{parameters: 200k}`, `{bytes: 60 kB}`, `{latency: 60%}`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from tfopt.core.language.block import SharedBlock
from tfopt.core.language.quantities import (
    format_bytes,
    format_milliseconds,
    format_share,
    parse_bytes,
    parse_milliseconds,
    parse_share,
)

Cost = Literal["macs", "parameters", "bytes", "latency"]
"""What a network costs for one example: multiply-accumulate operations, weights, bytes of its float32 weights,
milliseconds in a float32 `.tflite` file on this machine, with one thread."""

_COUNT = re.compile(r"^\s*(\d+\.?\d*|\.\d+)\s*([kKMG]?)\s*$")
_FACTORS = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9}


def parse_count(value: object) -> float:
    """A number of things: `"200k"` -> 200000, `"1.5M"`, `12000000`.

    Raises:
        ValueError: no number, or a unit that is not one of k, M, G.
    """
    match = _COUNT.match(value) if isinstance(value, str) else None
    if match:
        return float(Decimal(match[1]) * _FACTORS[match[2]])
    if isinstance(value, bool) or not (isinstance(value, int) or (isinstance(value, float) and value.is_integer())):
        raise ValueError("must be a number such as 200k or 1.5M")
    return float(value)


def format_count(count: float) -> str:
    """The canonical spelling of a number of things: 200000 -> `"200k"`."""
    for unit in ("G", "M", "k"):
        if count >= _FACTORS[unit]:
            return f"{(Decimal(repr(count)) / _FACTORS[unit]).normalize():f}{unit}"
    return f"{Decimal(repr(count)).normalize():f}"


_PARSE: Mapping[Cost, Callable[[object], float]] = {
    "macs": parse_count,
    "parameters": parse_count,
    "bytes": parse_bytes,
    "latency": parse_milliseconds,
}


_EXPECTED: Mapping[Cost, str] = {
    "macs": "must be a share such as 50%, or a number such as 200k or 1.5M",
    "parameters": "must be a share such as 50%, or a number such as 200k or 1.5M",
    "bytes": "must be a share such as 50%, or a size such as 60 kB",
    "latency": "must be a share such as 60%, or a duration with its unit, such as 5 ms or 200 us",
}


def format_cost(cost: Cost, amount: float) -> str:
    """An absolute cost as a recipe says it."""
    if cost == "bytes":
        return format_bytes(round(amount))
    return format_milliseconds(amount) if cost == "latency" else format_count(amount)


@dataclass(frozen=True)
class Limit:
    """A limit on a cost.

    Args:
        cost: what is limited.
        amount: a share (0 to 1) of the cost of the model before the stage, or an absolute value in operations, weights,
            bytes or milliseconds.
        relative: whether it is a share.
    """

    cost: Cost
    amount: float
    relative: bool

    def of(self, dense: float) -> float:
        """The absolute limit for a model with this cost."""
        return self.amount * dense if self.relative else self.amount

    def __str__(self) -> str:
        return format_share(self.amount) if self.relative else format_cost(self.cost, self.amount)


def _reader(cost: Cost) -> Callable[[object], object]:
    def read(value: object) -> object:
        if value is None or isinstance(value, Limit):
            return value
        share = (isinstance(value, str) and value.strip().endswith("%")) or (isinstance(value, float) and value < 1)
        try:
            amount = parse_share(value) if share else _PARSE[cost](value)
        except ValueError:
            raise ValueError(_EXPECTED[cost]) from None
        limit = Limit(cost, amount, share)
        if limit.amount <= 0 or (share and limit.amount >= 1):
            raise ValueError("must be above 0, and as a share below 100%")
        return limit

    return read


_WRITTEN = PlainSerializer(lambda limit: None if limit is None else str(limit))
_SCHEMA = WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "null"}]})

Macs = Annotated[Any, BeforeValidator(_reader("macs")), _WRITTEN, _SCHEMA]
Parameters = Annotated[Any, BeforeValidator(_reader("parameters")), _WRITTEN, _SCHEMA]
Bytes = Annotated[Any, BeforeValidator(_reader("bytes")), _WRITTEN, _SCHEMA]
Latency = Annotated[Any, BeforeValidator(_reader("latency")), _WRITTEN, _SCHEMA]


class ShrinkBudget(SharedBlock):
    """What the network may cost when it is shrunk; exactly one key."""

    macs: Macs = None
    """Multiply-accumulate operations for one example: a share of those before the stage (50%), or a number (12M)."""
    parameters: Parameters = None
    """Weights: a share, or a number (200k)."""
    bytes: Bytes = None
    """Bytes of the float32 weights: a share, or a size (60 kB)."""
    latency: Latency = None
    """Time for one example in a float32 `.tflite` file on this machine, with one thread: a share, or a duration
    (5 ms). It is found in a table of measured layers and proved on the whole file."""
    threshold: Annotated[float, Field(gt=0)] | None = None
    """No cost, but a score of the criterion: every unit whose score is below is removed."""

    @model_validator(mode="after")
    def _one(self) -> ShrinkBudget:
        given = [key for key in type(self).model_fields if getattr(self, key) is not None]
        if len(given) != 1:
            got = f"Got {' and '.join(given)}" if given else "Got none of them"
            raise ValueError(f"needs exactly one of macs, parameters, bytes, latency and threshold. {got}")
        return self

    @property
    def limit(self) -> Limit | None:
        """The limit on a cost; None with a threshold."""
        given: Limit | None = self.macs or self.parameters or self.bytes or self.latency
        return given
