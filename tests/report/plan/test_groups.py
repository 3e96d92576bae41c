"""What the shrink stage can remove, in the terminal."""

from __future__ import annotations

from tests.support.console import printed
from tfopt.core.records.shrink_groups import GroupPreflight
from tfopt.report.plan.groups import groups_text


def test_groups_that_stay_are_named_with_their_reason() -> None:
    last = "it reaches the model's output 'logits'"
    groups = [
        GroupPreflight("stem", "channels", 16, ("stem", "bn", "a", "b", "c", "d")),
        GroupPreflight("attention/heads", "heads", 4, ("attention",)),
        GroupPreflight("logits", "width", 10, ("logits",), last),
        GroupPreflight("other", "width", 3, ("other",), last),
    ]
    shown = printed(groups_text(groups), 100)
    assert "stem, bn, a, b and 2 others" in shown
    assert f"not changed: logits, other: {last}" in shown
    assert "a, b, c, d" in printed(groups_text(groups, verbose=True), 100)
    assert "none" in printed(groups_text(groups[2:]), 100)
    assert groups_text(()) == []
