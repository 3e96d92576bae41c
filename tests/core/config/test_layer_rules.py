"""Rules say whom they are for, and the last that matches wins."""

from __future__ import annotations

import pytest

from tfopt.core.config.layer_rules import LayerRule, last_match


@pytest.mark.parametrize(
    ("keys", "described"),
    [
        ({"match": "conv.*"}, "'conv.*'"),
        ({"type": "Dense"}, "layers of type Dense"),
        ({"match": "conv.*", "type": "Dense"}, "'conv.*' of type Dense"),
    ],
)
def test_an_error_names_both_keys(keys: dict[str, str], described: str) -> None:
    assert LayerRule.model_validate(keys).described == described


def test_the_last_that_matches_wins() -> None:
    rules = [LayerRule(match="conv"), LayerRule(type="Conv2D"), LayerRule(match="conv", type="Dense")]
    assert last_match(rules, "conv", "Conv2D") is rules[1]
    assert last_match(rules, "dense", "Dense") is None
