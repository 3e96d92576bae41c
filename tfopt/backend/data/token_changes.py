"""Random changes of the tokens of training texts, as stateless operations.

Every random number belongs to one (seed, epoch, example), so neither the batch size nor a resumed run changes it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import tensorflow as tf

from tfopt.backend.data.arrays.tensors import gathered
from tfopt.backend.data.images.augment import Fetch
from tfopt.backend.data.splits import Data, Split
from tfopt.backend.data.vocabulary import tokenizer_of
from tfopt.backend.text.tokenizer import Tokenizer
from tfopt.backend.types import Nested
from tfopt.core.config.data import Augment
from tfopt.core.config.text.token_changes import TokenChanges
from tfopt.errors import StageError

_TOKENS = 7
"""What keeps its seeds apart from those of the other changes."""


class TokenChanger:
    """Changes the training texts of some data.

    Args:
        data: with texts as token ids.
        changes: which share of the tokens is changed, and how.
        seed: of the run.

    Raises:
        StageError: the tokenizer has no token for what is hidden, or none that fills texts up.
    """

    def __init__(self, data: Data, changes: TokenChanges, seed: int) -> None:
        tokenizer, record = tokenizer_of(data), data.text
        if tokenizer is None or record is None:
            raise TypeError("data.augment.tokens needs data.text, which the recipe's checks demand")
        _check(tokenizer, changes)
        self._train, self._changes, self._seed = data.train, changes, seed
        kinds = record.inputs or {}
        self._ids = next((name for name, kind in kinds.items() if kind == "ids"), None)
        self._fills = {name: tokenizer.padding_id or 0 if kind == "ids" else 0 for name, kind in kinds.items()}
        self._padding, self._mask = tokenizer.padding_id or 0, tokenizer.mask_id or 0
        self._length, self._from_end = record.length, record.padding == "end"
        fixed = [*tokenizer.around_ids, *([] if tokenizer.padding_id is None else [tokenizer.padding_id])]
        self._is_word = np.isin(np.arange(record.vocabulary_size), fixed, invert=True)
        counts = np.bincount(np.ravel(self._ids_of(data.train.inputs)), minlength=record.vocabulary_size)
        self._cumulated = np.cumsum(counts * self._is_word).astype(np.float64)

    def changed(self, fetch: Fetch, epoch: tf.Tensor) -> Fetch:
        """`fetch`, with the changes of one epoch.

        Args:
            fetch: returns the unchanged examples.
            epoch: scalar.
        """
        variant = self._variant(epoch)

        def change(positions: tf.Tensor) -> tuple[Nested, ...]:
            inputs, *rest = fetch(positions)
            return (self._change(inputs, self._draws(positions, variant)), *rest)

        return change

    def first_row(self, epoch: tf.Tensor) -> tf.Tensor:
        """Where the rows of an epoch begin, in arrays with those of all variants, one after the other."""
        return tf.cast(self._variant(epoch) * len(self._train), tf.int32)

    def inputs(self, variant: int) -> Nested:
        """All training inputs as an epoch has them: arrays of the same shapes and types."""
        fetch = self.changed(lambda positions: (gathered(self._train.inputs)(positions),), tf.constant(variant))
        return tf.nest.map_structure(lambda tensor: tensor.numpy(), fetch(tf.range(len(self._train)))[0])

    def _variant(self, epoch: tf.Tensor) -> tf.Tensor:
        epoch = tf.cast(epoch, tf.int64)
        return epoch if self._changes.variants is None else epoch % self._changes.variants

    def _draws(self, positions: tf.Tensor, variant: tf.Tensor) -> tf.Tensor:
        """Two random numbers for each token, shape (examples, 2, length)."""
        first = tf.fill(tf.shape(positions), tf.constant((self._seed * 8 + _TOKENS) % 2**62, tf.int64))
        second = variant * 2**32 + tf.cast(positions, tf.int64)
        return tf.map_fn(
            lambda key: tf.random.stateless_uniform([2, self._length], key),
            tf.stack([first, second], axis=1),
            fn_output_signature=tf.TensorSpec([2, self._length], tf.float32),
        )

    def _change(self, inputs: Nested, draws: tf.Tensor) -> Nested:
        ids = self._ids_of(inputs)
        words = tf.gather(tf.constant(self._is_word), ids)
        changes, draw = self._changes, draws[:, 0]
        masked = words & (draw < changes.mask)
        replaced = words & (draw >= changes.mask) & (draw < changes.mask + changes.replace)
        dropped = (
            words & (draw >= changes.mask + changes.replace) & (draw < changes.mask + changes.replace + changes.drop)
        )
        ids = tf.where(masked, self._mask, tf.where(replaced, self._drawn(draws[:, 1], ids.dtype), ids))
        changed = {**inputs, self._ids: ids} if isinstance(inputs, dict) else ids
        return self._without(changed, dropped, words) if changes.drop else changed

    def _drawn(self, draws: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
        """Tokens as often as the training split has them."""
        places = tf.reshape(tf.cast(draws, tf.float64) * self._cumulated[-1], [-1])
        return tf.reshape(tf.cast(tf.searchsorted(self._cumulated, places, side="right"), dtype), tf.shape(draws))

    def _without(self, inputs: Nested, dropped: tf.Tensor, words: tf.Tensor) -> Nested:
        """Inputs without some tokens; a text all of whose words would be dropped keeps them."""
        dropped &= tf.reduce_any(words & ~dropped, axis=1, keepdims=True)
        # Stable: what stays keeps its order, and what is dropped goes to the end that is filled up.
        order = tf.argsort(tf.cast(dropped if self._from_end else ~dropped, tf.int32), axis=1, stable=True)
        gaps = tf.gather(dropped, order, axis=1, batch_dims=1)

        def packed(tensor: tf.Tensor, fill: int) -> tf.Tensor:
            return tf.where(gaps, tf.constant(fill, tensor.dtype), tf.gather(tensor, order, axis=1, batch_dims=1))

        if not isinstance(inputs, dict):
            return packed(inputs, self._padding)
        return {name: packed(tensor, self._fills[name]) for name, tensor in inputs.items()}

    def _ids_of(self, inputs: Nested) -> Nested:
        return inputs[self._ids] if isinstance(inputs, dict) else inputs


def variants(data: Data, augment: Augment | None, seed: int, epochs: int) -> list[Split]:
    """The training split as the epochs of a stage have it: once where it never changes.

    Args:
        data: the splits.
        augment: changes that are not new in every epoch.
        seed: of the run.
        epochs: of the stage; later variants are not made.
    """
    if augment is None or augment.tokens is None or augment.tokens.variants is None:
        return [data.train]
    changer = TokenChanger(data, augment.tokens, seed)
    return [replace(data.train, inputs=changer.inputs(k)) for k in range(min(augment.tokens.variants, epochs))]


def _check(tokenizer: Tokenizer, changes: TokenChanges) -> None:
    if changes.mask and tokenizer.mask_id is None:
        raise StageError(
            "data.augment.tokens.mask: the tokenizer has neither [MASK] nor a token for what is unknown.",
            "Use replace or drop, or a tokenizer with such a token.",
            code="invalid_data",
        )
    if changes.drop and tokenizer.padding_id is None:
        raise StageError(
            "data.augment.tokens.drop: the tokenizer has no padding token, which would fill the shorter texts up.",
            "Use mask or replace, or a tokenizer with a token such as [PAD] or <pad>.",
            code="invalid_data",
        )
