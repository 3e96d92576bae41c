"""The stages and exports that a recipe may name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tfopt.core.contracts.export import Export
from tfopt.core.contracts.stage import Stage


@dataclass(frozen=True)
class Catalog:
    """The stages and exports that a recipe may name.

    Args:
        stages: stage classes by recipe key.
        exports: export classes by recipe key.
    """

    stages: Mapping[str, type[Stage]]
    exports: Mapping[str, type[Export]]
