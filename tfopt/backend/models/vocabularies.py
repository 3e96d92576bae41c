"""Whether the tables of a model have a row for each id that its inputs can hold.

TensorFlow reports an id outside of a table only during training; a `.tflite` file reads memory outside of the table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import tf_keras

from tfopt.backend.data.arrays.views import extremes
from tfopt.backend.data.splits import Data, Split
from tfopt.backend.data.vocabulary import vocabulary_size
from tfopt.backend.graph.layers import layer_type, nodes
from tfopt.backend.types import ExampleArray
from tfopt.core.language.wording import counted
from tfopt.errors import StageError

_TABLES = frozenset({"Embedding", "TiedEmbedding", "ReversibleEmbedding"})
_SHARE_UNUSED = 0.1
"""Share of rows without a token from which on it is worth a warning; tables are often rounded up a little."""


def check_vocabulary(model: tf_keras.Model, data: Data) -> list[str]:
    """Compares the ids of integer inputs with the tables that read them.

    Args:
        model: built; its inputs have the names or the order of the data's.
        data: the examples, and the tokenizer that made them.

    Returns:
        Warnings: tables with many rows that no id reads.

    Raises:
        StageError: a table has too few rows, or ids are negative.
    """
    splits = [_by_name(split, model) for split in (data.train, data.validation, data.test)]
    warnings = []
    for name, array in splits[0].items():
        tables = list(_tables(model, name))
        if not tables or not np.issubdtype(array.dtype, np.integer):
            continue
        arrays = [split[name] for split in splits]
        if (least := min(extremes(each)[0] for each in arrays)) < 0:
            raise StageError(
                f"The input {name!r} of {model.name!r} holds {least}, but {tables[0][0]!r} reads ids.",
                "Ids count from 0.",
                code="invalid_data",
            )
        of_tokenizer = _holds_tokens(data, name)
        count = (vocabulary_size(data) or 0) if of_tokenizer else max(extremes(each)[1] for each in arrays) + 1
        for layer, rows in tables:
            if rows < count:
                why = f"the tokenizer has {counted(count, 'token')}" if of_tokenizer else f"an id is {count - 1}"
                raise StageError(
                    f"The layer {layer!r} of {model.name!r} has {counted(rows, 'row')}, but {why}.",
                    f"Give the layer {count} rows (models of tfopt: model.args.vocabulary_size), or use the tokenizer "
                    "that the model was made for.",
                    code="incompatible_shapes",
                )
            if of_tokenizer and rows - count > _SHARE_UNUSED * rows:
                warnings.append(
                    f"{layer} has {rows:,} rows, but the tokenizer {count:,} tokens: {1 - count / rows:.0%} of the "
                    "rows are never read."
                )
    return warnings


def _by_name(split: Split, model: tf_keras.Model) -> Mapping[str, ExampleArray]:
    return split.inputs if isinstance(split.inputs, dict) else {model.input_names[0]: split.inputs}


def _holds_tokens(data: Data, name: str) -> bool:
    return data.text is not None and (data.text.inputs is None or data.text.inputs[name] == "ids")


def _tables(model: tf_keras.Model, name: str) -> Iterator[tuple[str, int]]:
    """Name and rows of each table that reads an input, nested models included."""
    for node in nodes(model):
        positions = [
            position for position, tensor in enumerate(node.keras_inputs) if tensor._keras_history.layer.name == name
        ]
        layer = getattr(node.layer, "wrapped", node.layer)
        if not positions:
            continue
        if isinstance(node.layer, tf_keras.Model):
            for position in positions:
                yield from _tables(node.layer, node.layer.input_names[position])
        elif layer_type(node.layer) in _TABLES and isinstance(getattr(layer, "input_dim", None), int):
            yield node.layer.name, layer.input_dim
