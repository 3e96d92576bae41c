"""Rules that keep layers of an int8 file in float, with and without quantization-aware training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tf_keras
from tf_keras import layers

from tests.support.contexts import export_context
from tests.support.digits import digits
from tfopt.backend.export import tflite
from tfopt.backend.export.preflight import tflite_preflight
from tfopt.backend.quantization.calibration import calibrate
from tfopt.backend.quantization.canonical import canonicalize
from tfopt.backend.quantization.quantized import Quantized
from tfopt.backend.quantization.weight_constraints import WeightConstraints
from tfopt.backend.quantization.wrapping import strip, wrap
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.quantization import Quantization
from tfopt.core.config.training.compile import Compile

pytestmark = pytest.mark.tf

RULES = [{"type": "LayerNormalization", "quantize": "none"}, {"match": "lstm|logits", "quantize": "none"}]
KEPT = {"norm", "lstm", "logits"}


def _model() -> tf_keras.Model:
    image = layers.Input((8, 8), name="rows")
    x = layers.LayerNormalization(name="norm")(layers.Dense(12, activation="relu", name="features")(image))
    x = layers.Dense(8, name="between")(x)
    return tf_keras.Model(image, layers.Dense(10, name="logits")(layers.LSTM(6, name="lstm")(x)))


def quantized_by(model: tf_keras.Model) -> Quantized:
    """A model after calibration for int8, without training."""
    canonical, keys = canonicalize(model), Quantization()
    wrapped = wrap(canonical, keys, WeightConstraints())
    calibrate(wrapped, [digits(rows=True).train.inputs[:64]])
    names = canonical.original_names
    return Quantized(wrapped, strip(wrapped, canonical), keys, WeightConstraints(), names, {})


@pytest.mark.parametrize("with_qat", [False, True])
def test_the_layers_of_the_rules_are_float_in_the_file_and_no_others(with_qat: bool, tmp_path: Path) -> None:
    tf_keras.utils.set_random_seed(3)
    model = _model()
    loss = Compile(loss={"name": "sparse_categorical_crossentropy", "from_logits": True})
    context = export_context(tmp_path / "export", digits(rows=True), compile=loss)
    variants = {
        "ruled": Variant.model_validate({"quantize": "int8", "calibration": 32, "layers": RULES}),
    }
    if not with_qat:
        variants["int8"] = Variant(quantize="int8", calibration=32)
    ruled, *others = tflite.export(quantized_by(model) if with_qat else model, variants, context)
    assert ruled.audit is not None
    assert set(ruled.audit.float_layers) == KEPT
    (claim,) = [claim for claim in ruled.claims if claim.code == "integer_only"]
    assert claim.held
    assert "except for the layers named in the plan: norm (a rule of its `layers` says quantize: none)" in claim.claim
    assert {t.layer for t in ruled.audit.tensors if t.role == "weight" and t.dtype == "float32"} >= {"logits"}
    assert {t.layer for t in ruled.audit.tensors if t.role == "weight" and t.dtype == "int8"} >= {"features", "between"}
    for plain in others:
        assert plain.audit is not None
        assert plain.audit.float_layers == []
        assert ruled.measures["agreement"] >= plain.measures["agreement"] - 0.1
    assert np.isfinite(ruled.measures["agreement"])


def test_a_rule_that_matches_nothing_is_a_mistake_before_training() -> None:
    rules = [{"match": "logit", "quantize": "none"}, {"type": "LayerNormalisation", "quantize": "none"}]
    rules.append({"match": "logits", "type": "Conv2D", "quantize": "none"})
    variants = {"small": Variant.model_validate({"quantize": "int8", "layers": rules})}
    first, second, both = tflite_preflight(_model(), variants, frozenset({"quantized"})).problems
    assert (first.path, second.path) == (("small", "layers", 0, "match"), ("small", "layers", 1, "type"))
    assert "Did you mean 'logits'?" in first.message
    assert "Did you mean 'LayerNormalization'?" in second.message
    assert both.message.startswith("matches no layer: 'logits' of type Conv2D. Layers: ")
