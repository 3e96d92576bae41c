"""Names of layers in a teacher follow from how they begin."""

from __future__ import annotations

import pytest

from tfopt.core.config.initialization import Initialization, renamed


def test_the_longest_beginning_counts_and_no_number_is_cut() -> None:
    layers = {"block1": "block3", "block1_attention": "block4_attention"}
    assert renamed("block1_feed_forward1", layers) == "block3_feed_forward1"
    assert renamed("block1_attention_norm", layers) == "block4_attention_norm"
    assert renamed("block10_attention", layers) == "block10_attention"


def test_an_empty_beginning_is_refused() -> None:
    with pytest.raises(ValueError, match="beginnings of names"):
        Initialization.model_validate({"teacher": {"file": "x.keras"}, "layers": {"": "block1"}})
