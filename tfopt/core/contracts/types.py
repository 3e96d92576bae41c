"""Types of backend objects that stages and exports exchange and core cannot name.

Core may not import TensorFlow, and a Protocol in place of `tf_keras.Model` would not be accepted by the backend's
functions, which are typed with the class itself. So these two are `Any`, here and nowhere else in the contracts.
"""

from __future__ import annotations

from typing import Any, TypeAlias

Model: TypeAlias = Any
"""A built `tf_keras.Model`, or, after a stage that quantizes, a `tfopt.backend.quantization.Quantized`."""

Data: TypeAlias = Any
"""The splits: a `tfopt.backend.data.splits.Data`."""
