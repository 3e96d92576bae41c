"""Writes `out.zip`: stages and runs of the recipes in this folder, as tfopt 0.1.0 at commit 760fb02 leaves them.

git worktree add /tmp/base 760fb02 && PYTHONPATH=/tmp/base python tests/data/store_0_1_0/make.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
RECIPES = ("own_layers", "chain", "family")
LEFT_OUT = ("export", "figures", "locks", "latest", "logs")
"""Folders that no later run reads."""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for recipe in RECIPES:
            command = [sys.executable, "-m", "tfopt", "run", f"{recipe}.yaml", "--out", folder]
            subprocess.run(command, cwd=HERE, check=True)
        pack(Path(folder), HERE / "out.zip")


def pack(out: Path, archive: Path) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(out.rglob("*")):
            name = path.relative_to(out)
            if path.is_file() and not {*name.parts} & {*LEFT_OUT} and not path.name.endswith((".html", ".lock")):
                file.write(path, name)


if __name__ == "__main__":
    main()
