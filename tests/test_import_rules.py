"""Who may import whom: the rooms of the design, checked by walking the imports of every file."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "tfopt"

MAY_IMPORT = {
    "errors": set(),
    "core": {"errors"},
    "io": {"core", "errors"},
    "stages": {"core", "errors"},
    "export": {"core", "errors"},
    "backend": {"core", "errors"},
    "bridge": {"errors"},
    "elsewhere": {"core", "io", "planner", "errors"},
    "planner": {"core", "io", "stages", "export", "elsewhere", "errors"},
    "runner": {"core", "io", "stages", "export", "planner", "errors"},
    "executors": {"core", "io", "errors"},
    "sweeper": {"core", "io", "stages", "export", "planner", "executors", "errors"},
    "report": {"core", "errors"},
    "api": {"core", "io", "stages", "export", "planner", "runner", "executors", "sweeper", "report", "errors"},
    "cli": {"core", "errors", "api", "report"},
    "notebook": {"core", "errors", "api", "report"},
    "testing": {"core", "errors", "io", "planner", "runner"},
}
"""Room -> rooms it may name; `backend` is besides allowed inside function bodies of HANDS_TO_BACKEND."""

HANDS_TO_BACKEND = {"bridge", "stages", "export", "elsewhere", "planner", "runner", "api", "testing"}
TENSORFLOW_STACK = {
    "ai_edge_litert",
    "ai_edge_quantizer",
    "keras",
    "tensorflow",
    "tensorflow_model_optimization",
    "tf_keras",
}
IMPURE = {"io", "json5", "os", "random", "shutil", "socket", "subprocess", "tempfile", "time", "datetime", "numpy"}


def rooms() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        relative = path.relative_to(PACKAGE)
        room = relative.parts[0].removesuffix(".py")
        if room not in ("__init__", "__main__"):
            yield room, path


def imports(tree: ast.Module) -> Iterator[tuple[str, bool]]:
    """Every imported module, and whether the import stands inside a function or under TYPE_CHECKING."""

    def walk(node: ast.AST, inside: bool) -> Iterator[tuple[str, bool]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from ((alias.name, inside) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                module = child.module or ""
                names = [f"tfopt.{alias.name}" for alias in child.names] if module == "tfopt" else [module]
                yield from ((name, inside) for name in names)
            checking = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
            function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            yield from walk(child, inside or function or checking)

    return walk(tree, False)


@pytest.mark.parametrize(("room", "path"), list(rooms()), ids=lambda value: getattr(value, "name", value))
def test_a_file_imports_only_what_its_room_may(room: str, path: Path) -> None:
    for module, inside_function in imports(ast.parse(path.read_text(encoding="utf-8"))):
        top, *rest = module.split(".")
        where = f"{path.relative_to(PACKAGE.parent)} imports {module}"
        if top in TENSORFLOW_STACK:
            assert room == "backend", f"{where}: only tfopt/backend may"
        if room == "core":
            assert top not in IMPURE, f"{where}: core is pure"
        if top != "tfopt" or not rest:
            continue
        target = rest[0]
        if target in (room, "__version__"):
            continue
        if target == "backend":
            assert room in HANDS_TO_BACKEND, f"{where}: {room} may not"
            assert inside_function, f"{where}: only inside a function body"
            continue
        assert target in MAY_IMPORT[room], f"{where}: {room} may not"


def test_every_room_has_its_rule() -> None:
    assert {room for room, _ in rooms()} <= MAY_IMPORT.keys()
