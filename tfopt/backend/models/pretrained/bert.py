"""The layout of BERT, which MiniLM and most small encoders have, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tfopt.backend.models.pretrained.layout import (
    ACTIVATIONS,
    Layout,
    Part,
    Reader,
    Sizes,
    dense,
    norm,
    projections,
)


def _sizes(config: Mapping[str, object]) -> Sizes:
    read = Reader(config)
    read.demand("position_embedding_type", "absolute")
    read.demand("is_decoder", False)
    width = read.number("hidden_size")
    return Sizes(
        width,
        read.number("num_hidden_layers"),
        read.number("num_attention_heads"),
        read.number("intermediate_size"),
        read.number("max_position_embeddings"),
        read.number("vocab_size"),
        read.choice("hidden_act", "gelu", ACTIVATIONS),
        read.real("layer_norm_eps", 1e-12),
    )


def _parts(sizes: Sizes) -> Sequence[Part]:
    width = sizes.width
    parts = [
        Part("token_embedding", "embeddings", "embeddings.word_embeddings.weight", (sizes.tokens, width)),
        Part("position_embedding", "embeddings", "embeddings.position_embeddings.weight", (sizes.positions, width)),
        *norm("embedding_norm", "embeddings.LayerNorm", width),
    ]
    for number in range(sizes.blocks):
        block, name = f"block{number + 1}", f"encoder.layer.{number}"
        inner = {role: f"{name}.attention.self.{role}" for role in ("query", "key", "value")}
        parts += projections(block, {**inner, "output": f"{name}.attention.output.dense"}, width)
        parts += norm(f"{block}_attention_norm", f"{name}.attention.output.LayerNorm", width)
        parts += dense(f"{block}_feed_forward1", f"{name}.intermediate.dense", width, sizes.hidden)
        parts += dense(f"{block}_feed_forward2", f"{name}.output.dense", sizes.hidden, width)
        parts += norm(f"{block}_feed_forward_norm", f"{name}.output.LayerNorm", width)
    return parts


LAYOUT = Layout(
    prefix="bert.",
    sizes=_sizes,
    parts=_parts,
    ignored=("cls.*", "classifier.*", "qa_outputs.*", "pooler.*", "embeddings.position_ids", "*.token_type_ids"),
    head=lambda sizes, classes: dense("logits", "classifier", sizes.width, classes),
    pooler=lambda sizes: dense("pooler", "pooler.dense", sizes.width, sizes.width),
    segments="embeddings.token_type_embeddings.weight",
)
