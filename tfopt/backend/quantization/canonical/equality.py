"""Proof that a rewritten model has the outputs of the original."""

from __future__ import annotations

import tensorflow as tf
import tf_keras

from tfopt.backend.equivalence import Tolerance, first_difference, outputs, random_inputs, same_outputs
from tfopt.backend.graph.layers import all_layers, nodes
from tfopt.backend.quantization.canonical.replay import Tensors
from tfopt.backend.types import Array
from tfopt.errors import StageError

_TOLERANCE, _HALF_TOLERANCE = 1e-4, 5e-2
"""Largest difference, relative to the largest output. Measured on `keras.applications`: up to 3e-8."""


def check_equal(
    before: tf_keras.Model, after: tf_keras.Model, steps: list[tuple[tf_keras.Model, tf_keras.Model, Tensors]]
) -> None:
    """Compares the outputs of two models on random inputs.

    Args:
        before: the original.
        after: the rewritten model.
        steps: model before and after each step, and the new tensors by the identity of the old ones.

    Raises:
        StageError: the outputs differ; names the first layer that does.
    """
    inputs = random_inputs(after, bounded=True)  # its shapes may be fixed where those of `before` are open
    half = any(layer.compute_dtype in ("float16", "bfloat16") for layer in all_layers(before))
    tolerance = Tolerance(_HALF_TOLERANCE if half else _TOLERANCE, least_scale=1.0)
    expected = outputs(before, inputs)
    differing = same_outputs(expected, outputs(after, inputs), tolerance)
    if differing is None or same_outputs(expected, outputs(before, inputs), tolerance):  # outputs are random
        return
    layer = next(filter(None, (_first_layer(*step, inputs, tolerance) for step in steps)), None)
    where = f"layer {layer!r} is the first that differs" if layer else "no single layer does, their sum differs"
    raise StageError(
        f"The model {before.name!r} has different outputs after its rewrite for quantization, by "
        f"{differing.largest / differing.scale:.3g} of its largest output on random inputs: {where}. "
        f"Expected {tolerance.relative:g} at most.",
        "This is a bug in tfopt: please report the model. A qat rule does not help; leave the qat stage out.",
        code="not_equivalent",
    )


def _first_layer(
    before: tf_keras.Model, after: tf_keras.Model, tensors: Tensors, inputs: list[Array], tolerance: Tolerance
) -> str | None:
    calls = list(nodes(before))
    old = [tf.nest.flatten(node.outputs) for node in calls]
    new = [[tensors[id(tensor)] for tensor in group] for group in old]
    values = (_values(before, old, inputs), _values(after, new, inputs))
    found = first_difference([node.layer.name for node in calls], *values, tolerance)
    return found[0] if found else None


def _values(model: tf_keras.Model, tensors: list[list[tf.Tensor]], inputs: list[Array]) -> list[list[Array]]:
    flat = iter(outputs(tf_keras.Model(model.inputs, tf.nest.flatten(tensors)), inputs))
    return [[next(flat) for _ in group] for group in tensors]
