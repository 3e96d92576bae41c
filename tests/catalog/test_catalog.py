"""What can be named in a recipe."""

from __future__ import annotations

import ast
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from tests.support.errors import refused
from tests.support.recipes import document, known
from tfopt.catalog import entries as entries_module
from tfopt.catalog.catalog import catalog, class_of, code_named_by
from tfopt.catalog.entries import Entry, built_in, find, joined, plugins, read_built_in
from tfopt.catalog.signatures import Signature, describe
from tfopt.core.contracts.export import Export
from tfopt.core.contracts.stage import Stage
from tfopt.core.recipe.recipe import build_recipe
from tfopt.errors import EnvironmentProblem

SOURCE = '''\
"""A net of nothing.

More of it.
"""
raise RuntimeError("imported")

def build(input_shape, num_outputs, *, width, depth: int = 2):
    """Builds it."""
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "net.py").write_text(SOURCE)
    (tmp_path / "wide").mkdir()
    (tmp_path / "wide" / "__init__.py").write_text('"""A package."""\ndef build(input_shape, **options): ...\n')
    (tmp_path / "_helper.py").write_text("")
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "empty").mkdir()
    return tmp_path


def test_every_file_is_an_entry_and_none_is_imported(folder: Path) -> None:
    entries = built_in("models", folder)
    assert list(entries) == ["net", "wide"]
    net = entries["net"]
    assert (net.summary, net.origin, net.module) == ("A net of nothing.", "tfopt", "tfopt.backend.models.zoo.net")
    assert net.arguments == ("width", "depth")
    assert net.signature == Signature(("width", "depth"), ("width",))
    assert entries["wide"].signature == Signature((), (), open=True)


def test_arguments_are_compared_with_the_signature(folder: Path) -> None:
    signature = describe(folder / "net.py", "build", ("input_shape", "num_outputs")).signature
    assert signature.mistakes("net", {"width": 3}) == []
    assert [(mistake.path, mistake.code) for mistake in signature.mistakes("net", {"widht": 3})] == [
        (("widht",), "unknown_argument"),
        (("width",), "missing_argument"),
    ]
    assert Signature(open=True).mistakes("wide", {"anything": 3}) == []


def test_what_comes_with_tfopt_is_found_with_its_summary() -> None:
    assert {"train", "prune", "qat"} <= set(find("stages"))
    assert {"saved_model", "keras", "tflite"} <= set(find("exports"))
    assert {"digits", "mnist"} <= set(find("datasets"))
    assert "filters" in find("models")["small_cnn"].arguments
    kinds: tuple[entries_module.Kind, ...] = ("stages", "exports", "datasets", "models")
    assert all(entry.summary for kind in kinds for entry in find(kind).values())
    assert "schedule" in find("stages")["prune"].arguments


def test_every_class_knows_its_recipe_key() -> None:
    found = catalog()
    assert all(cls.kind == key and issubclass(cls, Stage) for key, cls in found.stages.items())
    assert all(cls.kind == key and issubclass(cls, Export) for key, cls in found.exports.items())


def foreign(name: str, module: str, attribute: str | None = None) -> Entry:
    return Entry(name, "", module, attribute, "nice-package")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("foreign_magic", "foreign_broken", "foreign_empty", "foreign_two"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    magic = "from tfopt.core.contracts.stage import Stage\nclass Magic(Stage):\n    '''Does wonders.'''\n"
    (tmp_path / "foreign_magic.py").write_text(magic)
    (tmp_path / "foreign_broken.py").write_text("import no_such_module\n")
    (tmp_path / "foreign_empty.py").write_text("from tfopt.core.contracts.stage import Stage\n")
    (tmp_path / "foreign_two.py").write_text(magic + magic.partition("\n")[2].replace("Magic", "More"))
    return tmp_path


@pytest.mark.parametrize("attribute", [None, "Magic"])
def test_another_package_brings_a_stage(package: Path, attribute: str | None) -> None:
    cls = class_of(foreign("magic", "foreign_magic", attribute), "stages", Stage)
    assert (cls.__name__, cls.kind) == ("Magic", "magic")


@pytest.mark.parametrize(
    ("module", "attribute", "message"),
    [
        (
            "foreign_broken",
            None,
            "cannot be imported from foreign_broken: ModuleNotFoundError: No module named 'no_such_module'",
        ),
        ("foreign_missing", None, "cannot be imported from foreign_missing: ModuleNotFoundError"),
        ("foreign_empty", None, "must name one subclass of Stage; foreign_empty has none"),
        ("foreign_two", None, "must name one subclass of Stage; foreign_two has Magic, More"),
        ("foreign_magic", "Magik", "must name one subclass of Stage; foreign_magic has none"),
    ],
)
def test_an_entry_point_that_fails_is_named(package: Path, module: str, attribute: str | None, message: str) -> None:
    whole = f"^The entry point 'magic' of group tfopt.stages in the package nice-package {message}"
    with pytest.raises(EnvironmentProblem, match=whole):
        class_of(foreign("magic", module, attribute), "stages", Stage)


def test_a_class_has_one_name(package: Path) -> None:
    class_of(foreign("magic", "foreign_magic"), "stages", Stage)
    with refused(EnvironmentProblem, "broken_plugin", "class Magic", "'magic'"):
        class_of(foreign("wonder", "foreign_magic"), "stages", Stage)


def test_entry_points_of_other_packages_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [EntryPoint("magic", "foreign_magic:Magic", "tfopt.stages")]
    monkeypatch.setattr(entries_module, "entry_points", lambda group: points if group == "tfopt.stages" else [])
    (entry,) = plugins("stages")
    assert (entry.name, entry.module, entry.attribute, entry.signature) == ("magic", "foreign_magic", "Magic", None)
    assert find("stages")["magic"] == entry
    assert "magic" not in find("models")


def test_two_packages_cannot_bring_the_same_name() -> None:
    with pytest.raises(
        EnvironmentProblem, match=r"'train' of group tfopt\.stages in the package nice-package has the name"
    ):
        joined(built_in("stages"), [foreign("train", "foreign_magic")], "stages")


def test_the_code_that_a_recipe_would_run_is_named() -> None:
    changed = document()
    changed["model"] = {"source": "my_package.nets:build"}
    assert code_named_by(build_recipe(changed, known())) == ["my_package.nets:build"]
    assert code_named_by(build_recipe(document(), known())) == []


def test_built_in_signatures_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker reads them before TensorFlow works in its process: parsing beside it can fail before Python 3.11.8."""
    read_built_in()

    def parse(*_: object, **__: object) -> None:
        raise SystemError("AST constructor recursion depth mismatch")

    monkeypatch.setattr(ast, "parse", parse)
    assert built_in("models")["mlp"].arguments
    assert built_in("stages", described=["prune"])["prune"].arguments
