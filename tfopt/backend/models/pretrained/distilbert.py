"""The layout of DistilBERT: BERT without segments and pooler."""

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
    return Sizes(
        read.number("dim"),
        read.number("n_layers"),
        read.number("n_heads"),
        read.number("hidden_dim"),
        read.number("max_position_embeddings"),
        read.number("vocab_size"),
        read.choice("activation", "gelu", ACTIVATIONS),
        1e-12,
    )


def _parts(sizes: Sizes) -> Sequence[Part]:
    width = sizes.width
    parts = [
        Part("token_embedding", "embeddings", "embeddings.word_embeddings.weight", (sizes.tokens, width)),
        Part("position_embedding", "embeddings", "embeddings.position_embeddings.weight", (sizes.positions, width)),
        *norm("embedding_norm", "embeddings.LayerNorm", width),
    ]
    for number in range(sizes.blocks):
        block, name = f"block{number + 1}", f"transformer.layer.{number}"
        roles = {"query": "q_lin", "key": "k_lin", "value": "v_lin", "output": "out_lin"}
        parts += projections(block, {role: f"{name}.attention.{lin}" for role, lin in roles.items()}, width)
        parts += norm(f"{block}_attention_norm", f"{name}.sa_layer_norm", width)
        parts += dense(f"{block}_feed_forward1", f"{name}.ffn.lin1", width, sizes.hidden)
        parts += dense(f"{block}_feed_forward2", f"{name}.ffn.lin2", sizes.hidden, width)
        parts += norm(f"{block}_feed_forward_norm", f"{name}.output_layer_norm", width)
    return parts


LAYOUT = Layout(
    prefix="distilbert.",
    sizes=_sizes,
    parts=_parts,
    ignored=("vocab_*", "pre_classifier.*", "classifier.*", "qa_outputs.*", "embeddings.position_ids"),
    pooler_activation="relu",
    head=lambda sizes, classes: dense("logits", "classifier", sizes.width, classes),
    pooler=lambda sizes: dense("pooler", "pre_classifier", sizes.width, sizes.width),
)
