"""What a trial conversion foretells of an untrained model is what the files of the trained one contain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tf_keras
from tf_keras import layers

import tfopt
from tests.support.exporting import VARIANTS, Exported
from tests.support.networks.one_layer_models import one_layer_models
from tests.support.recipes import known
from tfopt.backend.audit.layer_operators import BORDERS
from tfopt.backend.audit.tflite import audit_tflite
from tfopt.backend.export.convert import Conversion, convert
from tfopt.backend.export.keras_files import saved_model
from tfopt.backend.export.trial import LOOKED_AT, trial_conversions
from tfopt.backend.models.build import build_alone
from tfopt.core.contracts.trial import TrialConversion
from tfopt.core.recipe.recipe import build_recipe

pytestmark = pytest.mark.tf


def complete(file: TrialConversion) -> bool:
    """Whether every operator has a layer, but for conversions at the borders of the file."""
    owned = Counter(name for operators in file.layers.values() for name in operators)
    rest = Counter(file.operators)
    rest.subtract(owned)
    return "" not in file.layers and all(number == 0 or name in BORDERS for name, number in rest.items())


def test_the_files_of_a_trained_model_are_those_of_the_untrained_one(exported: Exported) -> None:
    new = tf_keras.models.clone_model(exported.model)
    before = new.get_weights()
    variants = {name: VARIANTS[name] for name in ("float32", "float16", "dynamic", "int8")}
    for file in trial_conversions(new, variants, trained=True):
        audit = exported.records[file.name].audit
        assert audit is not None
        assert (file.operators, file.float_operators) == (audit.operators, audit.float_operators)
        assert complete(file)
    for old, now in zip(before, new.get_weights(), strict=True):
        np.testing.assert_array_equal(old, now)


def test_the_plan_of_a_recipe_with_qat_lists_the_operators_of_its_files(tmp_path: Path) -> None:
    recipe = build_recipe(
        {
            "name": "dilated",
            "data": {"source": "digits"},
            "model": {"source": "tests.backend.export.test_trial:dilated"},
            "stages": [{"train": {"epochs": 1}}, {"qat": {"epochs": 1, "calibration": 64}}],
            "export": {"tflite": {"float32": None, "int8": {"quantize": "int8", "calibration": 64}}},
        },
        known(),
    )
    plan = tfopt.plan(recipe, tmp_path)
    exports = tfopt.run(recipe, out=tmp_path).report.exports
    for file, record in zip(plan.files, exports, strict=True):
        assert record.audit is not None
        assert (file.operators, file.float_operators) == (record.audit.operators, record.audit.float_operators)
    rows = {row.name: row.operators for row in plan.layers}
    assert rows["dilated"] == ("CONV_2D",)
    assert rows["step"] is not None
    assert {"GREATER", "CAST"} <= set(rows["step"])
    assert plan.files[1].float_layers == ("step",)


def dilated(input_shape: Any, num_outputs: int) -> tf_keras.Model:
    image = layers.Input(input_shape, name="image")
    x = layers.Conv2D(4, 3, dilation_rate=2, padding="same", name="dilated")(image)
    x = layers.ThresholdedReLU(name="step")(layers.BatchNormalization(name="norm")(x))
    x = layers.Flatten(name="flat")(layers.ReLU(name="relu")(x))
    return tf_keras.Model(image, layers.Dense(num_outputs, activation="softmax", name="head")(x))


def test_the_plan_of_qat_has_the_quantize_before_a_concatenate(tmp_path: Path) -> None:
    recipe = build_recipe(
        {
            "name": "joined",
            "data": {"source": "digits"},
            "model": {"source": "tests.backend.export.test_trial:joined"},
            "stages": [{"qat": {"epochs": 1}}],
            "export": {"tflite": {"int8": {"quantize": "int8", "io": "int8"}}},
        },
        known(),
    )
    (planned,) = tfopt.plan(recipe, tmp_path).files
    (record,) = tfopt.run(recipe, out=tmp_path).report.exports
    assert record.audit is not None
    assert planned.operators == record.audit.operators
    assert planned.operators["QUANTIZE"] == 1


def joined(input_shape: Any, num_outputs: int) -> tf_keras.Model:
    image = layers.Input(input_shape, name="image")
    first = layers.Conv2D(4, 3, padding="same", activation="relu", name="first")(image)
    second = layers.Conv2D(4, 3, padding="same", activation="relu", name="second")(first)
    x = layers.Flatten(name="flat")(layers.Concatenate(name="both")([first, second]))
    return tf_keras.Model(image, layers.Dense(num_outputs, activation="softmax", name="head")(x))


def two_heads() -> tf_keras.Model:
    image = layers.Input((4,), name="image")
    return tf_keras.Model(image, [layers.Dense(2, name="first")(image), layers.Softmax(name="second")(image)])


def test_doctor_of_a_model_with_several_outputs_and_of_one_that_does_not_convert(tmp_path: Path) -> None:
    two_heads().save(tmp_path / "two.keras")
    found = tfopt.doctor(str(tmp_path / "two.keras"))
    assert {row.name: row.operators for row in found.layers} == {"first": ("FULLY_CONNECTED",), "second": ("SOFTMAX",)}
    assert [file.name for file in found.files] == ["float32", "dynamic", "int8"]
    volume = tf_keras.Sequential([tf_keras.Input((4, 4, 4, 1)), layers.MaxPooling3D(name="pool")])
    volume.save(tmp_path / "pool.keras")
    found = tfopt.doctor(str(tmp_path / "pool.keras"))
    assert all("the converter refused it" in file.refused for file in found.files)
    assert all("fails from layer 'pool' (MaxPooling3D) on" in file.refused for file in found.files)
    assert found.totals is not None
    assert found.totals.unknown_operators == ("pool",)


def test_what_cannot_be_tried_is_said_and_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> None:
        raise ValueError("no such thing")

    monkeypatch.setattr(saved_model, "write_saved_model", broken)
    found = trial_conversions(two_heads(), LOOKED_AT)
    assert [file.refused for file in found] == ["ValueError: no such thing"] * 3


def as_after_training(model: tf_keras.Model) -> None:
    """Other weights, as training leaves them: none is 0 or 1 throughout; close enough that no result is infinite."""
    random = np.random.default_rng(1)
    for weight in model.weights:
        if weight.dtype.is_floating:
            kernel = weight.shape.rank > 1
            change = random.normal(0, 0.01, weight.shape) if kernel else random.uniform(0.01, 0.1, weight.shape)
            weight.assign_add(change.astype(weight.dtype.as_numpy_dtype))


def of_other_weights_and_data(model: tf_keras.Model, folder: Path) -> dict[str, Counter[str]]:
    """Operators of the files of a model that has learned something, calibrated with other data than the trial."""
    as_after_training(model)
    signature = saved_model.signature_of(model)
    random, calibration = np.random.default_rng(2), {}
    for name, tensor in zip(signature.inputs, model.inputs, strict=True):
        values = random.uniform(0, 4, (8, *tensor.shape[1:])) if tensor.dtype.is_integer else None
        values = random.normal(0, 1, (8, *tensor.shape[1:])) if values is None else values
        calibration[name] = folder / f"{name}.npy"
        np.save(calibration[name], values.astype(tensor.dtype.as_numpy_dtype))
    batch = 1 if saved_model.needs_fixed_batch(model) else None
    saved_model.write_saved_model(model, signature, folder / "model", batch)
    files = [
        Conversion(name, variant, folder / "model", folder / f"{name}.tflite", calibration)
        for name, variant in LOOKED_AT.items()
    ]
    refused = convert(files, lambda name: None)
    return {
        file.name: Counter({"refused": 1} if file.name in refused else audit_tflite(file.target).operators)
        for file in files
    }


def check(build: Callable[[], tf_keras.Model], folder: Path) -> None:
    tf_keras.utils.set_random_seed(0)
    found = trial_conversions(build(), LOOKED_AT, trained=True)
    files = of_other_weights_and_data(build(), folder)
    for file in found:
        assert Counter({"refused": 1} if file.refused else file.operators) == files[file.name], file.name
        assert complete(file)


@pytest.mark.slow
@pytest.mark.parametrize("build", [pytest.param(build, id=name) for name, build in one_layer_models()])
def test_models_of_one_layer(build: Callable[[], tf_keras.Model], tmp_path: Path) -> None:
    check(build, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("mlp", (28, 28, 1)), ("autoencoder", (64,)), ("ds_cnn", (49, 10, 1)), ("mnist_cnn", (28, 28, 1)),
        ("resnet8", (32, 32, 3)), ("small_cnn", (8, 8, 1)), ("mobilenet_v1_025", (96, 96, 3)),
        ("keras.applications.MobileNet", (64, 64, 3)), ("keras.applications.MobileNetV2", (96, 96, 3)),
        ("keras.applications.MobileNetV3Small", (96, 96, 3)), ("keras.applications.EfficientNetB0", (64, 64, 3)),
        ("keras.applications.DenseNet121", (32, 32, 3)), ("keras.applications.NASNetMobile", (64, 64, 3)),
        ("keras.applications.ResNet50", (32, 32, 3)), ("keras.applications.Xception", (71, 71, 3)),
    ],
)  # fmt: skip
def test_the_zoo_and_the_applications(name: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    check(lambda: build_alone(name, shape, 64 if name == "autoencoder" else 10), tmp_path)
