"""BERT, DistilBERT and GPT-2 in NumPy, for one text, from the tensors of a folder; float64 throughout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.special import erf

from tfopt.backend.types import Array

Tensors = Mapping[str, Array]


def bert(t: Tensors, ids: Sequence[int], heads: int, segments: Sequence[int] | None = None) -> Array:
    """The last vectors of BERT, (positions, width); id 0 is padding."""
    ids, kinds = np.asarray(ids), np.asarray(segments or [0] * len(ids))
    x = t["embeddings.word_embeddings.weight"][ids].astype(np.float64)
    x = x + t["embeddings.position_embeddings.weight"][: len(ids)] + t["embeddings.token_type_embeddings.weight"][kinds]
    x = norm(x, t, "embeddings.LayerNorm", 1e-12)
    for number in range(_count(t, "encoder.layer.{}.output.dense.bias")):
        name = f"encoder.layer.{number}"
        inner = [linear(x, t, f"{name}.attention.self.{role}") for role in ("query", "key", "value")]
        context = linear(attention(*inner, heads, ids != 0), t, f"{name}.attention.output.dense")
        x = norm(x + context, t, f"{name}.attention.output.LayerNorm", 1e-12)
        hidden = gelu(linear(x, t, f"{name}.intermediate.dense"))
        x = norm(x + linear(hidden, t, f"{name}.output.dense"), t, f"{name}.output.LayerNorm", 1e-12)
    return x


def bert_classifier(t: Tensors, ids: Sequence[int], heads: int) -> Array:
    """Logits of BertForSequenceClassification."""
    return linear(np.tanh(linear(bert(t, ids, heads)[0], t, "pooler.dense")), t, "classifier")


def distilbert_classifier(t: Tensors, ids: Sequence[int], heads: int) -> Array:
    """Logits of DistilBertForSequenceClassification."""
    ids = np.asarray(ids)
    x = t["embeddings.word_embeddings.weight"][ids] + t["embeddings.position_embeddings.weight"][: len(ids)]
    x = norm(x.astype(np.float64), t, "embeddings.LayerNorm", 1e-12)
    for number in range(_count(t, "transformer.layer.{}.ffn.lin1.bias")):
        name = f"transformer.layer.{number}"
        inner = [linear(x, t, f"{name}.attention.{role}_lin") for role in ("q", "k", "v")]
        context = linear(attention(*inner, heads, ids != 0), t, f"{name}.attention.out_lin")
        x = norm(x + context, t, f"{name}.sa_layer_norm", 1e-12)
        hidden = linear(gelu(linear(x, t, f"{name}.ffn.lin1")), t, f"{name}.ffn.lin2")
        x = norm(x + hidden, t, f"{name}.output_layer_norm", 1e-12)
    return linear(np.maximum(linear(x[0], t, "pre_classifier"), 0), t, "classifier")


def gpt2(t: Tensors, ids: Sequence[int], heads: int) -> Array:
    """Logits of GPT-2, (positions, tokens)."""
    ids = np.asarray(ids)
    x = (t["wte.weight"][ids] + t["wpe.weight"][: len(ids)]).astype(np.float64)
    for number in range(_count(t, "h.{}.ln_1.bias")):
        name = f"h.{number}"
        joined = conv1d(norm(x, t, f"{name}.ln_1", 1e-5), t, f"{name}.attn.c_attn")
        x = x + conv1d(attention(*np.split(joined, 3, axis=-1), heads, causal=True), t, f"{name}.attn.c_proj")
        hidden = gelu_tanh(conv1d(norm(x, t, f"{name}.ln_2", 1e-5), t, f"{name}.mlp.c_fc"))
        x = x + conv1d(hidden, t, f"{name}.mlp.c_proj")
    return norm(x, t, "ln_f", 1e-5) @ t["wte.weight"].T


def attention(
    query: Array, key: Array, value: Array, heads: int, seen: Array | None = None, causal: bool = False
) -> Array:
    """Joined heads, (positions, width)."""
    size = query.shape[-1] // heads
    joined = []
    for head in range(heads):
        part = slice(head * size, (head + 1) * size)
        scores = query[:, part] @ key[:, part].T / np.sqrt(size)
        allowed = np.tri(len(scores), dtype=bool) if causal else np.broadcast_to(seen, scores.shape)
        weights = np.where(allowed, np.exp(scores - scores.max(-1, keepdims=True)), 0)
        joined.append(weights / weights.sum(-1, keepdims=True) @ value[:, part])
    return np.concatenate(joined, axis=-1)


def linear(x: Array, t: Tensors, name: str) -> Array:
    """Linear of PyTorch."""
    return x @ t[f"{name}.weight"].T + t[f"{name}.bias"]


def conv1d(x: Array, t: Tensors, name: str) -> Array:
    """Conv1D of GPT-2."""
    return x @ t[f"{name}.weight"] + t[f"{name}.bias"]


def norm(x: Array, t: Tensors, name: str, epsilon: float) -> Array:
    """Layer normalization."""
    centered = x - x.mean(-1, keepdims=True)
    scaled = centered / np.sqrt((centered**2).mean(-1, keepdims=True) + epsilon)
    return scaled * t[f"{name}.weight"] + t[f"{name}.bias"]


def gelu(x: Array) -> Array:
    """The exact one."""
    return x / 2 * (1 + erf(x / np.sqrt(2)))


def gelu_tanh(x: Array) -> Array:
    """That of GPT-2."""
    return x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def _count(t: Tensors, pattern: str) -> int:
    return next(number for number in range(100) if pattern.format(number) not in t)
