"""Who may import whom: the rooms of the design, checked by walking the imports of every file."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "tfopt"

MAY_IMPORT = {
    "_version": set(),
    "errors": set(),
    "atomic": set(),
    "memory": set(),
    "core": {"errors"},
    "catalog": {"core", "errors"},
    "results": {"core", "errors"},
    "io": {"catalog", "core", "errors", "_version", "atomic"},
    "stages": {"core", "errors"},
    "export": {"core", "errors"},
    "backend": {"catalog", "core", "errors", "atomic", "memory"},
    "bridge": {"errors"},
    "executors": {"catalog", "core", "io", "errors", "memory"},
    "engine": {"catalog", "core", "io", "executors", "errors"},
    "report": {"core", "errors"},
    "api": {"catalog", "core", "io", "engine", "executors", "report", "results", "errors"},
    "cli": {"core", "errors", "api", "report", "results"},
    "notebook": {"core", "errors", "api", "report", "results"},
    "testing": {"catalog", "core", "errors", "io", "engine"},
}
"""Room -> rooms it may import; `backend` is in addition allowed inside function bodies of HANDS_TO_BACKEND.

No room imports a stage or an export target: the catalog finds them by name, so that those of other packages count as
much as those of tfopt.
"""

FLOORS = {
    "tfopt.core": (
        {"language"},
        {"records", "targets"},
        {"config"},
        {"claims", "contracts"},
        {"recipe"},
        {"sweeps"},
    ),
    "tfopt.io": ({"system"}, {"recipes", "store"}, {"runs"}),
    "tfopt.report": ({"shared"}, {"live", "run"}, {"comparison", "files", "plan"}, {"notebook"}),
    "tfopt.backend": (
        {"compat", "types"},
        {"audio", "devices", "text"},
        {"layers", "vision"},
        {"data", "equivalence", "graph", "phone", "tflite"},
        {"bench", "bridge", "clustering", "decoding", "micro", "training"},
        {"calibration", "ensembling", "models", "pruning"},
        {"audit", "quantization"},
        {"quantizer", "explain", "shrinking"},
        {"layer_support", "artifacts", "export"},
        {"bundle", "distillation", "generation"},
        {"stages"},
    ),
}
"""Floors of a package, the lowest first: a room imports only rooms of lower floors."""

HANDS_TO_BACKEND = {"bridge", "stages", "export", "engine", "api", "testing"}
TENSORFLOW_STACK = {
    "ai_edge_litert",
    "ai_edge_quantizer",
    "keras",
    "tensorflow",
    "tensorflow_model_optimization",
    "tf_keras",
}
PRIVATE = ("tensorflow.python", "tf_keras.src", "keras.src", "tensorflow_model_optimization.python")
"""Private modules of other libraries: imported in tfopt/backend/compat only."""
IMPURE = {"io", "json5", "os", "random", "shutil", "socket", "subprocess", "tempfile", "time", "datetime", "numpy"}


def rooms() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        relative = path.relative_to(PACKAGE)
        room = relative.parts[0].removesuffix(".py")
        if room not in ("__init__", "__main__"):
            yield room, path


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


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
    for module, inside_function in imports(parsed(path)):
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


def test_private_modules_are_imported_in_compat_only() -> None:
    for _, path in rooms():
        if path.parent != PACKAGE / "backend" / "compat":
            for module, _ in imports(parsed(path)):
                assert not module.startswith(PRIVATE), f"{path.relative_to(PACKAGE.parent)} imports {module}"


def test_every_room_has_its_rule() -> None:
    assert {room for room, _ in rooms()} <= MAY_IMPORT.keys()


def module_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def import_graph() -> dict[str, set[str]]:
    """Module -> modules of tfopt that it imports, those inside functions and under TYPE_CHECKING included."""
    modules = {module_of(path): path for path in PACKAGE.rglob("*.py")}
    graph: dict[str, set[str]] = {}
    for module, path in modules.items():
        graph[module] = set()
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "tfopt":
                names = [f"{node.module}.{alias.name}" for alias in node.names]
                graph[module] |= {name if name in modules else str(node.module) for name in names}
            elif isinstance(node, ast.Import):
                graph[module] |= {alias.name for alias in node.names if alias.name in modules}
        graph[module].discard(module)
    return graph


def circle(graph: dict[str, set[str]]) -> list[str]:
    """The members of a circle, each importing the one before it; empty where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_circle_of_files() -> None:
    assert circle(import_graph()) == []


def rooms_in(package: str) -> dict[str, set[str]]:
    """What is directly in a package -> what of the same package it, or a file below it, imports."""
    depth = len(package.split(".")) + 1
    graph: dict[str, set[str]] = {}
    for module, imported in import_graph().items():
        if module.startswith(f"{package}."):
            own = ".".join(module.split(".")[:depth])
            below = {".".join(other.split(".")[:depth]) for other in imported if other.startswith(f"{package}.")}
            graph.setdefault(own, set()).update(below - {own})
    return graph


@pytest.mark.parametrize("package", sorted({module_of(path.parent / "__init__.py") for path in PACKAGE.rglob("*.py")}))
def test_no_circle_of_rooms(package: str) -> None:
    assert circle(rooms_in(package)) == []


@pytest.mark.parametrize("package", FLOORS)
def test_rooms_import_only_from_lower_floors(package: str) -> None:
    level = {room: number for number, rooms in enumerate(FLOORS[package]) for room in rooms}
    depth = len(package.split("."))

    def room(module: str) -> str | None:
        below = module.split(".")[depth:]
        return below[0] if module.startswith(f"{package}.") else None

    for module, imported in import_graph().items():
        own = room(module)
        if own is None:
            continue
        assert own in level, f"{module}: the room {own!r} has no floor"
        for other in imported:
            target = room(other)
            if target not in (None, own):
                assert level[str(target)] < level[own], f"{module} imports {other}: {target} is not below {own}"
