"""The types that rooms of the backend share; each is defined here once. Needs no TensorFlow.

A model, a layer, a tensor, a variable and a dataset are named by their own library: `tf_keras.Model`,
`tf_keras.layers.Layer`, `tf.Tensor`, `tf.Variable`, `tf.data.Dataset`; those of Keras 3 as well (`keras.Model`, ...).
These libraries come without type information; `stubs/` at the root of the repository declares what is used of these
types, for mypy only. Every other name of the libraries is `Any` to mypy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias, TypedDict

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
"""A NumPy array of any shape and element type."""

Arrays: TypeAlias = Array | dict[str, Array]
"""Examples of a model with one input, or of one with several by their names."""


class ExampleArray(Protocol):
    """An array with one row per example, in memory or not: a NumPy array is one, and so is a folder of images that are
    decoded when they are read. Nothing but `[...]` reads examples.

    `tfopt.backend.data.arrays` has those that are not in memory, and what reads them in parts.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """Examples, then the axes of one example."""

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Type of the values."""

    @property
    def ndim(self) -> int:
        """Number of axes."""

    @property
    def nbytes(self) -> int:
        """Bytes that all examples would take in memory."""

    def __len__(self) -> int:
        """Number of examples."""

    def __getitem__(self, rows: Any, /) -> Any:
        """Examples at an index, in a slice, or at an array of positions, as NumPy arrays."""


ExampleArrays: TypeAlias = ExampleArray | dict[str, ExampleArray] | dict[str, Array]
"""Examples of a model with one input, or of one with several by their names, in memory or not."""

Examples: TypeAlias = tuple[Array, Array]
"""Inputs and targets of one split, as a data set's loader returns them."""

Shape: TypeAlias = tuple[int | None, ...]
"""A shape of a tensor; None is an axis whose size is open."""

Config: TypeAlias = Mapping[str, Any]
"""What `get_config()` of a layer returns: JSON values under the names of the constructor's arguments."""


class LayerArguments(TypedDict, total=False):
    """Arguments that every layer accepts: `def __init__(self, ..., **kwargs: Unpack[LayerArguments])`."""

    name: str | None
    trainable: bool
    dtype: object
    """A name of a type, a `tf.DType` or a policy."""


class SerializedLayer(TypedDict):
    """A layer as `layers.serialize` writes it; the keys that are read here."""

    class_name: str
    config: dict[str, object]


Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
"""A JSON value that is walked without a schema; `object` where nothing may be assumed of it."""

Nested: TypeAlias = Any
"""Tensors or arrays in any nesting of lists, tuples and dicts, as `tf.nest` and `keras.tree` accept it.

A recursive type would have to be narrowed at each use, although the nesting follows from the model, not from the code.
"""
