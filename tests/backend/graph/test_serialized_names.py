from __future__ import annotations

import importlib

import pytest

from tfopt.backend.graph.serialized_names import CURRENT_NAMES, current_name, with_first_names

HOST = {"module": "tfopt.backend.bridge.host", "class_name": "KerasHost", "registered_name": "KerasHost"}


@pytest.mark.tf
@pytest.mark.parametrize("name", CURRENT_NAMES.values())
def test_every_current_name_exists(name: str) -> None:
    module, _, attribute = name.partition(":")
    assert getattr(importlib.import_module(module), attribute).__module__ == module


def test_names_of_others_stay() -> None:
    assert current_name("package.module:Own") == "package.module:Own"
    config = {"module": "package.module", "class_name": "Keras3LayerWrapper", "config": [1, None, "a"]}
    assert with_first_names(config) == config


def test_a_configuration_of_today_has_the_names_of_the_first_version() -> None:
    name = "Keras3LayerWrapper"
    today = {"module": "tfopt.backend.bridge.layer_wrapper", "class_name": name, "registered_name": name}
    assert with_first_names({"layers": [{**today, "config": {"inner": today}}]}) == {
        "layers": [{**HOST, "config": {"inner": HOST}}]
    }


def test_a_registered_name_keeps_its_package() -> None:
    module, _, name = CURRENT_NAMES["tfopt.backend.combining:Vote"].partition(":")
    first = with_first_names({"module": module, "class_name": name, "registered_name": f"tfopt>{name}"})
    assert first == {"module": "tfopt.backend.combining", "class_name": "Vote", "registered_name": "tfopt>Vote"}
