"""Ordered per-layer rules: by name regex and/or layer type, the last that matches wins."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

from pydantic import field_validator

from tfopt.core.language.block import Block


class LayerRule(Block):
    """Whom a rule is for. Subclasses add what it says."""

    match: str = ".*"
    """Regular expression that the whole layer name must match."""
    type: str | None = None
    """Keras layer type, such as Conv2D; any type if absent."""

    @field_validator("match")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"must be a regular expression ({error})") from error
        return value

    def applies_to(self, name: str, kind: str) -> bool:
        """Whether the rule is for the layer `name` of type `kind`."""
        return (self.type is None or self.type == kind) and re.fullmatch(self.match, name) is not None

    @property
    def described(self) -> str:
        """Whom it is for, as an error names it."""
        if self.type is None:
            return repr(self.match)
        return f"{self.match!r} of type {self.type}" if self.match != ".*" else f"layers of type {self.type}"


R = TypeVar("R", bound=LayerRule)


def last_match(rules: Sequence[R], name: str, kind: str) -> R | None:
    """The rule that holds for a layer: the last that matches, or None."""
    return next((rule for rule in reversed(rules) if rule.applies_to(name, kind)), None)
