"""Blocks of layers that become zero as a whole: which layers are a block, and which blocks go."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import tf_keras

from tfopt.backend.graph.layers import containers, layer_type
from tfopt.backend.pruning.heads import num_gone
from tfopt.backend.pruning.masks import PruneByOptimizer
from tfopt.core.config.pruning import PruneRule


def block_of(layer: tf_keras.layers.Layer, rule: PruneRule, model: tf_keras.Model) -> str:
    """What the parentheses of a rule say in the name of a layer, or of the nested model around it.

    Args:
        layer: of the model; the rule matches it.
        rule: as written in the recipe.
        model: the model.
    """
    around = [name for name, kind in reversed(containers(model)[layer.name]) if rule.type in (None, kind)]
    own = [layer.name] if rule.type in (None, layer_type(layer)) else []
    matches = (re.fullmatch(rule.match, name) for name in (*own, *around))
    return next(str(match.group(1)) for match in matches if match is not None)


def block_shares(wrappers: Sequence[PruneByOptimizer], blocks: Mapping[str, str], sparsity: float) -> list[float]:
    """1 for each layer of a block that becomes zero, else 0.

    The blocks with the smallest mean scores go; one stays.

    Args:
        wrappers: the layers of all blocks.
        blocks: the block of each layer, by the wrapped layer's name.
        sparsity: share of the blocks that become zero.
    """
    scores: dict[str, list[np.ndarray]] = {}
    for wrapper in wrappers:
        found = [wrapper.criterion.scores(weight).numpy().ravel() for weight, _, _ in wrapper.pruning_vars]
        scores.setdefault(blocks[wrapper.layer.name], []).extend(found)
    means = {name: float(np.concatenate(found).mean()) for name, found in scores.items()}
    gone = sorted(means, key=lambda name: means[name])[: num_gone(len(means), sparsity)]
    return [float(blocks[wrapper.layer.name] in gone) for wrapper in wrappers]
