"""What changes the fingerprint of code of the user's own."""

from __future__ import annotations

from pathlib import Path

from tfopt.catalog import references
from tfopt.catalog.code_fingerprint import code_fingerprint
from tfopt.catalog.own_code import importable

HELPER = "FACTOR = {factor}\ndef helper(x):\n    return x * {inner}\n"
MODULE = """import ownprinthelper
from ownprinthelper import helper
SCALE = {scale}
UNUSED = {unused}
class Base:
    def used(self): return {base}
class Loss(Base):
    def call(self, x): return helper(x) * SCALE
def loss(x): return Loss().call(x)
def other(x): return ownprinthelper.FACTOR
"""


def fingerprints(folder: Path, **changes: int) -> tuple[str, str]:
    values = {"scale": 1, "unused": 1, "base": 1, "factor": 1, "inner": 1} | changes
    folder.mkdir()
    (folder / "ownprint.py").write_text(MODULE.format(**values), encoding="utf-8")
    (folder / "ownprinthelper.py").write_text(HELPER.format(**values), encoding="utf-8")
    with importable(folder):
        loss, other = (code_fingerprint(references.function(f"ownprint:{name}", folder)) for name in ("loss", "other"))
    return loss, other


def test_it_follows_what_the_code_uses(tmp_path: Path) -> None:
    loss, other = fingerprints(tmp_path / "start")
    assert fingerprints(tmp_path / "same") == (loss, other)
    assert fingerprints(tmp_path / "unused", unused=2) == (loss, other)
    for number, (change, changed_loss, changed_other) in enumerate(
        [("scale", True, False), ("base", True, False), ("inner", True, True), ("factor", False, True)]
    ):
        found = fingerprints(tmp_path / str(number), **{change: 2})
        assert (found[0] != loss, found[1] != other) == (changed_loss, changed_other), change
