"""The SavedModel of a model that reads a stream: signatures `stream_<frames>`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import tensorflow as tf
import tf_keras

from tfopt.backend.generation.forward import forward
from tfopt.backend.generation.signatures import Tracked
from tfopt.backend.generation.step import Step
from tfopt.backend.generation.streaming.prepare import WHOLE, Prepared


def write_saved_model(model: tf_keras.Model, prepared: Prepared, folder: Path) -> None:
    """Writes all signatures, and `whole`; the weights are there once.

    Args:
        model: the one that was prepared.
        prepared: its pieces and states.
        folder: created.
    """
    lengths = {**dict(zip(prepared.keys, prepared.frames, strict=True)), WHOLE: prepared.length}
    functions = {key: _function(model, prepared, length) for key, length in lengths.items()}
    tf.saved_model.save(Tracked(list(model.variables), list(functions.values())), str(folder), signatures=functions)


def _function(model: tf_keras.Model, prepared: Prepared, length: int) -> Callable[..., Mapping[str, tf.Tensor]]:
    (port,), (name,) = model.inputs, prepared.signature.inputs
    states = prepared.plan.states
    specs = [
        tf.TensorSpec((1, length, *port.shape[2:]), port.dtype, name=name),
        *(tf.TensorSpec(shape, dtype, name=state) for state, (shape, dtype) in states.items()),
    ]

    def compute(frames: tf.Tensor, *given: tf.Tensor) -> dict[str, tf.Tensor]:
        step = Step(tf.range(length), length, length, states=dict(zip(states, given, strict=True)))
        with tf.name_scope("model"):
            outputs = forward(model, prepared.plan, [frames], step)
        return {**dict(zip(prepared.signature.outputs, outputs, strict=True)), **step.new}

    return tf.function(input_signature=specs, autograph=False)(compute)
