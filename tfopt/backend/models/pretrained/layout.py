"""What a layout of Transformers is: the sizes that its configuration says, and where each tensor goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tfopt.backend.types import Array
from tfopt.errors import StageError


@dataclass(frozen=True)
class Sizes:
    """Of the model in a folder.

    Args:
        width: of the vectors.
        blocks: number of them.
        heads: of attention.
        hidden: width of the hidden layer in a block.
        positions: that there are vectors for.
        tokens: rows of the embedding.
        activation: as `zoo._transformer.Activation`.
        epsilon: of the normalization.
    """

    width: int
    blocks: int
    heads: int
    hidden: int
    positions: int
    tokens: int
    activation: str
    epsilon: float


def same(values: Array) -> Array:
    """As it is."""
    return values


def transposed(values: Array) -> Array:
    """A kernel: PyTorch's Linear has (outputs, inputs)."""
    return np.ascontiguousarray(values.T)


def third(number: int) -> Callable[[Array], Array]:
    """One of three parts of the last axis."""
    return lambda values: np.split(values, 3, axis=-1)[number]


@dataclass(frozen=True)
class Part:
    """One weight of a model of the zoo.

    Args:
        layer: its name.
        attribute: path of the variable in it.
        tensor: name in the folder, without the prefix of the architecture.
        shape: of the tensor in the folder.
        change: what the weight is made of the tensor by; it is reshaped afterwards.
    """

    layer: str
    attribute: str
    tensor: str
    shape: tuple[int, ...]
    change: Callable[[Array], Array] = same


@dataclass(frozen=True)
class Layout:
    """A layout of folders.

    Args:
        prefix: that names of tensors may begin with.
        sizes: of a configuration.
        parts: of a model with these sizes.
        ignored: patterns of names of tensors that may be there and are not used: heads for other tasks, constants.
        pooler: the parts of the layer between the first vector and a classifier; empty where the layout has none.
        pooler_activation: of that layer.
        head: the parts of a classifier, of sizes and number of classes; empty where the layout has none.
        segments: name of the embedding of segments, (segments, width), where the layout has one.
    """

    prefix: str
    sizes: Callable[[Mapping[str, object]], Sizes]
    parts: Callable[[Sizes], Sequence[Part]]
    ignored: tuple[str, ...]
    pooler: Callable[[Sizes], Sequence[Part]] = lambda sizes: ()
    pooler_activation: str = "tanh"
    head: Callable[[Sizes, int], Sequence[Part]] = lambda sizes, classes: ()
    segments: str | None = None


def projections(block: str, names: Mapping[str, str], width: int) -> list[Part]:
    """The parts of a MultiHeadAttention whose four projections are Linear layers of PyTorch.

    Args:
        block: the model's.
        names: of the Linear layers by `query`, `key`, `value` and `output`.
        width: of the vectors.
    """
    parts = []
    for role, name in names.items():
        layer = f"{block}_attention"
        parts.append(Part(layer, f"_{role}_dense.kernel", f"{name}.weight", (width, width), transposed))
        parts.append(Part(layer, f"_{role}_dense.bias", f"{name}.bias", (width,)))
    return parts


def dense(layer: str, name: str, inputs: int, outputs: int) -> list[Part]:
    """The parts of a Dense layer that is a Linear layer of PyTorch."""
    return [
        Part(layer, "kernel", f"{name}.weight", (outputs, inputs), transposed),
        Part(layer, "bias", f"{name}.bias", (outputs,)),
    ]


def norm(layer: str, name: str, width: int) -> list[Part]:
    """The parts of a LayerNormalization."""
    return [Part(layer, "gamma", f"{name}.weight", (width,)), Part(layer, "beta", f"{name}.bias", (width,))]


@dataclass(frozen=True)
class Reader:
    """Values of a configuration, each checked as it is read.

    Args:
        config: of the folder.
    """

    config: Mapping[str, object] = field(repr=False)

    def number(self, key: str, default: int | None = None) -> int:
        """A positive whole number.

        Raises:
            StageError: it is none.
        """
        value = self.config.get(key)
        value = default if value is None else value
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise StageError(
                f"config.json says {key}: {value!r}; expected a positive whole number.", code="data_unreadable"
            )
        return value

    def real(self, key: str, default: float) -> float:
        """A number.

        Raises:
            StageError: it is none.
        """
        value = self.config.get(key, default)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise StageError(f"config.json says {key}: {value!r}; expected a number.", code="data_unreadable")
        return float(value)

    def choice(self, key: str, default: str, meanings: Mapping[str, str]) -> str:
        """What a name means here.

        Raises:
            StageError: it is none of those that have a meaning.
        """
        value = self.config.get(key, default)
        if not isinstance(value, str) or value not in meanings:
            raise StageError(
                f"config.json says {key}: {value!r}, which is not supported.",
                f"Supported: {', '.join(meanings)}.",
                code="incompatible_model",
            )
        return meanings[value]

    def demand(self, key: str, wanted: object) -> None:
        """Whether a key is left out or has the one value that is supported.

        Raises:
            StageError: it has a different one.
        """
        if self.config.get(key, wanted) != wanted:
            raise StageError(
                f"config.json says {key}: {self.config[key]!r}, which is not supported.",
                f"Expected {wanted!r}.",
                code="incompatible_model",
            )


ACTIVATIONS = {
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "relu": "relu",
    "silu": "swish",
    "swish": "swish",
}
"""Names of Transformers, and those of the zoo."""
