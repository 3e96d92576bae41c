"""A recipe that begins with Keras 3 ends with Keras 3: the weights put back, the file read by plain Keras."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tf_keras

from tests.support.children.plain_keras import forks, run_plain_keras
from tests.support.contexts import export_context
from tests.support.digits import digits
from tests.support.exporting import Exported
from tests.support.models import answers
from tfopt.backend import bridge, quantization
from tfopt.backend.audit.inspect import audit_file as inspect
from tfopt.backend.export.keras_files import keras as keras_files
from tfopt.backend.export.keras_files.keras_archive import NOTE
from tfopt.backend.models import build as models
from tfopt.core.config.quantization import Quantization
from tfopt.core.recipe.recipe import ModelConfig
from tfopt.errors import ExportError, StageError

pytestmark = pytest.mark.tf


def built(name: str, seed: int = 1) -> models.Built:
    return models.build(
        ModelConfig(source=f"tests.support.networks.keras3_models:{name}", args={"num_outputs": 10}), digits(), seed
    )


def changed(model: tf_keras.Model) -> tf_keras.Model:
    """Other weights, three in four of the kernels zero, after a turn through the store."""
    random = np.random.RandomState(3)
    for weight in model.weights:
        values = random.uniform(0.1, 1, weight.shape) * (
            random.rand(*weight.shape) < 0.25 if weight.shape.rank > 1 else 1
        )
        weight.assign(values.astype(np.float32))
    return model


@pytest.mark.parametrize("name", ["images", "gained", "subclassed"])
def test_weights_are_put_back_into_a_copy(name: str, tmp_path: Path) -> None:
    made = built(name)
    assert made.origin is not None
    before = [weight.numpy() for weight in made.origin.weights]
    model = changed(made.model)
    models.save_model(model, tmp_path)
    restored = bridge.restore_keras3(made.origin, models.load_model(tmp_path))
    assert isinstance(restored, keras.Model)
    images = digits().test.inputs[:20]
    np.testing.assert_allclose(answers(restored, images), answers(model, images), atol=1e-5)
    assert all(np.array_equal(old, new.numpy()) for old, new in zip(before, made.origin.weights, strict=True))


def test_models_that_do_not_belong_together_are_told_apart() -> None:
    with pytest.raises(StageError, match="has no layer"):
        bridge.restore_keras3(built("images").origin, built("subclassed").model)


def test_a_model_built_twice_is_the_same_model() -> None:
    first = built("images", seed=4)
    keras.layers.Dense(3)
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    again = built("images", seed=4)
    assert models.model_fingerprint(first.model) == models.model_fingerprint(again.model)
    assert models.model_fingerprint(first.model) != models.model_fingerprint(built("images", seed=5).model)


@pytest.mark.parametrize(("name", "suffix"), [("images", ".keras"), ("plain", ".h5")])
def test_files_of_keras_3_are_loaded(tmp_path: Path, name: str, suffix: str) -> None:
    origin = built(name).origin
    assert origin is not None
    origin.save(tmp_path / f"three{suffix}")
    made = models.build(ModelConfig(source=f"./three{suffix}"), digits(), 0, tmp_path)
    assert isinstance(made.origin, keras.Model)
    images = digits().test.inputs[:20]
    np.testing.assert_allclose(answers(made.model, images), answers(origin, images), atol=1e-5)


def test_the_export_is_a_keras_3_file_that_plain_keras_opens(tmp_path: Path) -> None:
    made = built("images")
    model = changed(made.model)
    context = export_context(tmp_path / "export", digits(), origin=made.origin, traits=frozenset({"sparse"}))
    record = keras_files.export_keras(model, context)
    claims = {claim.claim: claim for claim in record.claims}
    assert all(claim.held for claim in record.claims)
    assert record.measures["agreement"] == 1.0
    assert claims["opens with plain keras.models.load_model, in a process without tf_keras and tfopt"].found == (
        f"keras {keras.__version__}"
    )
    assert claims["the file is as sparse as the model"].found.startswith("75")
    assert record.details == {"library": f"keras {keras.__version__}"}
    file = context.folder / "model.keras"
    assert json.loads(zipfile.ZipFile(file).read("metadata.json"))["keras_version"] == keras.__version__
    assert inspect(file).sparsity == pytest.approx(0.75, abs=0.03)
    # As anyone would.
    np.save(tmp_path / "images.npy", digits().test.inputs[:5])
    script = f"""
