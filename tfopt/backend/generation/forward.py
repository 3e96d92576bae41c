"""A model that computes some positions, with the state of those before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.compat.keras_graph import Node, call_of
from tfopt.backend.compat.slice_update import dynamic_update_slice
from tfopt.backend.generation.parts import with_state
from tfopt.backend.generation.plan import Call, Plan
from tfopt.backend.generation.step import Step
from tfopt.backend.generation.walk import called, inference, is_graph, walk
from tfopt.backend.quantization.canonical.replay import Args
from tfopt.backend.types import Nested

_SUM = 1e-3
"""How far a sum of float32 probabilities may be off 1."""
_LEAST = 1e-30
"""A probability whose logarithm is still a number."""


def forward(
    model: tf_keras.Model, plan: Plan, inputs: Sequence[tf.Tensor], step: Step, *, logits: bool = False
) -> list[tf.Tensor]:
    """Outputs for the positions of a step; its `new` holds the states afterwards.

    Args:
        model: the one that was planned.
        plan: how it computes position after position.
        inputs: (1, length, ...) in the order of the model's inputs.
        step: positions and states.
        logits: where the first output is probabilities, return what their softmax is of.
    """

    last = _output_node(model) if logits and ends_in_softmax(plan) else None
    size = model.inputs[0].shape[1] or step.context

    def make(node: Node, calls: Sequence[Call]) -> list[Nested]:
        ((args, kwargs),) = calls
        if id(node) in plan.unread:
            return [tf.nest.map_structure(lambda tensor: tf.zeros((), tensor.dtype), node.outputs)]
        if id(node) in plan.counted:
            dtype = tf.nest.flatten(node.outputs)[0].dtype
            return [tf.cast(step.positions, dtype)]
        if id(node) in plan.placed:
            return [_placed(node, (args, kwargs), step, size)]
        if node is last:
            return [_scores(node, args, kwargs)]
        with with_state(node.layer, step):
            return [called(node, args, kwargs)]

    (outputs,) = walk(model, [inputs], make)
    found: list[tf.Tensor] = tf.nest.flatten(outputs)
    return found


def _placed(node: Node, call: Call, step: Step, size: int) -> Nested:
    """A call on sequences of all positions (`size`) that are empty at all but those of a step.

    There is room for one more bucket, because the padding of one may reach beyond the context.
    """

    def spread(value: object) -> object:
        if not tf.is_tensor(value) or value.shape.rank < 2 or value.shape[1] != step.length:
            return value
        rest = value.shape[2:]
        room = tf.zeros((1, size + step.length, *rest), value.dtype)
        at = [0, step.start, *[0] * len(rest)]
        return tf.slice(dynamic_update_slice(room, value, at), [0] * len(value.shape), [1, size, *rest])

    def taken(value: tf.Tensor) -> tf.Tensor:
        rest = [int(size) for size in value.shape[2:]]
        room = tf.concat([value, tf.zeros((1, step.length, *rest), value.dtype)], 1)
        return tf.slice(room, [0, step.start, *[0] * len(rest)], [1, step.length, *rest])

    args, kwargs = tf.nest.map_structure(spread, call)
    return tf.nest.map_structure(taken, called(node, args, kwargs))


def ends_in_softmax(plan: Plan) -> bool:
    """Whether the first output of a model is probabilities over its last axis."""
    found = plan.outputs[0]
    sums = np.asarray(found, np.float64).sum(-1)
    return bool(found.shape[-1] > 1 and (found >= 0).all() and np.abs(sums - 1).max() < _SUM)


def _output_node(model: tf_keras.Model) -> Node:
    """The call whose result is the first output of a model."""
    node = call_of(model.outputs[0])
    return _output_node(node.layer) if is_graph(node.layer) else node


def _scores(node: Node, args: Args, kwargs: dict[str, Nested]) -> Nested:
    """What a last call computes before its softmax; the logarithm of its result where it is not known how."""
    layer = node.layer
    if isinstance(layer, tf_keras.layers.Softmax):
        return args[0]
    activation = vars(layer).get("activation")
    if getattr(activation, "__name__", "") != "softmax":
        return tf.math.log(tf.maximum(layer(*args, **inference(node, kwargs)), _LEAST))
    object.__setattr__(layer, "activation", tf_keras.activations.linear)
    try:
        return layer(*args, **inference(node, kwargs))
    finally:
        object.__setattr__(layer, "activation", activation)
