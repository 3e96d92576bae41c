"""What the plan says about the layers of files: those that stay float without a stage that quantizes, or crash."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import tf_keras
from tf_keras import layers

from tfopt import api
from tfopt.core.contracts.export import ExportWorkload
from tfopt.core.contracts.preflight import Preflight
from tfopt.errors import RecipeError
from tfopt.export.tflite import Tflite

pytestmark = pytest.mark.tf

RECIPE = """
name: floats
data: {{source: digits}}
model: {{source: "tests.backend.export.test_preflight:{function}"}}
compile: {{optimizer: adam, loss: sparse_categorical_crossentropy, metrics: [accuracy]}}
stages: {stages}
export: {{tflite: {{small: {{quantize: int8}}}}}}
"""


def bent(input_shape, num_outputs) -> tf_keras.Model:
    """A model with an ELU."""
    image = layers.Input(input_shape, name="image")
    x = layers.ELU(name="bend")(layers.Flatten(name="flatten")(image))
    return tf_keras.Model(image, layers.Dense(num_outputs, activation="softmax", name="head")(x))


def stepped(input_shape, num_outputs) -> tf_keras.Model:
    """A model with a layer that stays float also where a qat stage trains it."""
    image = layers.Input(input_shape, name="image")
    x = layers.Dense(num_outputs, name="head")(layers.Flatten(name="flatten")(image))
    return tf_keras.Model(image, layers.ThresholdedReLU(name="step")(x))


def looped(input_shape, num_outputs) -> tf_keras.Model:
    """A model with a loop."""
    image = layers.Input(input_shape, name="image")
    x = layers.GRU(4, name="gru")(layers.Reshape((8, 8), name="rows")(image))
    return tf_keras.Model(image, layers.Dense(num_outputs, activation="softmax", name="head")(x))


def _recipe(folder: Path, function: str, stages: str = "[{train: {epochs: 1}}]") -> Path:
    path = folder / "floats.yaml"
    path.write_text(RECIPE.format(function=function, stages=stages), encoding="utf-8")
    return path


def test_they_are_listed_in_the_plan(tmp_path: Path) -> None:
    plan = api.plan(_recipe(tmp_path, "bent"), out=tmp_path / "out")
    assert "small: bend stays float: TFLite has no integer kernel for ELU." in plan.warnings


def test_a_loop_is_listed_with_the_cost_of_its_remedy(tmp_path: Path) -> None:
    (warning,) = [
        text for text in api.plan(_recipe(tmp_path, "looped"), out=tmp_path / "out").warnings if "gru" in text
    ]
    assert warning.startswith("small: gru stays float: TFLite runs it as a loop, which computes in float with int8")
    assert "8 times the bytes" in warning


@pytest.mark.parametrize("build", [bent, looped])
def test_a_model_that_a_stage_quantized_was_checked_by_that_stage(build: Callable[..., tf_keras.Model]) -> None:
    """Whatever stage it was: tests/engine/test_foreign_stage.py has one of a different package."""
    target, model = Tflite.model_validate({"small": {"quantize": "int8"}}), build((8, 8, 1), 10)
    plain = target.preflight(model, ExportWorkload(examples=1000))
    assert plain.problems or plain.warnings
    assert target.preflight(model, ExportWorkload(traits=frozenset({"quantized"}), examples=1000)) == Preflight()


def test_the_old_name_of_float_layers_is_a_warning(tmp_path: Path) -> None:
    path = _recipe(tmp_path, "stepped", "[{qat: {epochs: 1, calibration: 8, require: none}}]")
    assert "qat: require is now float_layers; write float_layers: allow." in api.plan(path, out=tmp_path).warnings
    path = _recipe(tmp_path, "stepped", "[{qat: {epochs: 1, calibration: 8, require: all}}]")
    with pytest.raises(RecipeError, match="float_layers is `forbid`, but 1 layer stays float in an int8 file: step"):
        api.plan(path, out=tmp_path)
