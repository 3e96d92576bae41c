"""The initialize stage fills a model with a teacher's weights, by name, and says before training what does not fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tf_keras

from tests.support.contexts import context
from tfopt.backend.models.zoo import gpt
from tfopt.backend.stages import initialize as initialization
from tfopt.core.config.initialization import Initialization
from tfopt.core.config.model_source import KnownModel, ModelLocation
from tfopt.core.contracts.preflight import Preflight, Workload
from tfopt.errors import StageError

pytestmark = pytest.mark.tf


def _gpt(blocks: int, **arguments: Any) -> tf_keras.Model:
    model = gpt.build((4,), 7, width=8, heads=2, blocks=blocks, dropout=0, **arguments)
    model.set_weights([np.random.RandomState(blocks).normal(0, 0.1, weight.shape) for weight in model.weights])
    return model


@pytest.fixture(scope="module")
def teacher() -> tf_keras.Model:
    return _gpt(3)


def _asked(**layers: str) -> Initialization:
    return Initialization.model_validate({"teacher": {"file": "teacher.keras"}, "layers": layers})


def _preflight(model: tf_keras.Model, teacher: Any, asked: Initialization, *traits: str) -> Preflight:
    known = {asked.teacher.label: KnownModel(teacher, frozenset(traits))}  # type: ignore[arg-type]
    return initialization.preflight(model, asked, Workload(10, 1, 10, sources=known))


def test_blocks_are_filled_as_the_map_says(teacher: tf_keras.Model, tmp_path: Path) -> None:
    student, asked = _gpt(2), _asked(block1="block1", block2="block3")
    assert _preflight(student, teacher, asked) == Preflight()
    teacher.save(tmp_path / "teacher.keras")
    label = asked.teacher.label
    at = replace(context(tmp_path), sources={label: ModelLocation(label, "file", tmp_path / "teacher.keras")})
    result = initialization.initialize(student, asked, at)
    for name, other in (("block1_attention", "block1_attention"), ("block2_feed_forward1", "block3_feed_forward1")):
        for ours, theirs in zip(student.get_layer(name).weights, teacher.get_layer(other).weights, strict=True):
            assert np.array_equal(ours, theirs)
    assert result.details["initialized"]["block2_attention_norm"] == "block3_attention_norm"
    assert result.details["not_initialized"] == {}
    with pytest.raises(StageError, match="does not fit"):
        initialization.initialize(_gpt(2), _asked(block1="block9"), at)


def test_what_does_not_fit_keeps_its_weights_with_a_warning(teacher: tf_keras.Model) -> None:
    found = _preflight(_gpt(2, tie_weights=False), teacher, _asked())
    assert found.problems == ()
    assert "the teacher has no layer 'logits' with weights" in found.warnings[0]


@pytest.mark.parametrize(
    ("layers", "path", "code"),
    [
        ({"block7": "block1"}, ("layers", "block7"), "unknown_layer"),
        ({"block1": "block9"}, ("layers", "block1"), "incompatible_model"),
        ({"block1_feed_forward1": "block1_feed_forward2"}, ("layers", "block1_feed_forward1"), "incompatible_model"),
    ],
)
def test_a_map_that_leads_to_no_weights_is_a_problem(
    teacher: tf_keras.Model, layers: dict[str, str], path: tuple[str, ...], code: str
) -> None:
    (problem,) = _preflight(_gpt(2), teacher, _asked(**layers)).problems
    assert (problem.path, problem.code) == (path, code)


def test_a_teacher_without_a_layer_in_common_is_a_problem(teacher: tf_keras.Model) -> None:
    other = tf_keras.Sequential([tf_keras.layers.Dense(2, name="other", input_shape=(4,))])
    (problem,) = _preflight(other, teacher, _asked()).problems
    assert problem.path == ("teacher",)


def test_a_teacher_that_simulates_8_bits_is_a_problem(teacher: tf_keras.Model) -> None:
    (problem,) = _preflight(_gpt(2), teacher, _asked(), "quantized").problems
    assert "before qat" in problem.message


def test_a_wider_table_begins_with_its_principal_components(teacher: tf_keras.Model, tmp_path: Path) -> None:
    student = gpt.build((4,), 7, width=4, heads=2, blocks=1, dropout=0)
    asked = _asked().model_copy(update={"wider_tables": "principal_components"})
    assert "1 of" in _preflight(student, teacher, asked).warnings[0]
    teacher.save(tmp_path / "teacher.keras")
    label = asked.teacher.label
    at = replace(context(tmp_path), sources={label: ModelLocation(label, "file", tmp_path / "teacher.keras")})
    result = initialization.initialize(student, asked, at)
    assert result.details["initialized"] == {"token_embedding": "token_embedding"}
    wide, narrow = (model.get_layer("token_embedding").weights[0].numpy() for model in (teacher, student))
    distances = [np.linalg.norm(table[:, None] - table[None], axis=-1) for table in (wide, narrow)]
    assert np.corrcoef(distances[0].ravel(), distances[1].ravel())[0, 1] > 0.9


def test_no_wider_table_is_a_problem(teacher: tf_keras.Model) -> None:
    asked = _asked().model_copy(update={"wider_tables": "principal_components"})
    (problem,) = _preflight(_gpt(2), teacher, asked).problems
    assert problem.path == ("wider_tables",)
