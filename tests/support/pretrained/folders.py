"""Folders of BERT, DistilBERT and GPT-2 with random weights: 2 blocks of width 8 with 2 heads, 11 tokens."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tfopt.backend.types import Array

WIDTH, HIDDEN, HEADS, BLOCKS, TOKENS, POSITIONS = 8, 12, 2, 2, 11, 10
CONFIGS: Mapping[str, Mapping[str, Any]] = {
    "bert": {
        "model_type": "bert",
        "hidden_size": WIDTH,
        "num_hidden_layers": BLOCKS,
        "num_attention_heads": HEADS,
        "intermediate_size": HIDDEN,
        "max_position_embeddings": POSITIONS,
        "vocab_size": TOKENS,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-12,
    },
    "distilbert": {
        "model_type": "distilbert",
        "dim": WIDTH,
        "n_layers": BLOCKS,
        "n_heads": HEADS,
        "hidden_dim": HIDDEN,
        "max_position_embeddings": POSITIONS,
        "vocab_size": TOKENS,
        "activation": "gelu",
    },
    "gpt2": {
        "model_type": "gpt2",
        "n_embd": WIDTH,
        "n_layer": BLOCKS,
        "n_head": HEADS,
        "n_inner": HIDDEN,
        "n_positions": POSITIONS,
        "vocab_size": TOKENS,
        "activation_function": "gelu_new",
        "layer_norm_epsilon": 1e-5,
    },
}


def tensors(kind: str) -> dict[str, Array]:
    """Random tensors with the names and shapes of an architecture, with its prefix left out."""
    shapes = {"bert": _bert, "distilbert": _distilbert, "gpt2": _gpt2}[kind]()
    random = np.random.RandomState(3)
    made = {name: random.normal(0, 0.4, shape).astype(np.float32) for name, shape in shapes.items()}
    return {name: values + (1 if _is_scale(name) else 0) for name, values in made.items()}


def write(folder: Path, kind: str, values: Mapping[str, Array], prefix: str = "", **config: Any) -> Path:
    """Writes a folder, and returns it."""
    from safetensors.numpy import save_file

    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({**CONFIGS[kind], **config}))
    save_file(
        {f"{prefix}{name}": np.ascontiguousarray(one) for name, one in values.items()}, folder / "model.safetensors"
    )
    return folder


def _is_scale(name: str) -> bool:
    return name.endswith("weight") and any(part in name for part in ("LayerNorm", "layer_norm", "ln_"))


def _linear(name: str, inputs: int, outputs: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def _conv1d(name: str, inputs: int, outputs: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (inputs, outputs), f"{name}.bias": (outputs,)}


def _norm(name: str) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (WIDTH,), f"{name}.bias": (WIDTH,)}


def _bert() -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (TOKENS, WIDTH),
        "embeddings.position_embeddings.weight": (POSITIONS, WIDTH),
        "embeddings.token_type_embeddings.weight": (2, WIDTH),
        **_norm("embeddings.LayerNorm"),
        **_linear("pooler.dense", WIDTH, WIDTH),
        **_linear("classifier", WIDTH, 3),
    }
    for number in range(BLOCKS):
        name = f"encoder.layer.{number}"
        for role in ("self.query", "self.key", "self.value", "output.dense"):
            shapes |= _linear(f"{name}.attention.{role}", WIDTH, WIDTH)
        shapes |= _norm(f"{name}.attention.output.LayerNorm") | _norm(f"{name}.output.LayerNorm")
        shapes |= _linear(f"{name}.intermediate.dense", WIDTH, HIDDEN)
        shapes |= _linear(f"{name}.output.dense", HIDDEN, WIDTH)
    return shapes


def _distilbert() -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (TOKENS, WIDTH),
        "embeddings.position_embeddings.weight": (POSITIONS, WIDTH),
        **_norm("embeddings.LayerNorm"),
        **_linear("pre_classifier", WIDTH, WIDTH),
        **_linear("classifier", WIDTH, 3),
    }
    for number in range(BLOCKS):
        name = f"transformer.layer.{number}"
        for role in ("q_lin", "k_lin", "v_lin", "out_lin"):
            shapes |= _linear(f"{name}.attention.{role}", WIDTH, WIDTH)
        shapes |= _norm(f"{name}.sa_layer_norm") | _norm(f"{name}.output_layer_norm")
        shapes |= _linear(f"{name}.ffn.lin1", WIDTH, HIDDEN) | _linear(f"{name}.ffn.lin2", HIDDEN, WIDTH)
    return shapes


def _gpt2() -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {
        "wte.weight": (TOKENS, WIDTH),
        "wpe.weight": (POSITIONS, WIDTH),
        **_norm("ln_f"),
    }
    for number in range(BLOCKS):
        name = f"h.{number}"
        shapes |= _norm(f"{name}.ln_1") | _norm(f"{name}.ln_2")
        shapes |= _conv1d(f"{name}.attn.c_attn", WIDTH, 3 * WIDTH) | _conv1d(f"{name}.attn.c_proj", WIDTH, WIDTH)
        shapes |= _conv1d(f"{name}.mlp.c_fc", WIDTH, HIDDEN) | _conv1d(f"{name}.mlp.c_proj", HIDDEN, WIDTH)
    return shapes
