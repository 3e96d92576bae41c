"""What a generative file must have, and which error says what is missing."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from tests.support.errors import refused
from tests.support.generative import LARGE, RECURRENT
from tfopt.backend.decoding.signatures import checked, details, read_signatures
from tfopt.errors import ExportError


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    return details(str(LARGE))


def test_signatures_are_read(found: dict[str, Any]) -> None:
    signatures = checked(found, "large")
    assert (dict(signatures.prefill), dict(signatures.verify)) == ({"prefill_4": 4, "prefill_2": 2}, {"verify_4": 4})
    assert (signatures.vocabulary, signatures.context, signatures.recurrent) == (14, 16, False)
    recurrent = checked(details(str(RECURRENT)), "recurrent")
    assert (recurrent.context, recurrent.recurrent, list(recurrent.state)) == (None, True, ["state_0"])


def test_what_is_missing_is_named(found: dict[str, Any]) -> None:
    with refused(ExportError, "not_generative", "no signature 'decode'; it has serving_default"):
        checked({"serving_default": found["decode"]}, "x.tflite")
    for change, said in (
        (lambda one: one["outputs"].pop("logits"), "no 'logits'"),
        (lambda one: one["inputs"].pop("mask"), "no 'mask'"),
        (lambda one: one["outputs"].pop("kv_cache_k_0"), "the state 'kv_cache_k_0'"),
        (lambda one: one["inputs"].pop("tokens"), "no single token"),
    ):
        broken = {"decode": copy.deepcopy(found["decode"])}
        change(broken["decode"])
        with refused(ExportError, "not_generative", said):
            checked(broken, "x.tflite")


def test_a_damaged_file_is_one_error(tmp_path: Path) -> None:
    cut = tmp_path / "cut.tflite"
    cut.write_bytes(LARGE.read_bytes()[:3000])
    with refused(ExportError, "malformed_file", "cut.tflite"):
        read_signatures(cut)
