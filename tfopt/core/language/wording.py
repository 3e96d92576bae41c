"""Words for the values that a user wrote and for what was expected instead."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

EXPECTED = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a whole number of fewer digits",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "a text",
    "none_required": "left empty",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping (keys with values)",
    "mapping_type": "a mapping (keys with values)",
    "model_type": "a mapping (keys with values)",
    "model_attributes_type": "a mapping (keys with values)",
    "dataclass_type": "a mapping (keys with values)",
    "greater_than": "above {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "below {lt}",
    "less_than_equal": "at most {le}",
    "multiple_of": "a multiple of {multiple_of}",
    "string_too_short": "at least {min_length} characters long",
    "string_too_long": "at most {max_length} characters long",
    "string_pattern_mismatch": "a text of the form {pattern}",
    "literal_error": "{expected}",
}
"""What a value must be, by pydantic's type of error."""

KIND_MISMATCH = frozenset(
    name
    for name in EXPECTED
    if name.endswith("_type") or name in ("int_parsing", "int_from_float", "float_parsing", "bool_parsing")
) | {"literal_error", "none_required"}
"""Errors that report a value of the wrong kind."""

_NUMBERS = ("int_type", "float_type")
_QUANTITY = re.compile(r"[-+]?[\d.]+ ?[A-Za-z%]+")


def sentence(error: ErrorDetails) -> str:
    """What was expected, to be put after `must be`."""
    kind, context = error["type"], error.get("ctx", {})
    if kind in ("too_short", "too_long"):
        bound, number = ("at least", "min_length") if kind == "too_short" else ("at most", "max_length")
        what = "keys" if context["field_type"] == "Dictionary" else "entries"
        what = what if context[number] != 1 else {"keys": "key", "entries": "entry"}[what]
        holder = "a mapping" if context["field_type"] == "Dictionary" else "a list"
        return f"{holder} of {bound} {context[number]} {what}"
    if kind in EXPECTED:
        return EXPECTED[kind].format_map({name: _number(value) for name, value in context.items()})
    return f"something else ({error['msg']})"


def _number(value: object) -> object:
    return int(value) if isinstance(value, float) and value == int(value) else value


def quote(value: object) -> str:
    """A received value as the user would write it, shortened when long.

    Strings are quoted, to distinguish `'15'` from `15`; quantities such as `120%` are not.
    """
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value if _QUANTITY.fullmatch(value) else _shortened(repr(value))
    if isinstance(value, Mapping):
        return f"a mapping with the keys {_shortened(', '.join(map(str, value)))}" if value else "an empty mapping"
    if isinstance(value, Sequence):
        return _shortened(json.dumps(value, default=str)) if value else "an empty list"
    return str(value)


def name_of(label: str, path: Sequence[str | int]) -> str:
    """How the user calls a location: `prune.schedule.final`."""
    return ".".join([*([label] if label else []), *(str(item) for item in path)]) or "the recipe"


def remark(error: Mapping[str, object], value: object) -> str:
    """A remark in parentheses on a mix-up of text and number, with a leading space, or nothing."""
    kind = error["type"]
    if kind == "string_type" and isinstance(value, (int, float)):
        return f" (put it in quotes: '{quote(value)}')"
    if kind in _NUMBERS and isinstance(value, str) and re.fullmatch(r"[-+]?\d+(\.\d*)?([eE][-+]?\d+)?", value.strip()):
        return " (without the quotes)"
    if kind in ("list_type", "tuple_type") and isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return f" (write [{value}])"
    return ""


def with_stop(text: str) -> str:
    """A sentence with its full stop."""
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _shortened(text: str, length: int = 70) -> str:
    return text if len(text) <= length else f"{text[: length - 3]}..."


def counted(number: float, noun: str, plural: str | None = None) -> str:
    """A number with its noun: `1 operator`, `1,200 operators`.

    Args:
        number: how many; written without decimals.
        noun: of one.
        plural: of several, where an `s` is not enough.
    """
    return f"{number:,.0f} {noun if number == 1 else plural or f'{noun}s'}"
