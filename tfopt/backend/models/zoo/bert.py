"""BERT as a classifier of texts, tiny to base; with weights of BERT, MiniLM or DistilBERT from a folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import tensorflow as tf
import tf_keras
from tf_keras import layers

from tfopt.backend.models.pretrained import bert, distilbert
from tfopt.backend.models.pretrained.assign import Pretrained, assign, check_parts, open_pretrained
from tfopt.backend.models.pretrained.layout import Part, Sizes
from tfopt.backend.models.zoo._parts import ExampleShape, Output, classifier
from tfopt.backend.models.zoo._transformer import (
    Activation,
    Pooling,
    check_choice,
    check_heads,
    dropped,
    embedded,
    encoder_block,
    initial,
    known_vocabulary,
    pooled,
    refuse_argument,
    token_input,
)
from tfopt.backend.text.tokenizer import Tokenizer
from tfopt.errors import StageError

Size = Literal["tiny", "mini", "small", "medium", "base"]
_NAME = "bert"
_LAYOUTS = {"bert": bert.LAYOUT, "distilbert": distilbert.LAYOUT}
_NAMES = ("token_ids", "segment_ids")


def _sizes(width: int, blocks: int, heads: int) -> Sizes:
    return Sizes(width, blocks, heads, 4 * width, 512, 30_522, "gelu", 1e-12)


_SIZES: Mapping[str, Sizes] = {
    "tiny": _sizes(128, 2, 2),
    "mini": _sizes(256, 4, 4),
    "small": _sizes(512, 4, 8),
    "medium": _sizes(512, 8, 8),
    "base": _sizes(768, 12, 12),
}
"""Of Turc et al. 2019, arXiv:1908.08962."""


def build(
    input_shape: ExampleShape,
    num_outputs: int,
    *,
    vocabulary_size: int | None = None,
    tokenizer: Tokenizer | None = None,
    weights: str | None = None,
    keep_blocks: Sequence[int] | None = None,
    head: Literal["new", "stored"] = "new",
    size: Size | None = None,
    width: int | None = None,
    blocks: int | None = None,
    heads: int | None = None,
    feed_forward_width: int | None = None,
    pooling: Pooling = "cls",
    pooler: bool | None = None,
    activation: Activation | None = None,
    dropout: float = 0.1,
    output: Output = "softmax",
) -> tf_keras.Model:
    """The encoder of Devlin et al. 2019, arXiv:1810.04805, and a classifier.

    Args:
        input_shape: (positions,) of token ids, 0 for padding; or `token_ids` and `segment_ids` by name.
        num_outputs: classes.
        vocabulary_size: tokens; known from the data.
        tokenizer: of the data; finds the row of each token in the folder.
        weights: folder with `config.json` and `model.safetensors` of BERT, MiniLM or DistilBERT, relative to the
            recipe; or `package:folder` of an installed package. It says all sizes.
        keep_blocks: numbers of the folder's blocks that are kept, from 1; all by default.
        head: last layers with random weights, or those of the folder's classifier.
        size: tiny (the default without a folder), mini, small, medium or base; the next arguments change it.
        width: of the vectors.
        blocks: number of them.
        heads: of attention.
        feed_forward_width: of the hidden layer in a block.
        pooling: the first vector (cls), or the mean of all vectors but those of padding.
        pooler: a Dense layer behind the first vector; by default where the folder has one, and without a folder.
        activation: of the feed-forward layers; gelu by default.
        dropout: share dropped in training.
        output: what follows the layer `logits`.
    """
    check_choice(_NAME, "pooling", pooling, ("cls", "mean"))
    check_choice(_NAME, "head", head, ("new", "stored"))
    inputs, length = _inputs(input_shape)
    given = {"width": width, "blocks": blocks, "heads": heads, "hidden": feed_forward_width, "activation": activation}
    stored = None
    if weights is None:
        refuse_argument(_NAME, "keep_blocks", keep_blocks, "there are no weights")
        refuse_argument(_NAME, "head", None if head == "new" else head, "there are no weights")
        sizes = _chosen(size or "tiny", given, vocabulary_size)
    else:
        refuse_argument(_NAME, "size", size, "the folder of weights says all sizes")
        stored = open_pretrained(weights, _LAYOUTS, _NAME, given, length, keep_blocks, tokenizer, vocabulary_size)
        sizes = stored.sizes
    if pooling == "mean":
        refuse_argument(_NAME, "pooler", pooler or None, "pooling is mean")
        refuse_argument(_NAME, "head", None if head == "new" else head, "pooling is mean")
    pools = pooling == "cls" and (stored is None or stored.has_pooler if pooler is None else pooler)
    further = [] if stored is None else _further(stored, pools, head == "stored", num_outputs)
    x = dropped(embedded(inputs, length, sizes), dropout, "embedding_dropout")
    for number in range(1, sizes.blocks + 1):
        x = encoder_block(x, f"block{number}", sizes, dropout)
    x = pooled(x, pooling)
    if pools:
        function = "tanh" if stored is None else stored.layout.pooler_activation
        x = layers.Dense(sizes.width, function, kernel_initializer=initial(), name="pooler")(x)
    x = dropped(x, dropout, "dropout")
    model = classifier(inputs if len(inputs) > 1 else inputs[0], x, num_outputs, output, _NAME)
    if stored is not None:
        assign(model, stored, further)
    return model


def _inputs(input_shape: ExampleShape | Mapping[str, ExampleShape]) -> tuple[list[tf.Tensor], int]:
    """Inputs of token ids and, where the data have them, of segment ids; and the number of positions."""
    if not isinstance(input_shape, Mapping):
        inputs, length = token_input(input_shape, _NAME)
        return [inputs], length
    if set(input_shape) != set(_NAMES) or input_shape["token_ids"] != input_shape["segment_ids"]:
        raise StageError(
            f"The model {_NAME} expects token ids, or {' and '.join(_NAMES)} by name; the examples have "
            f"{', '.join(input_shape)}.",
            "It computes the mask of padding from token id 0 itself: leave a mask out.",
            code="incompatible_shapes",
        )
    _, length = token_input(input_shape["token_ids"], _NAME)
    return [layers.Input((length,), name=name, dtype="int32") for name in _NAMES], length


def _chosen(size: str, given: Mapping[str, Any], vocabulary_size: int | None) -> Sizes:
    """The sizes of a model without a folder."""
    check_choice(_NAME, "size", size, tuple(_SIZES))
    tokens = known_vocabulary(_NAME, vocabulary_size)
    chosen = {name: value for name, value in given.items() if value is not None}
    if "width" in chosen:
        chosen = {"hidden": 4 * chosen["width"], **chosen}
    sizes = replace(_SIZES[size], tokens=tokens, **chosen)
    check_heads(_NAME, sizes.width, sizes.heads)
    return sizes


def _further(stored: Pretrained, pools: bool, head: bool, num_outputs: int) -> list[Part]:
    """The parts behind the blocks that come from the folder."""
    layout = stored.layout
    further: list[Part] = []
    if pools and stored.has_pooler:
        further += layout.pooler(stored.stored)
    if head:
        further += layout.head(stored.stored, num_outputs)
        check_parts(stored, further, f"args.head of the model {_NAME}, which is stored,")
    return further
