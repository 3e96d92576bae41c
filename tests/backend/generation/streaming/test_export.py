"""Recurrent models read a stream piece by piece, with the outputs that the whole sequence has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.contexts import export_context
from tests.support.language_models import LENGTH, recurrent
from tfopt.core.config.files.generate_file import GenerateFile, StreamingKeys
from tfopt.core.contracts.export import ExportWorkload

pytestmark = pytest.mark.tf
FEATURES = 3


def _data() -> Any:
    from tfopt.backend.data.splits import Data, Split

    random = np.random.default_rng(0)
    inputs = random.normal(size=(24, LENGTH, FEATURES)).astype(np.float32)
    split = Split(inputs, random.integers(0, 4, 24).astype(np.int32))
    return Data(split, split, split, "frames", num_classes=4)


def _model(*parts: Any) -> Any:
    from tf_keras import Sequential, layers

    return Sequential([layers.Input((LENGTH, FEATURES)), *parts, layers.Dense(4, activation="softmax")])


def _spotter() -> Any:
    from tf_keras import layers

    convolution = layers.Conv1D(6, 3, padding="causal", activation="relu")
    return _model(convolution, layers.GRU(5, return_sequences=True), layers.LSTM(6))


def test_a_stream_gives_what_the_whole_sequence_gives(tmp_path: Path) -> None:
    from tfopt.backend.generation.streaming.export import export

    files = {"float32": GenerateFile(), "int8": GenerateFile(quantize="dynamic", agreement=0.5)}
    records = export(_spotter(), StreamingKeys(files, (1, 5)), export_context(tmp_path, _data()))
    assert [record.name for record in records] == ["streaming_float32", "streaming_int8"]
    assert [record.error for record in records] == [None, None]
    exact = {claim.code: claim for claim in records[0].claims}
    assert all(claim.held for claim in records[0].claims)
    assert "24 examples" in exact["state_is_exact"].found
    assert records[0].details["signatures"] == ["stream_1", "stream_5"]
    assert [*records[0].details["states"].values()] == [[1, 2, FEATURES], [1, 5], [1, 6], [1, 6]]
    assert {"accuracy", "agreement", "latency_ms"} <= records[1].measures.keys()


def test_pooling_goes_on() -> None:
    import tensorflow as tf
    from tf_keras import Input, Model, layers

    from tfopt.backend.generation.forward import forward
    from tfopt.backend.generation.plan import plan_of
    from tfopt.backend.generation.step import Step

    frames = Input((LENGTH, FEATURES))
    pooled = [layers.GlobalAveragePooling1D()(frames), layers.GlobalMaxPooling1D()(frames - 5.0)]
    model, given = Model(frames, layers.Concatenate()(pooled)), _data().test.inputs[:1]
    plan = plan_of(model, [given])
    states, found = None, []
    for at, length in ((0, 5), (5, 6), (11, 1)):
        step = Step(tf.range(length), length, length, states=states)
        found = forward(model, plan, [tf.constant(given[:, at : at + length])], step)
        states = step.new
    assert plan.sequences == (False,)
    assert np.abs(found[0] - model(given)).max() < 1e-5


@pytest.mark.parametrize(
    ("parts", "keys", "words"),
    [
        (["GRU"], {"frames": (1, 99)}, "99 is longer than the sequences of the model, which have 12"),
        (["Flatten"], {}, "export.streaming needs a model that reads one frame after the other"),
        (["Dense"], {}, "no layer keeps a state"),
        (["Bidirectional"], {}, "both (Bidirectional) cannot compute one position after the other"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_cannot_stream_is_said_before_training(parts: list[str], keys: dict[str, Any], words: str) -> None:
    from tf_keras import layers

    from tfopt.backend.generation.streaming.prepare import streaming_preflight

    makers = {
        "GRU": lambda: layers.GRU(4),
        "Flatten": layers.Flatten,
        "Dense": lambda: layers.Dense(4),
        "Bidirectional": lambda: layers.Bidirectional(layers.GRU(4), name="both"),
    }
    model = _model(*(makers[part]() for part in parts))
    found = streaming_preflight(model, StreamingKeys({"a": GenerateFile()}, **keys), ExportWorkload(data=_data()))
    (problem,) = found.problems
    assert words in problem.message


def test_attention_has_no_end() -> None:
    from tfopt.backend.generation.streaming.prepare import streaming_preflight
    from tfopt.backend.models.zoo import gpt

    keys, model = StreamingKeys({"a": GenerateFile()}), gpt.build((LENGTH,), 20, width=8, blocks=1, heads=2)
    (problem,) = streaming_preflight(model, keys, ExportWorkload()).problems
    assert "it has attention, which keeps every frame" in problem.message
    assert streaming_preflight(recurrent("GRU"), keys, ExportWorkload()).problems == ()
