"""Files of language models: proven in the interpreter and in LiteRT-LM, at every length of the context."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.contexts import export_context
from tests.support.language_models import LENGTH, STOP, TOKENS, recurrent, text_data
from tfopt.core.config.files.generate_file import GenerateFile, GenerateKeys
from tfopt.core.records.report import ExportRecord

pytestmark = pytest.mark.tf
FILES = {"float32": GenerateFile(), "int4": GenerateFile(quantize="int4", agreement=0.2)}


@pytest.fixture(scope="module")
def gpt() -> Any:
    from tfopt.backend.models.zoo import gpt

    return gpt.build((LENGTH,), TOKENS, width=8, blocks=1, heads=2, key_value_heads=1, positions="rotary")


@pytest.fixture(scope="module")
def exported(gpt: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, ExportRecord]]:
    from tfopt.backend.generation.export import export

    folder = tmp_path_factory.mktemp("run") / "export"
    keys = GenerateKeys(FILES, prefill=(5,), verify=3, stop=(STOP,), saved_model=True, cache="float16")
    records = export(gpt, keys, export_context(folder, text_data()))
    return folder, {record.name: record for record in records}


def _claim(record: ExportRecord, code: str) -> Any:
    (found,) = [claim for claim in record.claims if claim.code == code]
    return found


def test_every_claim_holds(exported: tuple[Path, dict[str, ExportRecord]]) -> None:
    _, records = exported
    assert [*records] == ["generate_float32", "generate_int4", "generate_saved_model"]
    assert [(name, claim) for name, record in records.items() for claim in record.claims if not claim.held] == []


def test_steps_with_a_cache_are_compared_with_full_recomputation(
    exported: tuple[Path, dict[str, ExportRecord]],
) -> None:
    for name in ("generate_float32", "generate_int4"):
        claim = _claim(exported[1][name], "state_is_exact")
        assert f"{5 * LENGTH} steps of decode and {LENGTH} prompts" in claim.found
        _claim(exported[1][name], "generation_signatures")


def test_litert_lm_generates_the_same(exported: tuple[Path, dict[str, ExportRecord]]) -> None:
    folder, records = exported
    assert (folder / "generate_int4.litertlm").stat().st_size == records["generate_int4"].details["litertlm"]["bytes"]
    pytest.importorskip("litert_lm", reason="litert-lm-api is not installed (pip install 'tfopt[lm]')")
    assert "the same texts" in _claim(records["generate_int4"], "runs_in_litert_lm").found


def test_a_text_without_stop_tokens_ends_with_the_context(
    exported: tuple[Path, dict[str, ExportRecord]], tmp_path: Path
) -> None:
    from tfopt.backend.generation import engine, litertlm

    pytest.importorskip("litert_lm", reason="litert-lm-api is not installed (pip install 'tfopt[lm]')")
    folder = exported[0]
    target = tmp_path / "endless.litertlm"
    litertlm.write(folder / "generate_float32.tflite", folder / "tokenizer.json", (), LENGTH, target)
    assert engine.texts(str(target), ["ab"])["texts"] != [""]


def test_what_a_loop_needs_lies_beside(exported: tuple[Path, dict[str, ExportRecord]]) -> None:
    folder, records = exported
    assert json.loads((folder / "generation.json").read_text()) == {"context": LENGTH, "stop": [5]}
    assert (folder / "tokenizer.json").read_bytes() == text_data().preprocessing.files["tokenizer.json"]
    details = records["generate_float32"].details
    assert details["states"] == {"kv_cache_k_0": [1, 1, LENGTH, 4], "kv_cache_v_0": [1, 1, 4, LENGTH]}
    assert any("metrics are of all 6 texts of the test split, each in one call" in note for note in details["notes"])
    assert details["state_bytes"] == 2 * 2 * 4 * LENGTH


def test_int4_weights_are_stored_once(exported: tuple[Path, dict[str, ExportRecord]]) -> None:
    records = exported[1]
    weights = [tensor for tensor in records["generate_int4"].audit.tensors if tensor.role == "weight"]
    assert {tensor.dtype for tensor in weights} == {"int4"}
    assert sum(tensor.bytes for tensor in weights) * 8 <= 4.5 * sum(
        tensor.bytes for tensor in records["generate_float32"].audit.tensors if tensor.role == "weight"
    )


@pytest.mark.slow
def test_a_recurrent_model_keeps_its_state(tmp_path: Path) -> None:
    from tfopt.backend.generation.export import export

    keys = GenerateKeys({"int8": GenerateFile(quantize="dynamic", agreement=0.5)}, prefill=(4,))
    (record,) = export(recurrent("LSTM"), keys, export_context(tmp_path, text_data()))
    assert [claim for claim in record.claims if not claim.held] == []
    assert record.details["states"] == {"state_0": [1, 6], "state_1": [1, 6], "state_2": [1, 7], "state_3": [1, 7]}
    assert any("keeps caches of attention only" in note for note in record.details["notes"])
    assert not (tmp_path / "generate_int8.litertlm").exists()


def test_litert_lm_says_why_it_refuses_a_file(exported: tuple[Path, dict[str, ExportRecord]], tmp_path: Path) -> None:
    pytest.importorskip("litert_lm", reason="litert-lm-api is not installed (pip install 'tfopt[lm]')")
    from tfopt.backend.tflite import child_process

    folder, cut = exported[0], tmp_path / "cut.litertlm"
    cut.write_bytes((folder / "generate_int4.litertlm").read_bytes()[:40_000])
    said = r"LiteRT-LM says 'Failed to create.*': Failed to create engine"
    with pytest.raises(child_process.ProcessFailed, match=said):
        child_process.call("tfopt.backend.generation.engine:texts", {"path": str(cut), "prompts": ["a"]})


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["char", "word", "wordpiece", "bpe"])
def test_litert_lm_writes_the_text_of_each_tokenizer_without_a_stop_token(kind: str, tmp_path: Path) -> None:
    import numpy as np

    from tfopt.backend.data.load import load
    from tfopt.backend.generation.export import export
    from tfopt.backend.models.zoo import gpt
    from tfopt.core.config.data import DataConfig

    pytest.importorskip("litert_lm", reason="litert-lm-api is not installed (pip install 'tfopt[lm]')")
    text = "To sail the seas, or stay at home? The wind's answer: 'Sail', it said; we sailed. "
    words = [f"{first}{second}" for first in ("sea", "wind", "home") for second in ("ward", "less", "ly", "bound")]
    (tmp_path / "text.txt").write_text("".join(f"{text}{word}! \n" for word in words * 12), encoding="utf-8")
    tokenizer = {"kind": kind} if kind == "char" else {"kind": kind, "vocabulary_size": 300}
    about = {"task": "language_model", "tokenizer": tokenizer, "length": 16, "stride": 16}
    data = load(DataConfig.model_validate({"source": str(tmp_path / "text.txt"), "text": about}))
    model = gpt.build((16,), data.num_classes, width=16, blocks=1, heads=2)
    # Random weights large enough that texts differ.
    for variable in model.trainable_variables:
        if len(variable.shape) > 1:
            variable.assign(np.random.default_rng(0).normal(size=variable.shape))
    (record,) = export(model, GenerateKeys({"f": GenerateFile()}), export_context(tmp_path / "export", data))
    assert _claim(record, "runs_in_litert_lm").held, _claim(record, "runs_in_litert_lm").found


@pytest.mark.slow
def test_gpt_2_of_keras_hub_generates(tmp_path: Path) -> None:
    from tests.support.language_models import keras_hub_gpt_2
    from tfopt.backend.generation.export import export

    records = export(keras_hub_gpt_2(), GenerateKeys(FILES, prefill=(5,)), export_context(tmp_path, text_data()))
    assert [(record.name, claim) for record in records for claim in record.claims if not claim.held] == []
    assert (tmp_path / "generate_int4.litertlm").exists()
