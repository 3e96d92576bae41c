"""The layers of the canonical form for one table that is read by row and multiplied with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import tensorflow as tf
from tf_keras import layers

from tfopt.backend.types import LayerArguments, Nested, Shape

if TYPE_CHECKING:
    from typing import Unpack


class Table(layers.Layer):
    """A weight as a tensor, (rows, width).

    Called with any tensor, which it does not look at: a layer without an input has no part in a functional model.

    Args:
        rows: number of rows.
        width: of a row.
    """

    def __init__(self, rows: int, width: int, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.rows = rows
        self.width = width

    def build(self, input_shape: Shape) -> None:
        self.table = self.add_weight(name="table", shape=(self.rows, self.width), initializer="zeros")
        super().build(input_shape)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return tf.identity(self.table)

    def get_config(self) -> dict[str, Nested]:
        return {**super().get_config(), "rows": self.rows, "width": self.width}


class TableOfProducts(layers.Layer):
    """A table that vectors are multiplied with: the file has a scale per row, as for the kernel of a Dense layer."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return tf.identity(inputs)


class TakeRows(layers.Layer):
    """[indices, table]: the rows of these indices."""

    def call(self, inputs: list[tf.Tensor]) -> tf.Tensor:
        indices, table = inputs
        return tf.gather(table, indices if indices.dtype.is_integer else tf.cast(indices, tf.int32))


class TimesRows(layers.Layer):
    """[values (..., width), table]: the products of each vector with every row, (..., rows)."""

    def call(self, inputs: list[tf.Tensor]) -> tf.Tensor:
        values, table = inputs
        return tf.matmul(values, table, transpose_b=True)
