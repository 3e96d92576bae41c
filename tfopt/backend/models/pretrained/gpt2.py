"""The layout of GPT-2, whose kernels are (inputs, outputs) already, those of queries, keys and values in one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tfopt.backend.models.pretrained.layout import ACTIVATIONS, Layout, Part, Reader, Sizes, norm, third


def _sizes(config: Mapping[str, object]) -> Sizes:
    read = Reader(config)
    for key, wanted in (
        ("scale_attn_weights", True),
        ("scale_attn_by_inverse_layer_idx", False),
        ("add_cross_attention", False),
        ("tie_word_embeddings", True),
    ):
        read.demand(key, wanted)
    width = read.number("n_embd")
    return Sizes(
        width,
        read.number("n_layer"),
        read.number("n_head"),
        read.number("n_inner", 4 * width),
        read.number("n_positions"),
        read.number("vocab_size"),
        read.choice("activation_function", "gelu_new", ACTIVATIONS),
        read.real("layer_norm_epsilon", 1e-5),
    )


def _parts(sizes: Sizes) -> Sequence[Part]:
    width = sizes.width
    parts = [
        Part("token_embedding", "embeddings", "wte.weight", (sizes.tokens, width)),
        Part("position_embedding", "embeddings", "wpe.weight", (sizes.positions, width)),
        *norm("final_norm", "ln_f", width),
    ]
    for number in range(sizes.blocks):
        block, name = f"block{number + 1}", f"h.{number}"
        parts += norm(f"{block}_attention_norm", f"{name}.ln_1", width)
        for index, role in enumerate(("query", "key", "value")):
            layer, path = f"{block}_attention", f"_{role}_dense"
            joined = f"{name}.attn.c_attn"
            parts.append(Part(layer, f"{path}.kernel", f"{joined}.weight", (width, 3 * width), third(index)))
            parts.append(Part(layer, f"{path}.bias", f"{joined}.bias", (3 * width,), third(index)))
        parts += _conv1d(f"{block}_attention", f"{name}.attn.c_proj", width, width, "_output_dense.")
        parts += norm(f"{block}_feed_forward_norm", f"{name}.ln_2", width)
        parts += _conv1d(f"{block}_feed_forward1", f"{name}.mlp.c_fc", width, sizes.hidden)
        parts += _conv1d(f"{block}_feed_forward2", f"{name}.mlp.c_proj", sizes.hidden, width)
    return parts


def _conv1d(layer: str, name: str, inputs: int, outputs: int, path: str = "") -> list[Part]:
    """The parts of what GPT-2 calls Conv1D."""
    return [
        Part(layer, f"{path}kernel", f"{name}.weight", (inputs, outputs)),
        Part(layer, f"{path}bias", f"{name}.bias", (outputs,)),
    ]


LAYOUT = Layout(
    prefix="transformer.",
    sizes=_sizes,
    parts=_parts,
    ignored=("lm_head.weight", "h.*.attn.bias", "h.*.attn.masked_bias", "score.weight"),
)
