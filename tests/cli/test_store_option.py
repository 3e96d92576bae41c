"""`--store` and TFOPT_STORE: a store shared at a URL."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.support.root import REPOSITORY
from tests.support.sample_report import sample_report
from tfopt.core.records.run import Run
from tfopt.errors import StoreError

Tfopt = Callable[..., Result]
Mocked = Callable[[str, Any], list[Any]]
RECIPE = str(REPOSITORY / "recipes" / "digits_prune_qat.yaml")


@pytest.mark.parametrize("verb", ["run", "plan", "sweep"])
def test_help_names_the_option_and_its_variable(tfopt: Tfopt, verb: str) -> None:
    text = tfopt(verb, "--help", COLUMNS="200").output
    assert "--store URL" in text
    assert "env var: TFOPT_STORE" in text


def test_gc_says_that_it_leaves_a_shared_store_alone(tfopt: Tfopt) -> None:
    assert "not changed" in tfopt("gc", "--help").output


def test_the_variable_stands_in_for_the_option_and_the_option_wins(tfopt: Tfopt, mocked: Mocked) -> None:
    mocked("load", None)
    calls = mocked("run", Run(Path("run"), sample_report()))
    tfopt("run", RECIPE, TFOPT_STORE="s3://bucket/a")
    tfopt("run", RECIPE, "--store", "s3://bucket/b", TFOPT_STORE="s3://bucket/a")
    tfopt("run", RECIPE, TFOPT_STORE="")
    assert [keywords["store"] for _, keywords in calls] == ["s3://bucket/a", "s3://bucket/b", None]


@pytest.mark.parametrize("verb", ["run", "plan", "sweep"])
def test_a_server_that_does_not_answer_is_exit_code_6_before_anything_is_done(
    tfopt: Tfopt, tmp_path: Path, verb: str
) -> None:
    pytest.importorskip("fsspec", reason="fsspec is not installed: pip install 'tfopt[remote]'")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    url = f"ftp://anna:secret@127.0.0.1:{port}/store"
    axes = ["--seeds", "2"] if verb == "sweep" else []
    result = tfopt(verb, RECIPE, *axes, "--store", url, "--out", str(tmp_path))
    assert result.exit_code == StoreError.exit_code
    told = " ".join(result.output.split())
    assert f"Cannot reach the store ftp://127.0.0.1:{port}/store" in told
    assert "Connection refused" in told
    assert "anna" not in told
    assert "secret" not in told
    assert not any(path.is_file() and path.suffix in (".json", ".jsonl") for path in tmp_path.rglob("*"))


def test_what_is_no_url_is_exit_code_2(tfopt: Tfopt, tmp_path: Path) -> None:
    result = tfopt("run", RECIPE, "--store", "s3:/bucket", "--out", str(tmp_path))
    assert result.exit_code == 2
    assert "is not a URL" in result.output
