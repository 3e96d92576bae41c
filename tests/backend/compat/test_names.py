"""A new version of a library that moves a private name fails here, by that name, and not somewhere inside a run."""

from __future__ import annotations

import importlib
import pkgutil

import pytest
import tf_keras

from tfopt.backend import compat
from tfopt.backend.compat.keras_graph import inbound_nodes, outbound_nodes
from tfopt.backend.compat.keras_saving import layer_classes

pytestmark = pytest.mark.tf

FILES = [module.name for module in pkgutil.iter_modules(compat.__path__)]


@pytest.mark.parametrize("file", FILES)
def test_each_name_exists(file: str) -> None:
    module = importlib.import_module(f"tfopt.backend.compat.{file}")
    assert module.__all__
    for name in module.__all__:
        assert getattr(module, name) is not None


@pytest.mark.parametrize("file", FILES)
def test_the_room_lists_its_files(file: str) -> None:
    assert f"| `{file}` |" in str(compat.__doc__)


def test_the_calls_of_a_layer() -> None:
    first, second = tf_keras.layers.Dense(2), tf_keras.layers.ReLU()
    second(first(tf_keras.Input((3,))))
    assert outbound_nodes(first) == inbound_nodes(second)


def test_layer_classes_are_found_by_their_bare_name() -> None:
    assert layer_classes()["Dense"] is tf_keras.layers.Dense
