"""What a recipe without a qat stage is told about layers that stay float in its int8 files."""

from __future__ import annotations

from pathlib import Path

import pytest
import tf_keras
from tf_keras import layers

from tfopt import api
from tfopt.errors import RecipeError

pytestmark = pytest.mark.tf

RECIPE = """
name: floats
data: {{source: digits}}
model: {{source: "tests.backend.quantization.test_float_files:{function}"}}
compile: {{optimizer: adam, loss: sparse_categorical_crossentropy, metrics: [accuracy]}}
stages: [{{train: {{epochs: 1}}}}]
export: {{tflite: {{small: {{quantize: int8}}}}}}
"""


def bent(input_shape, num_outputs) -> tf_keras.Model:
    """A model with an ELU."""
    image = layers.Input(input_shape, name="image")
    x = layers.ELU(name="bend")(layers.Flatten(name="flatten")(image))
    return tf_keras.Model(image, layers.Dense(num_outputs, activation="softmax", name="head")(x))


def looped(input_shape, num_outputs) -> tf_keras.Model:
    """A model with a loop."""
    image = layers.Input(input_shape, name="image")
    x = layers.GRU(4, name="gru")(layers.Reshape((8, 8), name="rows")(image))
    return tf_keras.Model(image, layers.Dense(num_outputs, activation="softmax", name="head")(x))


def _recipe(folder: Path, function: str) -> Path:
    path = folder / "floats.yaml"
    path.write_text(RECIPE.format(function=function), encoding="utf-8")
    return path


def test_they_are_listed_in_the_plan(tmp_path: Path) -> None:
    plan = api.plan(_recipe(tmp_path, "bent"), out=tmp_path / "out")
    assert "small: bend stays float: TFLite has no integer kernel for ELU." in plan.warnings


def test_a_file_that_cannot_be_made_is_an_error_before_training(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="small cannot be int8 without a qat stage: gru runs as a loop in TFLite"):
        api.plan(_recipe(tmp_path, "looped"), out=tmp_path / "out")
