"""The documentation builds as a site, strictly: every link, anchor and docstring."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tfopt
from tests.support.root import REPOSITORY

pytest.importorskip("mkdocs", reason="the extra `docs` is not installed")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(folder)]
    result = subprocess.run(
        build,
        cwd=REPOSITORY,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stderr + result.stdout
    return folder


def test_every_public_function_is_in_the_reference(site: Path) -> None:
    anchors = re.findall(r'id="tfopt\.api\.(\w+)"', (site / "api" / "functions.html").read_text(encoding="utf-8"))
    functions = {name for name in tfopt.__all__ if name.islower() and name != "bridge"}
    assert functions == set(anchors)


def test_the_site_loads_nothing_from_other_hosts(site: Path) -> None:
    page = (site / "index.html").read_text(encoding="utf-8")
    assert not re.findall(r'(?:src|<link[^>]*href)="(?:https?:)?//[^"]*', page)


def test_pages_from_the_top_of_the_repository_are_in_the_site(site: Path) -> None:
    for name in ("architecture", "contributing", "changelog"):
        assert (site / f"{name}.html").is_file()


def test_a_link_to_a_file_that_does_not_exist_stops_the_build_and_others_are_rewritten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from mkdocs.exceptions import PluginError

    monkeypatch.syspath_prepend(str(REPOSITORY / "docs"))
    from site_hooks import site_links

    with pytest.raises(PluginError, match="there is no file recipes/nothing"):
        site_links("see [it](../recipes/nothing.yaml)", "docs/index.md", "index.md")
    in_site = site_links("[a](recipes/digits_prune_qat.yaml) [b](docs/recipe.md#qat) `[c](x)`", "README.md", "index.md")
    assert in_site == "a [b](recipe.md#qat) `[c](x)`"


def test_the_links_of_the_readme_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(REPOSITORY / "docs"))
    from site_hooks import site_links

    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert "](recipe.md)" in site_links(readme, "README.md", "index.md")
    assert len(readme.splitlines()) <= 200
