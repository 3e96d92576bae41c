"""`tf.reshape`, `tf.expand_dims`, `tf.squeeze`, `tf.transpose` and `tf.pad` as layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from tf_keras import layers

from tfopt.backend.quantization.canonical.rewrites.operator import Build, OperatorAsLayer

_RESHAPES = frozenset({"reshape", "expand_dims", "squeeze", "compat.v1.squeeze"})
_IMAGE_RANK = 4


class Shape(OperatorAsLayer):
    """The batch stays the first axis, and all others are known."""

    def layer(self, symbol: str, arguments: Mapping[str, Any], inputs: tuple[Any, ...], output: Any) -> Build | None:
        before, after = inputs[0].shape[1:], output.shape[1:]
        known = before.is_fully_defined() and after.is_fully_defined()
        if symbol not in _RESHAPES or len(inputs) != 1 or not known:
            return None
        if before.num_elements() != after.num_elements():
            return None
        return lambda name: layers.Reshape(tuple(after), name=name)


class Transpose(OperatorAsLayer):
    def layer(self, symbol: str, arguments: Mapping[str, Any], inputs: tuple[Any, ...], output: Any) -> Build | None:
        if not symbol.endswith("transpose") or len(inputs) != 1 or arguments.get("perm") is None:
            return None
        first, *rest = (int(axis) for axis in arguments["perm"])
        return None if first else lambda name: layers.Permute(rest, name=name)


class Padding(OperatorAsLayer):
    def layer(self, symbol: str, arguments: Mapping[str, Any], inputs: tuple[Any, ...], output: Any) -> Build | None:
        if symbol not in ("pad", "compat.v1.pad") or len(inputs) != 1 or arguments["mode"].upper() != "CONSTANT":
            return None
        sizes = np.asarray(arguments["paddings"])
        if arguments["constant_values"] != 0 or sizes.shape != (_IMAGE_RANK, 2) or sizes[[0, -1]].any():
            return None
        height, width = sizes[1:3].tolist()
        return lambda name: layers.ZeroPadding2D((tuple(height), tuple(width)), name=name)
