"""Can a model compute position after position? Found out by doing it, layer by layer, on random inputs.

A layer may run on a few positions at a time where it then returns what it returns for them within the whole sequence.
That is measured for each: no list of layers says it. What mixes positions has a call with state
(`tfopt.backend.generation.parts`); what depends on positions without mixing them runs on a sequence that is empty
elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.compat.keras_graph import Node
from tfopt.backend.generation.names import CACHE
from tfopt.backend.generation.parts import parts_with_state, with_state
from tfopt.backend.generation.step import Step
from tfopt.backend.generation.walk import called, unread, walk
from tfopt.backend.graph.layers import layer_type
from tfopt.backend.quantization.canonical.replay import Args
from tfopt.backend.types import Array, Nested
from tfopt.errors import ExportError

_TOLERANCE = 1e-3
"""Of the largest value: float noise of two orders of summation stays far below, another result is far above."""
Call = tuple[Args, dict[str, Nested]]


@dataclass(frozen=True)
class Plan:
    """How a model computes position after position.

    Args:
        placed: calls (by identity) that run on a sequence that is empty elsewhere.
        counted: calls whose result is 0, 1, 2, ...: they return the positions.
        unread: calls whose result nothing reads that has a state.
        states: shape and dtype of each state, by name.
        outputs: the outputs of the model, for the whole sequence, of the sample.
        sequences: whether each output has an axis of positions.
    """

    placed: frozenset[int] = frozenset()
    counted: frozenset[int] = frozenset()
    unread: frozenset[int] = frozenset()
    states: Mapping[str, tuple[tuple[int, ...], str]] = field(default_factory=dict)
    outputs: tuple[Array, ...] = ()
    sequences: tuple[bool, ...] = ()

    @property
    def is_cache(self) -> bool:
        """Whether keys and values of attention are all the state: what LiteRT-LM can hold."""
        return bool(self.states) and all(name.startswith(CACHE) for name in self.states)


def plan_of(model: tf_keras.Model, inputs: Sequence[Array]) -> Plan:
    """Tries a model on all positions but the last, then on the last, and compares with all at once.

    Args:
        model: functional, float.
        inputs: one example per input, (1, positions, ...), of at least two positions.

    Raises:
        ExportError: a layer mixes positions in a way that has no state; it is named with the reason.
    """
    if not getattr(model, "_is_graph_network", False):
        raise refusal(model, "the connections of its layers are not known before it runs")
    trial = _Trial(inputs[0].shape[1], unread(model))
    runs = [inputs, [each[:, :-1] for each in inputs], [each[:, -1:] for each in inputs]]
    whole, before, last = walk(model, [[tf.constant(each) for each in run] for run in runs], trial.make)
    outputs = tuple(tf.nest.flatten(whole))
    sequences = tuple(
        _along_positions(*each, trial.length)
        for each in zip(outputs, tf.nest.flatten(before), tf.nest.flatten(last), strict=True)
    )
    states = {name: (tuple(value.shape), value.dtype.name) for name, value in trial.last.new.items()}
    return Plan(
        frozenset(trial.placed),
        frozenset(trial.counted),
        trial.unread,
        states,
        tuple(each.numpy() for each in outputs),
        sequences,
    )


def refusal(layer: tf_keras.layers.Layer, reason: str) -> ExportError:
    """The error of a layer that cannot compute position after position."""
    return ExportError(
        f"{layer.name} ({layer_type(layer)}) cannot compute one position after the other: {reason}.",
        code="not_stepwise",
    )


class _Trial:
    """Three runs side by side: the whole sequence, all but the last position, the last position with their state."""

    def __init__(self, length: int, unread: frozenset[int]) -> None:
        self.length = length
        self.unread = unread
        self.before = Step(tf.range(length - 1), length - 1, length)
        self.last = Step(tf.constant([length - 1]), 1, length, states=self.before.new)
        self.placed: set[int] = set()
        self.counted: set[int] = set()

    def make(self, node: Node, calls: Sequence[Call]) -> list[Nested]:
        layer = node.layer
        whole = called(node, *calls[0])
        if id(node) in self.unread:
            return [whole, whole, whole]
        try:
            with with_state(layer, self.before):
                before = called(node, *calls[1])
            with with_state(layer, self.last):
                last = called(node, *calls[2])
        except ExportError as error:
            raise refusal(layer, error.message) from error
        except Exception as error:
            reason = f"on a part of the sequence it fails ({_first_line(error)})"
            placed = self._placed(node, calls[0], whole)
            if placed is None:
                raise refusal(layer, reason) from error
            return [whole, *placed]
        flat = [tf.nest.flatten(each) for each in (whole, before, last)]
        if self._counts(flat):
            self.counted.add(id(node))
            return [whole, self.before.positions, self.last.positions]
        if all(self._same(*each) for each in zip(*flat, strict=True)):
            return [whole, before, last]
        placed = self._placed(node, calls[0], whole)
        if placed is not None:
            return [whole, *placed]
        raise refusal(layer, self._reason(node, calls[0], whole))

    def _counts(self, flat: Sequence[Sequence[tf.Tensor]]) -> bool:
        """Whether a call returns 0, 1, 2, ... up to the number of positions, in each run."""
        sizes = (self.length, self.length - 1, 1)
        return all(
            len(outputs) == 1
            and tf.is_tensor(outputs[0])
            and outputs[0].dtype.is_integer
            and outputs[0].shape == (size,)
            and bool(tf.reduce_all(outputs[0] == tf.range(size, dtype=outputs[0].dtype)))
            for outputs, size in zip(flat, sizes, strict=True)
        )

    def _same(self, whole: object, before: tf.Tensor, last: tf.Tensor) -> bool:
        """Whether the parts are those of the whole; what is no float, or no sequence, shows in what is made of it."""
        if not tf.is_tensor(whole) or not whole.dtype.is_floating:
            return True
        if whole.shape == before.shape == last.shape:
            return _close(whole, last)
        axis = _axis(whole.shape, before.shape, last.shape, self.length)
        if axis is None:
            # A mask (positions, positions) shows in what reads it; positions joined with another axis are no sequence.
            return len(_differing(whole.shape, before.shape, last.shape)) != 1
        return _close(whole, tf.concat([before, last], axis))

    def _placed(self, node: Node, call: Call, whole: Nested) -> tuple[Nested, Nested] | None:
        """Outputs of a call on sequences that are empty elsewhere, where they are those of the whole; else None."""
        if any(True for _ in parts_with_state(node.layer)):
            return None
        parts = []
        for here in (slice(0, self.length - 1), slice(self.length - 1, self.length)):
            kept = np.zeros(self.length, bool)
            kept[here] = True
            given = tf.nest.map_structure(partial(_emptied, kept=kept), call)
            try:
                outputs = called(node, *given)
                parts.append(tf.nest.map_structure(partial(_cut, here=here), outputs))
            except Exception:  # noqa: BLE001 - a layer of others refuses zeros, or returns no sequence
                return None
        for all_of, *some in zip(*(tf.nest.flatten(each) for each in (whole, *parts)), strict=True):
            joined = tf.concat(some, 1)
            if joined.shape != all_of.shape or not _close(all_of, joined):
                return None
        self.placed.add(id(node))
        return parts[0], parts[1]

    def _reason(self, node: Node, call: Call, whole: Nested) -> str:
        """Why the parts differ from the whole: later positions change earlier ones, or earlier ones have no state."""
        changed = tf.nest.map_structure(lambda value: _with_other_end(value, self.length), call)
        try:
            other = tf.nest.flatten(called(node, *changed))
        except Exception:  # noqa: BLE001 - a layer of others refuses changed inputs
            other = tf.nest.flatten(whole)
        for one, two in zip(tf.nest.flatten(whole), other, strict=True):
            is_sequence = (one.shape.rank or 0) > 1 and one.shape[1] == self.length
            if is_sequence and not _close(one[:, : self.length - 1], two[:, : self.length - 1]):
                hint = "; attention needs use_causal_mask=True" if "ttention" in layer_type(node.layer) else ""
                return f"what it returns for a position depends on later ones{hint}"
        return (
            "what it returns for a position depends on earlier ones, and tfopt knows a state for attention, recurrent "
            "layers, causal Conv1D and global pooling only"
        )


def _axis(whole: tf.TensorShape, before: tf.TensorShape, last: tf.TensorShape, length: int) -> int | None:
    """The axis of positions: the one whose size is that of each run."""
    differing = _differing(whole, before, last)
    fits = len(differing) == 1 and [each[differing[0]] for each in (whole, before, last)] == [length, length - 1, 1]
    return differing[0] if fits else None


def _differing(*shapes: tf.TensorShape) -> list[int]:
    """The axes whose sizes differ; none where the number of axes does."""
    if len({shape.rank for shape in shapes}) > 1:
        return []
    return [at for at in range(shapes[0].rank) if len({shape[at] for shape in shapes}) > 1]


def _along_positions(whole: tf.Tensor, before: tf.Tensor, last: tf.Tensor, length: int) -> bool:
    return _axis(whole.shape, before.shape, last.shape, length) == 1


def _close(whole: tf.Tensor, parts: tf.Tensor) -> bool:
    one, two = np.asarray(whole, np.float64), np.asarray(parts, np.float64)
    return bool(np.abs(one - two).max(initial=0.0) <= _TOLERANCE * max(np.abs(one).max(initial=0.0), 1e-6))


def _cut(value: tf.Tensor, here: slice) -> tf.Tensor:
    return value[:, here]


def _emptied(value: object, kept: Array) -> object:
    """A sequence (1, positions, ...) with zeros at the positions that are not kept."""
    if not tf.is_tensor(value) or value.shape.rank < 2 or value.shape[1] != len(kept):
        return value
    shape = (1, len(kept), *[1] * (value.shape.rank - 2))
    return tf.where(kept.reshape(shape), value, tf.zeros_like(value))


def _with_other_end(value: object, length: int) -> object:
    """A sequence of floats with other values at its last position."""
    if not tf.is_tensor(value) or not value.dtype.is_floating or value.shape.rank < 2 or value.shape[1] != length:
        return value
    return tf.concat([value[:, :-1], value[:, -1:] * -1.5 + 1.0], 1)


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:200] if lines else 'no reason given'}"
