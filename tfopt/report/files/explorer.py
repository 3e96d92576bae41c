"""What `tfopt inspect --explorer` wrote, as text for the terminal."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path


def explorer_text(files: Sequence[Path], command: Sequence[str], installed: bool) -> list[str]:
    """The files for Model Explorer, and how to open them."""
    lines = ["", "node data for Model Explorer", *(f"  {file}" for file in files)]
    if not installed:
        lines.append('Model Explorer is not installed: pip install "tfopt[explorer]", then')
    return [*lines, f"  {shlex.join(command)}"]
