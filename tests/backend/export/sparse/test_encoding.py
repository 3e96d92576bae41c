"""The rule by which the converter encodes weights, against the converter and the kernels themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tfopt.backend.audit.tflite import audit_tflite
from tfopt.backend.export.sparse.encoding import block_of
from tfopt.core.claims.sparse import encoded
from tfopt.core.config.files.sparse_encoding import fault

INPUTS, OUTPUTS = 64, 20


def zeros(height: int, share: float = 0.8, inputs: int = INPUTS) -> np.ndarray:
    """Which weights of a (inputs, outputs) kernel are not zero, in blocks of that height along the inputs."""
    blocks = -(-inputs // height)
    kept = np.random.default_rng(1).permutation(blocks * OUTPUTS) >= share * blocks * OUTPUTS
    return kept.reshape(blocks, OUTPUTS).repeat(height, axis=0)[:inputs]


@pytest.mark.parametrize(
    ("height", "share", "floats", "integers"),
    [(1, 0.8, 1, 1), (4, 0.8, 4, 1), (16, 0.8, 4, 16), (8, 0.5, 4, 1), (1, 0.2, None, None), (16, 0.31, 4, 16)],
)
def test_blocks_are_taken_where_they_hold_nearly_all_zeros(
    height: int, share: float, floats: int | None, integers: int | None
) -> None:
    nonzero = zeros(height, share).T
    assert (block_of(nonzero, "float32"), block_of(nonzero, "int8")) == (floats, integers)


def test_convolutions_have_no_blocks() -> None:
    assert block_of(np.zeros((8, 1, 1, 16), bool), "int8") == 1
    assert block_of(np.zeros((0, 4), bool), "int8") is None


@pytest.mark.tf
@pytest.mark.parametrize(
    ("mode", "height", "inputs"),
    [("none", 4, 64), ("none", 1, 64), ("float16", 16, 64), ("int8", 16, 64), ("int8", 1, 64), ("int8", 16, 24)],
)
def test_the_converter_and_its_kernels_do_what_the_table_says(
    mode: str, height: int, inputs: int, tmp_path: Path
) -> None:
    import tensorflow as tf
    import tf_keras

    from tests.support.converting import converter_of
    from tfopt.backend.tflite.interpreter import open_file

    model = tf_keras.Sequential([tf_keras.layers.InputLayer((inputs,)), tf_keras.layers.Dense(OUTPUTS, name="head")])
    random = np.random.default_rng(0)
    kernel = np.where(zeros(height, inputs=inputs), random.normal(size=(inputs, OUTPUTS)), 0)
    model.layers[-1].set_weights([kernel, np.ones(OUTPUTS)])
    examples = random.uniform(-1, 1, (8, inputs)).astype(np.float32)
    converter = converter_of(model)
    converter.optimizations = [tf.lite.Optimize.EXPERIMENTAL_SPARSITY]
    if mode != "none":
        converter.optimizations.append(tf.lite.Optimize.DEFAULT)
    if mode == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if mode == "int8":
        converter.representative_dataset = lambda: ([row[None]] for row in examples)
    file = tmp_path / "made.tflite"
    file.write_bytes(converter.convert())

    (weights,) = [tensor for tensor in audit_tflite(file, ["head"]).tensors if tensor.sparse_encoding]
    dtype = {"none": "float32"}.get(mode, mode)
    assert (weights.operator, weights.layer, weights.dtype) == ("FULLY_CONNECTED", "head", dtype)
    assert weights.sparse_block == block_of(zeros(height, inputs=inputs).T, dtype)
    expected, right = model(examples).numpy(), True
    for kernels in ("default", "builtin"):
        try:
            opened = open_file(file, 1, kernels)
            opened.prepare({next(iter(opened.inputs)): examples[:1]})
            made = []
            for row in examples:
                opened.set_inputs({next(iter(opened.inputs)): row[None]})
                made.append(next(iter(opened.predict().values())))
            error = np.sqrt(np.mean((np.concatenate(made) - expected) ** 2)) / expected.std()
            right = right and bool(error < 0.05)
        except RuntimeError:
            right = False
    assert right == (fault(encoded(weights)) is None)
