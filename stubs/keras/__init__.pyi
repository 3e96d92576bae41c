"""The types of Keras 3 that matter here; every name that is not listed is Any (see tfopt/backend/types.py)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import layers as layers
from keras.layers import Layer as _Layer
from keras.layers import Operation as Operation

class KerasTensor:
    name: str
    shape: tuple[int | None, ...]
    dtype: str
    sparse: bool
    _keras_history: Any
    def __init__(self, shape: Any, dtype: str = ..., **kwargs: Any) -> None: ...
    def __getitem__(self, key: Any) -> KerasTensor: ...

class Variable:
    name: str
    path: str
    shape: tuple[int, ...]
    dtype: str
    trainable: bool
    constraint: Any
    regularizer: Any
    value: Any  # the tf.Variable, with the TensorFlow backend
    def assign(self, value: Any) -> Any: ...
    def numpy(self) -> np.ndarray[Any, np.dtype[Any]]: ...

class Model(_Layer):
    layers: list[_Layer]
    inputs: list[KerasTensor]
    outputs: list[KerasTensor]
    operations: list[Operation]
    def __init__(self, inputs: Any = ..., outputs: Any = ..., **kwargs: Any) -> None: ...
    def save(self, filepath: Any, **kwargs: Any) -> None: ...

class Sequential(Model):
    def __init__(self, layers: Sequence[Any] | None = ..., **kwargs: Any) -> None: ...
    def add(self, layer: Any) -> None: ...

def __getattr__(name: str) -> Any: ...
