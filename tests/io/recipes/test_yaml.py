"""YAML 1.2 with places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.errors import refused
from tfopt.errors import RecipeError
from tfopt.io.recipes.yaml import dump, parse, parse_value, read_head, read_text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1E5", 100_000.0),
        (".5", 0.5),
        ("on", "on"),
        ("yes", "yes"),
        ("true", True),
        ("~", None),
        ("", None),
        ("017", 17),
        ("0o17", 15),
        ("12:30", "12:30"),
        ("2024-01-31", "2024-01-31"),
        ("70%", "70%"),
        ("60 kB", "60 kB"),
        ("[1, 2]", [1, 2]),
        ("{kind: constant, final: 50%}", {"kind": "constant", "final": "50%"}),
        ("'15'", "15"),
    ],
)
def test_values_are_those_of_yaml_1_2(text: str, value: Any) -> None:
    found = parse_value(text)
    assert found == value
    assert type(found) is type(value)


def test_every_value_knows_its_place() -> None:
    node = parse("a: 1\nb:\n  - {c: 2}\n  - d:\n      e: 3\n", "x.yaml")
    assert node is not None
    assert str(node.place_of(("a",))) == "x.yaml:1:4"
    assert str(node.place_of(("b", 0, "c"))) == "x.yaml:3:9"
    assert str(node.place_of(("b", 1, "d", "e"), on_key=True)) == "x.yaml:5:7"
    assert node.place_of(("b", 0, "c")).text == "  - {c: 2}"
    assert str(node.place_of(("b", 1, "d", "missing"))) == "x.yaml:4:5"
    assert str(node.place_of(("missing",))) == "x.yaml:1:1"


def test_a_value_can_be_replaced_without_touching_the_tree() -> None:
    node = parse("a: {b: [1, 2]}", "x.yaml")
    assert node is not None
    assert node.with_value(("a", "b", 1), 9).plain() == {"a": {"b": [1, 9]}}
    assert node.plain() == {"a": {"b": [1, 2]}}


def test_anchors_repeat_a_value() -> None:
    node = parse("a: &x {b: 1}\nc: *x", "x.yaml")
    assert node is not None
    assert node.plain() == {"a": {"b": 1}, "c": {"b": 1}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", r"^x.yaml:3:1: the key 'a' is here twice: first at 1:1\. Remove one\.$"),
        ("a:\n\tb: 1", r"^x.yaml:2:1: a tab indents this line\. YAML is indented with spaces\.$"),
        ("a: [1, 2", r"^x.yaml:1:9: this is not YAML: .* \(while parsing a flow sequence that begins at 1:4\)\.$"),
        ("a: 'x", r"^x.yaml:1:6: this is not YAML: found unexpected end of stream"),
        ("a: b: c", r"^x.yaml:1:5: .* Put a text that contains ': ' in quotes\.$"),
        ("a: 1\n---\nb: 2", r"^x.yaml:2:1: this is not YAML: but found another document"),
        ("a: &x [*x]", r"^x.yaml:1:4: this value contains itself\.$"),
        ("a: !foo 3", r"^x.yaml:1:4: a recipe has no tags\. Got !foo\. Remove it\.$"),
        ("? [1]\n: 2", r"^x.yaml:1:3: a key must be a text, not a list or mapping\.$"),
        ("a: \x01", r"^x.yaml:1:4: the character '\\x01' cannot stand in YAML\.$"),
        ("%YAML 1.1\n---\na: on", r"^x.yaml:1:1: a recipe is YAML 1\.2; remove the %YAML line\.$"),
    ],
)
def test_what_is_no_yaml_of_ours_has_one_clear_message(text: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        parse(text, "x.yaml")


def test_nothing_is_nothing() -> None:
    assert parse("# only a comment\n", "x.yaml") is None


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with refused(RecipeError, "recipe_not_found", "missing.yaml"):
        read_text(tmp_path / "missing.yaml")
    (tmp_path / "recipe.yml").write_text("a: 1")
    with refused(RecipeError, "recipe_not_found", "recipe.yml"):
        read_text(tmp_path / "recipe.yaml")
    with refused(RecipeError, "recipe_unreadable"):
        read_text(tmp_path)
    (tmp_path / "latin.yaml").write_bytes("name: caf\xe9".encode("latin-1"))
    with refused(RecipeError, "recipe_unreadable", "byte 10", "0xe9", "UTF-8"):
        read_text(tmp_path / "latin.yaml")


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    (tmp_path / "bom.yaml").write_bytes(b"\xef\xbb\xbfname: a")
    assert read_head(tmp_path / "bom.yaml") == {"name": "a"}


def test_text_is_written_in_blocks_with_short_lists_on_one_line() -> None:
    assert dump({"a": {"b": [1, 2]}, "c": [{"d": "80%"}, {"e": None}]}) == ("a:\n  b: [1, 2]\nc:\n  - d: 80%\n  - e:\n")


_texts = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufeff\ufffe\uffff"), max_size=20
)
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_texts, inner, max_size=4),
    max_leaves=12,
)


@example({"a": ["?0", "- a", "#", ": b", "&x", "!t"]})
@given(st.dictionaries(_texts, _values, min_size=1, max_size=4))
def test_what_is_written_reads_back(document: dict[str, Any]) -> None:
    node = parse(dump(document), "x.yaml")
    assert node is not None
    assert node.plain() == document
