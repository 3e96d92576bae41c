"""Features inside of a model are those of NumPy: in TensorFlow, after saving and loading, and in a .tflite file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tf_keras
from ai_edge_litert.interpreter import Interpreter

from tests.support.converting import converter_of
from tfopt.backend.audio.features import features
from tfopt.backend.audio.settings import FeatureSettings
from tfopt.backend.export.spectra import with_float_spectra
from tfopt.backend.layers import AudioFeatures
from tfopt.backend.models.store import load_model, save_model
from tfopt.core.config.files.tflite_variant import Variant

pytestmark = pytest.mark.tf

SETTINGS = FeatureSettings("mfcc", 8000, 1010, 200, 80, bands=20, coefficients=8)
"""A window is no multiple of the hop, nor a recording of either."""


@pytest.fixture(scope="module")
def model() -> tf_keras.Model:
    samples = tf_keras.Input((SETTINGS.samples,), name="samples")
    x = AudioFeatures(SETTINGS, name="features")(samples)
    return tf_keras.Model(samples, tf_keras.layers.Dense(2, name="logits")(x))


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    return (np.random.RandomState(0).randn(SETTINGS.samples) * 0.1).astype(np.float32)


def test_a_saved_model_computes_the_same(model: tf_keras.Model, samples: np.ndarray, tmp_path: Path) -> None:
    expected = features(samples, SETTINGS)
    save_model(model, tmp_path)
    loaded = load_model(tmp_path)
    for one in (model, loaded):
        assert np.allclose(one.get_layer("features")(samples[np.newaxis])[0], expected, atol=1e-4)
    assert loaded.get_layer("features").settings == SETTINGS


def test_a_file_computes_the_same_with_operators_of_tflite_alone(samples: np.ndarray) -> None:
    inputs = tf_keras.Input((SETTINGS.samples,))
    converter = converter_of(tf_keras.Model(inputs, AudioFeatures(SETTINGS)(inputs)))
    interpreter = Interpreter(model_content=converter.convert())
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], samples[np.newaxis])
    interpreter.invoke()
    found = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]
    assert np.allclose(found, features(samples, SETTINGS), atol=1e-4)


def test_every_quantized_file_keeps_the_features_float_unless_a_rule_says_otherwise(model: tf_keras.Model) -> None:
    own = Variant.model_validate({"quantize": "int8", "layers": [{"match": "logits", "quantize": "none"}]})
    variants = {mode: Variant.model_validate({"quantize": mode}) for mode in ("none", "float16", "dynamic", "int16x8")}
    found = with_float_spectra({**variants, "own": own}, model)
    rules = {
        name: [(rule.type or rule.match, rule.quantize) for rule in one.layers or ()] for name, one in found.items()
    }
    assert rules == {
        "none": [],
        "float16": [],
        "dynamic": [("AudioFeatures", "none")],
        "int16x8": [("AudioFeatures", "none")],
        "own": [("AudioFeatures", "none"), ("logits", "none")],
    }
    plain = tf_keras.Sequential([tf_keras.layers.Dense(1, input_shape=(3,))])
    assert with_float_spectra(variants, plain) == variants
