"""The SavedModel of a cached model: signatures `prefill_<length>` and `decode`, as LiteRT-LM calls them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf
import tf_keras

from tfopt.backend.compat.keras_graph import outbound_nodes
from tfopt.backend.generation.forward import forward
from tfopt.backend.generation.names import CACHE, DECODE, LOGITS, MASK, POSITIONS, TOKENS, WHOLE
from tfopt.backend.generation.plan import Plan
from tfopt.backend.generation.step import Step


@dataclass(frozen=True)
class Signatures:
    """Which signatures a cached model has.

    Args:
        context: positions that there is room for.
        prefill: lengths of the buckets.
        verify: tokens whose logits are computed in one call, for speculative decoding; None for no such signature.
        cache: dtype of keys and values.
    """

    context: int
    prefill: tuple[int, ...]
    verify: int | None = None
    cache: str = "float32"

    @property
    def keys(self) -> list[str]:
        """Names of the signatures of a file."""
        verify = [] if self.verify is None else [f"verify_{self.verify}"]
        return [*(f"prefill_{length}" for length in self.prefill), DECODE, *verify]

    def lengths(self) -> dict[str, tuple[int, bool]]:
        """By name of a signature, positions of a call, and whether it returns logits; `whole` too."""
        prefill = {f"prefill_{length}": (length, False) for length in self.prefill}
        verify = {} if self.verify is None else {f"verify_{self.verify}": (self.verify, True)}
        return {**prefill, DECODE: (1, True), **verify, WHOLE: (self.context, True)}


def states_of(plan: Plan, signatures: Signatures) -> dict[str, tuple[tuple[int, ...], str]]:
    """Shape and dtype of each state of a file, by name: caches are as long as the context."""
    found: dict[str, tuple[tuple[int, ...], str]] = {}
    for name, (shape, dtype) in plan.states.items():
        axis = {"kv_cache_k": 2, "kv_cache_v": 3}.get(name.rpartition("_")[0])
        if axis is not None:
            shape = tuple(signatures.context if at == axis else size for at, size in enumerate(shape))
            dtype = signatures.cache
        found[name] = (shape, dtype)
    return found


def write_saved_model(
    model: tf_keras.Model, plan: Plan, signatures: Signatures, folder: Path, whole: bool = True
) -> None:
    """Writes all signatures; the weights are there once.

    Args:
        model: the one that was planned.
        plan: how it computes position after position.
        signatures: which there are.
        folder: created.
        whole: with the signature that proves the others.
    """
    functions = {
        key: _function(model, plan, signatures, length, logits)
        for key, (length, logits) in signatures.lengths().items()
        if whole or key != WHOLE
    }
    tf.saved_model.save(Tracked(list(model.variables), list(functions.values())), str(folder), signatures=functions)


class Tracked(tf.Module):
    """What TensorFlow writes in addition to the functions: the weights that they read."""

    def __init__(self, weights: list[tf.Variable], functions: list[Callable[..., Mapping[str, tf.Tensor]]]) -> None:
        super().__init__()
        self.weights = weights
        self.functions = functions


def _function(
    model: tf_keras.Model, plan: Plan, signatures: Signatures, length: int, logits: bool
) -> Callable[..., Mapping[str, tf.Tensor]]:
    states = states_of(plan, signatures)
    attends = any(name.startswith(CACHE) for name in states)
    specs = [
        tf.TensorSpec((1, length), tf.int32, name=TOKENS),
        tf.TensorSpec((length,), tf.int32, name=POSITIONS),
        *([tf.TensorSpec((1, 1, length, signatures.context), tf.float32, name=MASK)] if attends else []),
        *(tf.TensorSpec(shape, dtype, name=name) for name, (shape, dtype) in states.items()),
    ]

    def compute(tokens: tf.Tensor, positions: tf.Tensor, *others: tf.Tensor) -> dict[str, tf.Tensor]:
        mask, given = (others[0], others[1:]) if attends else (None, others)
        step = Step(
            positions,
            length,
            signatures.context,
            mask,
            dict(zip(states, given, strict=True)),
            tf.as_dtype(signatures.cache),
        )
        # The converter names tensors by scopes, the first of which is that of the model.
        with tf.name_scope("model"):
            outputs = forward(model, plan, inputs_of(model, tokens), step, logits=True)
        return {**({LOGITS: outputs[0]} if logits else {}), **step.new}

    return tf.function(input_signature=specs, autograph=False)(compute)


def inputs_of(model: tf_keras.Model, tokens: tf.Tensor) -> Sequence[tf.Tensor]:
    """The inputs of a language model for some tokens: nothing is padding."""
    return [
        tf.cast(tokens, port.dtype) if name == token_input(model) else tf.ones(tokens.shape, port.dtype)
        for port, name in zip(model.inputs, model.input_names, strict=True)
    ]


def token_input(model: tf_keras.Model) -> str | None:
    """Name of the input that takes tokens, where all others are masks of padding; else None."""
    masks = [name for name in model.input_names if "mask" in name]
    others = [name for name in model.input_names if name not in masks]
    ports = dict(zip(model.input_names, model.inputs, strict=True))
    is_text = len(others) == 1 and all(port.shape.rank == 2 for port in model.inputs)
    return others[0] if is_text and (ports[others[0]].dtype.is_integer or _looks_up(model, others[0])) else None


def _looks_up(model: tf_keras.Model, name: str) -> bool:
    """Whether an input goes into a table, whatever its dtype: Keras takes float ids, too."""
    consumers = [node.layer for node in outbound_nodes(model.get_layer(name))]
    return bool(consumers) and all(isinstance(layer, tf_keras.layers.Embedding) for layer in consumers)
