"""Prompts in, text out: settings, ends, files, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.errors import refused
from tests.support.generative import DRAFT, LARGE, RECURRENT, TOKENIZER
from tfopt.backend.decoding.generate import Request, generate
from tfopt.backend.decoding.sampling import Sampling
from tfopt.core.records.generation import Generation
from tfopt.errors import ExportError, UsageError


def made(file: Path = LARGE, prompt: Any = "abc", **settings: Any) -> Generation:
    return generate(Request(file, prompt, **settings))


def test_text_is_streamed_and_measured() -> None:
    pieces: list[str] = []
    found = generate(Request(LARGE, "abc", max_tokens=5), pieces.append)
    assert "".join(pieces) == found.text
    assert (len(pieces), len(found.tokens), found.finish, found.prompt_tokens) == (5, 5, "max_tokens", [1, 2, 3])
    assert min(found.decode_tokens_per_second or 0, found.time_to_first_token or 0, found.cache_bytes) > 0
    assert made(prompt=[1, 2, 3], max_tokens=5).tokens == found.tokens


def test_the_context_ends_a_text_and_so_does_a_stop_token() -> None:
    found = made()
    assert (len(found.tokens), found.finish) == (13, "context")
    assert found.text is not None
    stopped = made(stop=(found.text[4],))
    assert (stopped.text, stopped.finish) == (found.text[: found.text.index(found.text[4])], "stop")
    assert made(RECURRENT, max_tokens=40).finish == "max_tokens"


def test_stop_tokens_lie_beside_the_file(tmp_path: Path) -> None:
    for file in (LARGE, TOKENIZER):
        shutil.copy(file, tmp_path)
    (tmp_path / "generation.json").write_text('{"stop": [9]}')
    assert made(tmp_path / LARGE.name).finish == "stop"
    (tmp_path / "generation.json").write_text("{}")
    with refused(ExportError, "data_unreadable", "generation.json"):
        made(tmp_path / LARGE.name)


def test_a_seed_gives_one_text_and_another_seed_another() -> None:
    bold = Sampling(1.5)
    texts = {seed: made(sampling=bold, seed=seed).text for seed in (1, 1, 2)}
    assert made(sampling=bold, seed=1).text == texts[1] != texts[2]


def test_a_draft_changes_no_greedy_text_and_is_measured() -> None:
    found = made(draft=DRAFT)
    assert found.text == made().text
    assert found.speculation is not None
    assert found.speculation.acceptance == found.speculation.accepted / found.speculation.proposed
    assert found.speculation.tokens_per_call is not None


def test_a_container_gives_the_same_text(tmp_path: Path) -> None:
    pytest.importorskip("litert_lm_builder")
    container = tmp_path / "large.litertlm"
    write_container(container, tmp_path)
    assert made(container).text == made(stop=("c",)).text
    container.write_bytes(b"LITERTLM" + b"\xff" * 64)
    with refused(ExportError, "malformed_file", "large.litertlm"):
        made(container)


def write_container(path: Path, folder: Path) -> None:
    from litert_lm_builder import litertlm_builder as builder
    from litert_lm_builder.runtime.proto import llm_metadata_pb2

    metadata = llm_metadata_pb2.LlmMetadata(max_num_tokens=16)
    metadata.stop_tokens.add().token_ids.ids.append(3)
    metadata.llm_model_type.generic_model.SetInParent()
    (folder / "metadata.pb").write_bytes(metadata.SerializeToString())
    made = builder.LitertLmFileBuilder()
    made.add_system_metadata(builder.Metadata("Authors", "tfopt", builder.DType.STRING))
    made.add_llm_metadata(str(folder / "metadata.pb"), supports_thinking=False, supports_function_calling=False)
    made.add_hf_tokenizer(str(TOKENIZER))
    made.add_tflite_model(str(LARGE), builder.TfLiteModelType.PREFILL_DECODE)
    with path.open("wb") as stream:
        made.build(stream)


def test_what_cannot_be_continued_is_refused(tmp_path: Path) -> None:
    with refused(UsageError, "empty_prompt"):
        made(prompt="")
    with refused(UsageError, "prompt_too_long", "30 tokens", "15"):
        made(prompt="abc" * 10)
    with refused(UsageError, "unknown_token", "'x'", "'!'"):
        made(prompt="ax!")
    with refused(UsageError, "unknown_token", "99", "13"):
        made(prompt=[1, 99])
    with refused(UsageError, "unknown_token", "'<end>'"):
        made(stop=("<end>",))
    shutil.copy(LARGE, tmp_path)
    with refused(UsageError, "data_missing", "--tokenizer"):
        made(tmp_path / LARGE.name)
    other = tmp_path / "tokenizer.json"
    other.write_text(TOKENIZER.read_text().replace('"k": 11,', '"k": 11, "l": 14, "m": 15,'))
    with refused(UsageError, "wrong_tokenizer", "16 tokens", "14"):
        made(tmp_path / LARGE.name)
    with refused(UsageError, "file_not_found", "nowhere"):
        made(tokenizer=tmp_path / "nowhere")
    with refused(UsageError, "unknown_file_type"):
        made(TOKENIZER)


def test_a_draft_must_go_with_the_model() -> None:
    with refused(ExportError, "not_generative", "verify_N"):
        made(DRAFT, draft=LARGE)
    with refused(ExportError, "not_generative", "recurrent"):
        made(RECURRENT, draft=DRAFT)
