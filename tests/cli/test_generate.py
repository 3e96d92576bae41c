"""`tfopt generate`: text on stdout, figures on stderr, and no TensorFlow."""

from __future__ import annotations

import json
from collections.abc import Callable

from click.testing import Result

from tests.cli.test_start_up import loaded_after
from tests.support.generative import DRAFT, LARGE

Tfopt = Callable[..., Result]


def test_text_and_figures(tfopt: Tfopt) -> None:
    result = tfopt("generate", str(LARGE), "--prompt", "abc", "--max-tokens", "4", "--draft", str(DRAFT))
    assert result.exit_code == 0, result.output
    assert len(result.stdout.strip()) == 4
    assert "tokens/s" in result.stderr
    assert "draft.tflite:" in result.stderr
    document = json.loads(tfopt("generate", str(LARGE), "--prompt", "abc", "--max-tokens", "4", "--json").stdout)
    assert document["text"] == result.stdout.strip()


def test_a_mistake_is_one_line(tfopt: Tfopt) -> None:
    result = tfopt("generate", str(LARGE), "--prompt", "")
    assert (result.exit_code, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1


def test_tensorflow_is_not_needed() -> None:
    (loaded,) = loaded_after(("generate", str(LARGE), "--prompt", "abc", "--max-tokens", "2"))
    assert "ai_edge_litert" in loaded
    assert not loaded & {"tensorflow", "keras", "tf_keras"}
