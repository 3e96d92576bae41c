"""What cannot be exported is said before training, with the key and the layer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.language_models import LENGTH, TOKENS, recurrent, text_data, with_layer
from tfopt.core.config.files.generate_file import GenerateFile, GenerateKeys
from tfopt.core.contracts.export import ExportWorkload

pytestmark = pytest.mark.tf
FILES = {"float32": GenerateFile()}


def _found(model: Any, data: Any = None, **keys: Any) -> Any:
    from tfopt.backend.generation.preflight import generate_preflight

    workload = ExportWorkload(data=text_data() if data is None else data, traits=keys.pop("traits", frozenset()))
    return generate_preflight(model, GenerateKeys(keys.pop("files", FILES), **keys), workload)


@pytest.fixture(scope="module")
def gru() -> Any:
    return recurrent("GRU")


def _problem(found: Any) -> tuple[Any, str, str]:
    (problem,) = found.problems
    return problem.path, problem.code, problem.message


@pytest.mark.parametrize(
    ("keys", "path", "code", "words"),
    [
        ({"context": LENGTH + 1}, ("context",), "conflicting_keys", "13 is longer than the sequences of the model"),
        ({"prefill": (4, 64)}, ("prefill",), "conflicting_keys", "64 is longer than the context of 12 tokens"),
        ({"stop": ("a", "<end>")}, ("stop", 1), "unknown_token", "None of the 20 tokens of the tokenizer is '<end>'"),
        ({"litertlm": True}, ("litertlm",), "conflicting_keys", "caches of attention only, and this model has state_0"),
        ({"verify": 4}, ("verify",), "conflicting_keys", "tokens can be taken back from"),
        (
            {"files": {"q": GenerateFile(quantize="int4", layers=({"match": "nowhere", "quantize": "none"},))}},
            ("files", "q", "layers", 0, "match"),
            "unknown_layer",
            "nowhere",
        ),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_key_that_does_not_fit_is_named(gru: Any, keys: dict[str, Any], path: Any, code: str, words: str) -> None:
    found_path, found_code, message = _problem(_found(gru, **keys))
    assert (found_path[: len(path)], found_code) == (path, code)
    assert words in message


def test_a_model_that_is_no_language_model_is_refused() -> None:
    from tf_keras import Sequential, layers

    path, code, message = _problem(_found(Sequential([layers.Input((4, 3)), layers.Dense(2)])))
    assert (path, code) == ((), "not_stepwise")
    assert "needs a model of token ids" in message
    assert "(any, 4, 3) float32" in message
    pooled = with_layer(layers.GlobalAveragePooling1D(name="pool"))
    assert "needs a model with one output, scores for the next token" in _problem(_found(pooled))[2]
    mixed = with_layer(layers.Conv1D(8, 3, padding="same", name="wide"))
    assert "wide (Conv1D) cannot compute one position after the other" in _problem(_found(mixed))[2]


def test_what_will_not_be_made_or_used_is_a_warning(gru: Any) -> None:
    warnings = _found(gru, traits=frozenset({"trained", "quantized"})).warnings
    assert any("no .litertlm file will be made: LiteRT-LM keeps caches of attention only" in each for each in warnings)
    assert any("made of the float weights" in each for each in warnings)
    without = _found(gru, text_data(tokenizer=False))
    assert any("the data have no tokenizer" in each for each in without.warnings)
    assert "needs a tokenizer" in _problem(_found(gru, text_data(tokenizer=False), stop=("a",)))[2]


def test_a_tokenizer_that_is_larger_than_the_model_is_refused() -> None:
    from tf_keras import Sequential, layers

    model = Sequential([layers.Input((LENGTH,), dtype="int32"), layers.Embedding(TOKENS, 4), layers.Dense(TOKENS - 1)])
    assert "The tokenizer has 20 tokens, and the model scores 19" in _problem(_found(model))[2]
