"""Speed and memory of files, measured in turns."""

from __future__ import annotations

from tests.support.generative import LARGE, RECURRENT
from tfopt.backend.decoding.speed import speeds


def test_every_file_has_its_figures() -> None:
    large, recurrent = speeds([LARGE, RECURRENT], rounds=2)
    assert (large["cache_bytes"], large["prompt_tokens"], recurrent["prompt_tokens"]) == (1024, 8, 32)
    names = ("decode_tokens_per_second", "prefill_tokens_per_second", "time_to_first_token")
    assert all(one[name] > 0 for one in (large, recurrent) for name in names)
    assert large.get("peak_memory", 1) > 0
