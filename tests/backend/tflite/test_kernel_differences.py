"""Each operator of a file on every kind of kernels: LiteRT's reference SUM is wrong, and TILE is not there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tfopt.backend.export.convert import Conversion, convert
from tfopt.backend.export.keras_files import saved_model
from tfopt.backend.export.tflite_run import missing_operators
from tfopt.backend.tflite import interpreter as litert
from tfopt.backend.tflite.kernel_differences import OperatorDifference, operator_differences
from tfopt.core.claims.kernels import KNOWN_FAULTS, Parting
from tfopt.core.config.files.tflite_variant import Variant

pytestmark = pytest.mark.tf


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """int8: CONV_2D, SUM and TILE."""
    import tensorflow as tf
    import tf_keras

    folder = tmp_path_factory.mktemp("kernels")
    images = np.random.default_rng(0).random((16, 8, 8, 2), dtype=np.float32)
    np.save(folder / "image.npy", images)
    tf_keras.utils.set_random_seed(1)
    image = tf_keras.Input((8, 8, 2), name="image")
    features = tf_keras.layers.Conv2D(4, 3, name="stem")(image)
    model = tf_keras.Model(image, tf.tile(tf.reduce_sum(features, [1, 2]), (1, 2)))
    saved_model.write_saved_model(model, saved_model.signature_of(model), folder / "saved")
    target, int8 = folder / "model.tflite", Variant(quantize="int8", io="int8")
    conversion = Conversion("int8", int8, folder / "saved", target, {"image": folder / "image.npy"})
    assert convert([conversion], lambda name: None) == {}
    return target


@pytest.fixture(scope="module")
def differences(file: Path) -> dict[str, OperatorDifference]:
    return {one.operator: one for one in operator_differences(file, {"image": file.with_name("image.npy")})}


def test_right_kernels_differ_by_rounding_only(differences: dict[str, OperatorDifference]) -> None:
    assert max(differences["CONV_2D"].to_default.values()) <= 1
    assert set(differences["CONV_2D"].to_default) == {"builtin", "reference"}


def test_the_reference_kernel_of_sum_is_wrong_in_int8(differences: dict[str, OperatorDifference]) -> None:
    """When this fails, LiteRT has repaired it: remove the row of `KNOWN_FAULTS`."""
    found = differences["SUM"]
    parting = Parting(found.operator, found.dtype, "sum", found.to_default, found.others)
    assert parting.odd == "reference"
    assert parting.known_fault == KNOWN_FAULTS["SUM", "int8", "reference"]
    assert parting.steps > 10


def test_what_the_reference_kernels_lack_is_compared_without_them(
    file: Path, differences: dict[str, OperatorDifference]
) -> None:
    assert differences["TILE"].to_default == {"builtin": 0}
    with pytest.raises(ValueError, match="TILE") as caught:
        litert.open_file(file, 1, "reference")
    assert [name.split()[0] for name in missing_operators(str(caught.value))] == ["TILE"]