import sys, keras, numpy as np
model = keras.models.load_model({str(file)!r})
np.save({str(tmp_path / "answers.npy")!r}, model.predict(np.load({str(tmp_path / "images.npy")!r}), verbose=0))
assert not {{"tf_keras", "tfopt"}} & set(sys.modules)
"""
    run_plain_keras(script, tmp_path)
    expected = model.predict(digits().test.inputs[:5], verbose=0)
    np.testing.assert_allclose(np.load(tmp_path / "answers.npy"), expected, atol=1e-5)
    again = export_context(tmp_path / "again" / "export", digits(), origin=made.origin)
    with forks():
        keras_files.export_keras(model, again)
    assert (again.folder / "model.keras").read_bytes() == file.read_bytes()


def test_a_class_of_the_user_is_given_to_keras_and_named(tmp_path: Path) -> None:
    made = built("gained")
    with forks():
        record = keras_files.export_keras(made.model, export_context(tmp_path / "export", digits(), origin=made.origin))
    assert all(claim.held for claim in record.claims)
    assert any("given custom_objects for" in claim.found and "Gain" in claim.found for claim in record.claims)


def test_after_qat_the_file_holds_float_weights_and_the_ranges_beside_them(tmp_path: Path) -> None:
    made = built("images")
    model = changed(made.model)
    quantized = _quantized(model)
    context = export_context(tmp_path / "export", digits(), origin=made.origin)
    with forks():
        record = keras_files.export_keras(quantized, context)
    assert [claim.held for claim in record.claims if claim.claim.startswith("float weights as trained")] == [True]
    file = context.folder / "model.keras"
    note = json.loads(zipfile.ZipFile(file).read(NOTE))
    assert "digit" in note["ranges"]
    lowest = [value for ranges in note["ranges"].values() for name, value in ranges.items() if name.endswith("_min")]
    assert lowest
    kept = keras.models.load_model(file)
    np.testing.assert_array_equal(kept.get_layer("digit").kernel.numpy(), model.get_layer("digit").kernel.numpy())


def _quantized(model: tf_keras.Model) -> Any:
    from tfopt.backend.quantization.canonical import canonicalize
    from tfopt.backend.quantization.weight_constraints import WeightConstraints
    from tfopt.backend.quantization.wrapping import wrap

    canonical = canonicalize(model)
    preserve = WeightConstraints(**dict.fromkeys(WeightConstraints.__dataclass_fields__, False))
    wrapped = wrap(canonical, Quantization(), preserve)
    return quantization.Quantized(wrapped, model, Quantization(), preserve, canonical.original_names, {})


def test_who_came_with_tf_keras_gets_tf_keras(exported: Exported, tmp_path: Path) -> None:
    context = export_context(tmp_path / "export", exported.context.data, traits=frozenset({"sparse"}))
    record = keras_files.export_keras(exported.model, context)
    assert record.details == {"library": f"tf_keras {tf_keras.__version__}"}
    assert all(claim.held for claim in record.claims)
    assert {claim.claim for claim in record.claims} >= {
        "opens with tf_keras.models.load_model",
        "the file is as sparse as the model",
    }


def test_a_file_that_plain_keras_cannot_read_is_an_error(tmp_path: Path) -> None:
    from tfopt.backend.export.keras_files.read_back import read_back

    (tmp_path / "model.keras").write_bytes(b"nothing")
    with forks(), pytest.raises(ExportError, match=r"Plain Keras cannot read model\.keras back: .*"):
        read_back(tmp_path / "model.keras", [np.zeros((1, 2))], 1, {})
