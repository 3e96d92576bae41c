"""Writes the floors of ARCHITECTURE.md from tests/test_import_rules.py: `python docs/write_floors.py`."""

from __future__ import annotations

import ast
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
PAGE = REPOSITORY / "ARCHITECTURE.md"
BEGIN, END = "<!-- floors: docs/write_floors.py -->\n", "<!-- end of floors -->\n"


def floors() -> dict[str, tuple[set[str], ...]]:
    """FLOORS of the import test, the lowest floor of each package first."""
    tree = ast.parse((REPOSITORY / "tests" / "test_import_rules.py").read_text(encoding="utf-8"))
    (value,) = (
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["FLOORS"]
    )
    found: dict[str, tuple[set[str], ...]] = ast.literal_eval(value)
    return found


def tables() -> str:
    """One table: a column per package, the highest floor first."""
    packages = floors()
    highest = max(map(len, packages.values()))
    lines = [f"| floor | {' | '.join(f'`{package}`' for package in packages)} |", "|---" * (len(packages) + 1) + "|"]
    for floor in range(highest, 0, -1):
        cells = [", ".join(sorted(rooms[floor - 1])) if floor <= len(rooms) else "" for rooms in packages.values()]
        lines.append(f"| {floor} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def page() -> str:
    """All of ARCHITECTURE.md, with today's floors."""
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    return f"{before}{BEGIN}\n{tables()}\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
