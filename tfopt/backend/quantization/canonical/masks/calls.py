"""One call of a layer with its masks, as the rules of `rules` see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import tensorflow as tf
from tf_keras import layers

from tfopt.backend.quantization.canonical.replay import Args, Kwargs
from tfopt.backend.quantization.canonical.rewrite import RewriteSite
from tfopt.backend.types import Nested

Mask: TypeAlias = tf.Tensor | None
Result: TypeAlias = tuple[Nested, Mask | list[Mask]]
"""The outputs of a call, and the mask of the first one, or of each."""


@dataclass(frozen=True)
class MaskedCall:
    """A call of which an input has a mask, or whose output gets one.

    Args:
        site: the layer in the old model; makes layers of the new one.
        args: of the call, with tensors of the new model.
        kwargs: of the call, without `mask`.
        mask: mask of the first argument, in its structure (a list for a list); given as `mask=`, or passed along.
        mask_of: the mask of a tensor of the new model.
        copier: see `copy`.
    """

    site: RewriteSite
    args: Args
    kwargs: Kwargs
    mask: Nested
    mask_of: Callable[[tf.Tensor], Mask]
    copier: Callable[[layers.Layer, Mapping[str, object], type[layers.Layer] | None], layers.Layer]

    @property
    def layer(self) -> layers.Layer:
        """The layer in the old model."""
        return self.site.layer

    @property
    def inputs(self) -> list[tf.Tensor]:
        """The tensors of the first argument."""
        return list(tf.nest.flatten(self.args[0]))

    @property
    def masks(self) -> list[Mask]:
        """The mask of each of `inputs`."""
        masks = self.mask if isinstance(self.mask, list | tuple) else [self.mask]
        return [*masks, *[None] * (len(self.inputs) - len(masks))]

    def copy(self, changes: Mapping[str, object], kind: type[layers.Layer] | None = None) -> layers.Layer:
        """The layer's copy, made once; its weights are set when the model is complete.

        Args:
            changes: keys of its configuration with other values.
            kind: a class with the same weights, if not its own.
        """
        return self.copier(self.layer, changes, kind)

    def plain(self) -> Nested:
        """The outputs of the layer itself, which gets no mask."""
        return self.copy({})(*self.args, **self.kwargs)

    def made(self, suffix: str, kind: type[layers.Layer], **config: Any) -> layers.Layer:
        """A new layer for this one, made once however often the old one is called."""
        return self.site.make(suffix, lambda name: kind(name=name, **config))
