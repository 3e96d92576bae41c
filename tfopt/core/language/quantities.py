"""Quantities with units: `70%`, `3 epochs`, `200 steps`, `60 kB`, `5 ms`.

Each has one canonical spelling, so a recipe that is written out and read again is the same recipe.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BeforeValidator, GetCoreSchemaHandler, PlainSerializer, WithJsonSchema
from pydantic_core import core_schema

_NUMBER_AND_UNIT = re.compile(r"^\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?)\s*([A-Za-z%]*)\s*$")
_BYTE_UNITS = {"B": 1, "kB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
_TIME_UNITS = {"us": Decimal("0.001"), "ms": Decimal(1), "s": Decimal(1000)}


def _split(value: object) -> tuple[Decimal, str] | None:
    # Decimal, because 7 / 100 and 100 * 0.07 are rounded in binary: a recipe would change by being written and read.
    if isinstance(value, bool) or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if isinstance(value, (int, float)):
        return Decimal(repr(value)), ""
    match = _NUMBER_AND_UNIT.match(value) if isinstance(value, str) else None
    return (Decimal(match[1]), match[2]) if match else None


def _tidy(number: float) -> str:
    """The shortest text that reads back as exactly `number`."""
    return str(int(number)) if number == int(number) and abs(number) < 1e15 else repr(number)


def parse_share(value: object) -> float:
    """A share as a number: `"80%"` and `0.8` are both 0.8.

    Raises:
        ValueError: not a number and not a percentage.
    """
    parts = _split(value)
    if parts is None or parts[1] not in ("", "%"):
        raise ValueError("must be a percentage such as 80% or a number such as 0.8")
    number, unit = parts
    return float(number / 100 if unit == "%" else number)


def format_share(share: float) -> str:
    """The canonical spelling of a share: 0.8 -> `"80%"`."""
    text = f"{Decimal(repr(share)) * 100:f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text}%"


def parse_number(value: object) -> float:
    """A plain number.

    Raises:
        ValueError: no number, or one with a unit.
    """
    parts = _split(value)
    if parts is None or parts[1]:
        raise ValueError("must be a number such as 2.5")
    return float(parts[0])


def format_number(number: float) -> str:
    """The canonical spelling of a number: 2.5 -> `"2.5"`."""
    return _tidy(number)


def parse_bytes(value: object) -> int:
    """A size in bytes: `"60 kB"` -> 60000, `"1 MiB"` -> 1048576, `512` -> 512.

    Raises:
        ValueError: no number, or a unit that is not one of B, kB, MB, GB, KiB, MiB, GiB.
    """
    parts = _split(value)
    if parts is None or (parts[1] and parts[1] not in _BYTE_UNITS):
        raise ValueError("must be a size such as 60 kB, 1.5 MB or 64 KiB")
    return round(parts[0] * _BYTE_UNITS.get(parts[1], 1))


def format_bytes(size: int) -> str:
    """The canonical spelling of a size: 60000 -> `"60 kB"`, 61440 -> `"61.44 kB"`, 512 -> `"512 B"`."""
    for unit in ("GB", "MB", "kB"):
        if size >= _BYTE_UNITS[unit]:
            number = Decimal(size) / _BYTE_UNITS[unit]
            return f"{number.normalize():f} {unit}"
    return f"{size} B"


def about_bytes(size: int) -> str:
    """A size in three digits, for sentences: 4312345678 -> `"4.31 GB"`."""
    for unit in ("TB", "GB", "MB", "kB"):
        factor = 1000 * _BYTE_UNITS["GB"] if unit == "TB" else _BYTE_UNITS[unit]
        if size >= factor:
            return f"{size / factor:.3g} {unit}"
    return f"{size} B"


def parse_milliseconds(value: object) -> float:
    """A duration in milliseconds: `"5 ms"` -> 5.0, `"200 us"` -> 0.2.

    Raises:
        ValueError: no number, or no unit: a bare number would be a guess.
    """
    parts = _split(value)
    if parts is None or parts[1] not in _TIME_UNITS:
        raise ValueError("must be a duration with its unit, such as 5 ms, 200 us or 1 s")
    return float(parts[0] * _TIME_UNITS[parts[1]])


def format_milliseconds(duration: float) -> str:
    """The canonical spelling of a duration: 5.0 -> `"5 ms"`."""
    return f"{_tidy(duration)} ms"


Share = Annotated[
    float,
    BeforeValidator(parse_share),
    PlainSerializer(format_share, return_type=str),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "pattern": r"^\s*[-+]?[0-9.]+([eE][-+]?[0-9]+)?\s*%?\s*$"}, {"type": "number"}]}
    ),
]
"""A share of something; written `80%` or `0.8`, held as 0.8."""


@dataclass(frozen=True)
class Span:
    """A point or a distance in a stage, relative to it: `70%`, `3 epochs` or `200 steps`.

    Args:
        amount: how many of `unit`; for `%`, a share between 0 and 1.
        unit: what is counted.
    """

    amount: float
    unit: Literal["%", "epochs", "steps"]

    @classmethod
    def parse(cls, value: object) -> Span:
        """Reads `"70%"`, `"3 epochs"`, `"1 epoch"`, `"200 steps"`; a Span passes through.

        Raises:
            ValueError: anything else, a bare number included, for its unit would be a guess.
        """
        if isinstance(value, Span):
            return value
        parts = _split(value)
        units = {"%": "%", "epoch": "epochs", "epochs": "epochs", "step": "steps", "steps": "steps"}
        if parts is None or parts[1] not in units or parts[0] < 0:
            raise ValueError("must have a unit: a share of the stage such as 70%, or 3 epochs, or 200 steps")
        amount, unit = parts
        return cls(float(amount / 100 if unit == "%" else amount), units[unit])  # type: ignore[arg-type]  # the values of `units`

    def steps(self, total_steps: int, steps_per_epoch: int) -> int:
        """How many optimizer steps this is in a stage of `total_steps` steps."""
        if self.unit == "%":
            return round(self.amount * total_steps)
        return round(self.amount * steps_per_epoch) if self.unit == "epochs" else round(self.amount)

    def __str__(self) -> str:
        return format_share(self.amount) if self.unit == "%" else f"{_tidy(self.amount)} {self.unit}"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.parse, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: object, handler: object) -> dict[str, object]:
        return {"type": "string", "pattern": r"^\s*\+?[0-9.]+([eE][-+]?[0-9]+)?\s*(%|epochs?|steps?)\s*$"}
