"""The heads and blocks of a model that a prune stage made zero."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tf_keras

from tfopt.backend.graph.kernels import prunable_kernels
from tfopt.backend.graph.layers import leaf_layers
from tfopt.backend.pruning.heads import Heads, heads_of, num_gone
from tfopt.backend.pruning.plan import LayerPlan


def wrong_units(layer: tf_keras.layers.Layer, plan: LayerPlan, planned: float) -> list[str]:
    """What a layer that is pruned by heads or as a part of a block is, where that is not what was planned.

    Args:
        layer: free of its wrapper.
        plan: how it was pruned.
        planned: share of its heads, or 1 for a block that becomes zero and 0 for one that stays.
    """
    heads = heads_of(layer) if plan.pattern.unit == "head" else None
    if heads is not None:
        gone, wanted = len(heads.gone()), num_gone(heads.count, planned)
        return [f"{layer.name}: {gone} of {heads.count} heads instead of {wanted}"] if gone < wanted else []
    alive = sum(int(np.count_nonzero(kernel.numpy())) for kernel in prunable_kernels(layer))
    return [f"{layer.name}: {alive} weights of a block that should be zero"] if planned == 1 and alive else []


def units_details(model: tf_keras.Model, plans: Mapping[str, LayerPlan]) -> dict[str, object]:
    """Heads and blocks that are zero, for the report and for the claims of files (`tfopt.core.records.zero_units`).

    Args:
        model: free of wrappers.
        plans: how each layer was pruned, by its name.

    Returns:
        Under `zero_units`, nothing where no rule is about heads or blocks.
    """
    layers = {layer.name: layer for layer in leaf_layers(model)}
    heads: dict[str, object] = {}
    blocks: dict[tuple[int, str], list[str]] = {}
    kept: set[tuple[int, str]] = set()
    for name, plan in plans.items():
        if plan.pattern.unit == "head" and (found := heads_of(layers[name])) is not None:
            heads[name] = {"heads": found.count, "zero": list(found.gone()), "kernels": _kernels(found)}
        elif plan.block is not None:
            blocks.setdefault(plan.block, []).append(name)
            if any(np.any(kernel.numpy()) for kernel in prunable_kernels(layers[name])):
                kept.add(plan.block)
    several = len({rule for rule, _ in blocks}) > 1  # rules may number their blocks alike
    zero = {
        f"{block} (layers.{rule})" if several else block: names
        for (rule, block), names in blocks.items()
        if (rule, block) not in kept
    }
    return {"zero_units": {"heads": heads, "blocks": zero, "num_blocks": len(blocks)}} if heads or blocks else {}


def _kernels(heads: Heads) -> list[dict[str, object]]:
    """Where the zeros of each kernel are: which of how many slices, among its inputs or its outputs."""
    return [
        {
            "inputs": kernel.axis == 0,
            "slices": kernel.shape[kernel.axis],
            "zero": list(heads.gone_of(kernel)),
        }
        for kernel in heads.kernels
    ]
