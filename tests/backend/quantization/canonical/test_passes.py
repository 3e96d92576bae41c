"""The table of rewrites."""

from __future__ import annotations

import inspect
from importlib import import_module
from pkgutil import walk_packages

import pytest

from tfopt.backend.quantization.canonical import rewrites
from tfopt.backend.quantization.canonical.passes import PASSES
from tfopt.backend.quantization.canonical.rewrite import Rewrite

pytestmark = pytest.mark.tf


def test_every_rewrite_of_the_room_is_in_the_table() -> None:
    modules = [import_module(module.name) for module in walk_packages(rewrites.__path__, f"{rewrites.__name__}.")]
    written = {
        value
        for module in modules
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, Rewrite) and value.__module__ == module.__name__
    }
    bases = {base for kind in written for base in kind.__bases__}
    assert {type(rewrite) for group in PASSES for rewrite in group} == written - bases
