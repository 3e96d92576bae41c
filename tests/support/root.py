"""Where the checkout is, and the real data next to it."""

from __future__ import annotations

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SHARED_DATA = REPOSITORY.parent / "shared" / "data"
SHARED_CASES = REPOSITORY.parent / "shared" / "cases"
