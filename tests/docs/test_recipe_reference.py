from __future__ import annotations

import importlib.util

from tests.support.root import REPOSITORY


def test_the_reference_says_what_the_language_is() -> None:
    """`python docs/write_recipe_reference.py` writes it anew."""
    path = REPOSITORY / "docs" / "write_recipe_reference.py"
    spec = importlib.util.spec_from_file_location("write_recipe_reference", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (REPOSITORY / "docs" / "recipe.md").read_text(encoding="utf-8") == module.page()
