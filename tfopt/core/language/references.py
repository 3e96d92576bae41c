"""Code of one's own in a recipe: `package.module:name`."""

from __future__ import annotations

REFERENCE_PATTERN = r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$"
"""For editors; `is_reference` decides."""


def is_reference(text: str) -> bool:
    """Whether a text is written `package.module:name`."""
    module, colon, name = text.partition(":")
    return bool(colon) and name.isidentifier() and all(part.isidentifier() for part in module.split("."))
