"""Outputs of models of both libraries, with any structure of inputs."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = pytest.mark.tf
pytest.importorskip("tf_keras")

import keras  # noqa: E402
import tf_keras  # noqa: E402

from tfopt.backend.equivalence import Tolerance, outputs, same_outputs  # noqa: E402

LEFT, RIGHT = np.full((2, 3), 5, np.float32), np.full((2, 3), 2, np.float32)


@pytest.mark.parametrize("library", [keras, tf_keras])
def test_inputs_keep_their_order_in_a_dict(library) -> None:
    inputs = {"right": library.Input((3,), name="right"), "left": library.Input((3,), name="left")}
    model = library.Model(inputs, library.layers.Subtract()([inputs["left"], inputs["right"]]))
    values = {"left": LEFT, "right": RIGHT}
    order = [tensor.name for tensor in model.inputs]
    (result,) = outputs(model, [values[name] for name in order])
    assert np.array_equal(result, LEFT - RIGHT)


@pytest.mark.parametrize("library", [keras, tf_keras])
def test_dropout_is_off(library) -> None:
    model = library.Sequential([library.Input((3,)), library.layers.Dropout(0.9)])
    assert np.array_equal(outputs(model, [LEFT])[0], LEFT)


def test_the_first_output_that_differs_is_returned() -> None:
    assert same_outputs([LEFT, RIGHT], [LEFT, RIGHT], Tolerance(1e-5)) is None
    differing = same_outputs([LEFT, RIGHT], [LEFT, LEFT], Tolerance(1e-5))
    assert differing is not None
    assert (differing.index, differing.largest) == (1, 3.0)
    missing = same_outputs([LEFT, RIGHT], [LEFT], Tolerance(1e-5))
    assert missing is not None
    assert missing.described == "2 and 1 outputs"
