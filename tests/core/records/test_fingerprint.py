from __future__ import annotations

import pytest

from tfopt.core.records.fingerprint import canonical, changes, fingerprint, key_parts

PARTS = {
    "parent": "0" * 64,
    "kind": "prune",
    "version": 1,
    "config": {"stage": {"epochs": 3, "schedule": {"kind": "polynomial", "final": "80%"}}, "batch_size": 64},
    "data": "1" * 64,
    "seed": 7,
    "versions": {"tensorflow": "2.21.0", "tf_keras": "2.21.0", "tfmot": "0.8.1"},
}


def test_the_golden_key_has_not_changed() -> None:
    """A change here makes every stored result of every user a miss: make it only on purpose."""
    assert fingerprint(key_parts(**PARTS)) == "9783453470534123203dfd8da85237ef78bb78416ef0194f1c02cf37dedadc02"


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("parent", "2" * 64),
        ("kind", "train"),
        ("version", 2),
        ("config", {"stage": {"epochs": 4}}),
        ("data", "3" * 64),
        ("seed", 8),
        ("versions", {"tensorflow": "2.20.0"}),
    ],
)
def test_everything_that_changes_a_result_changes_its_key(name: str, other: object) -> None:
    assert fingerprint(key_parts(**{**PARTS, name: other})) != fingerprint(key_parts(**PARTS))


def test_the_order_of_keys_does_not_matter() -> None:
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})


def test_what_is_not_plain_is_refused() -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        canonical({"a": object()})
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical(float("nan"))


def test_what_changed_is_said_by_path() -> None:
    old = {"config": {"epochs": 5, "schedule": {"final": "80%"}}, "data": "a" * 64}
    new = {"config": {"epochs": 6, "schedule": {"final": "80%"}, "policy": "all"}, "data": "b" * 64}
    assert changes(old, new) == [
        "config.epochs was 5 and is 6",
        "config.policy was absent and is all",
        "data was aaaaaaaaaaaa... and is bbbbbbbbbbbb...",
    ]
    assert changes(old, old) == []
