"""Whether masking units and removing them is the same, on any model."""

from __future__ import annotations

import numpy as np
import tf_keras

from tfopt.backend.equivalence import Tolerance, outputs, random_inputs, same_outputs
from tfopt.backend.shrinking.graph import Kept, ShrinkGroups, groups_of, masked, remove


def spread(model: tf_keras.Model, seed: int = 1) -> tf_keras.Model:
    """Random weights under which what passes keeps its size, and no normalization is the identity."""
    random = np.random.default_rng(seed)
    for variable in model.weights:
        name = variable.name.split("/")[-1]
        if not variable.dtype.is_floating:
            continue
        if len(variable.shape) >= 2:
            inputs = np.prod(variable.shape[:2] if "depthwise" in name else variable.shape[:-1])
            variable.assign(random.normal(0, (1.5 / max(inputs, 1)) ** 0.5, variable.shape))
        elif "variance" in name:
            variable.assign(random.uniform(0.5, 2, variable.shape))
        elif "gamma" in name:
            variable.assign(random.uniform(0.5, 1.5, variable.shape))
        else:
            variable.assign(random.normal(0, 0.1, variable.shape))
    return model


def some_kept(groups: ShrinkGroups, seed: int = 0, share: float = 0.5, *, branches: bool = True) -> Kept:
    """Random units of each group, and each second residual branch left out."""
    random = np.random.default_rng(seed)
    kept: dict[str, tuple[int, ...]] = {}
    for number, group in enumerate(groups.groups):
        if group.kind in ("block", "layer"):
            kept |= {group.name: ()} if branches and number % 2 else {}
        elif group.kind != "rank":
            count = max(1, round(group.units * share))
            kept[group.name] = tuple(sorted(random.choice(group.units, count, replace=False).tolist()))
    return kept


def assert_removal_is_exact(
    model: tf_keras.Model, seed: int = 0, share: float = 0.5, *, branches: bool = True
) -> tf_keras.Model:
    """Removes random units, and compares the outputs with those of the masked twin; returns the smaller model."""
    spread(model)
    kept = some_kept(groups_of(model), seed, share, branches=branches)
    assert kept
    smaller = remove(model, kept)
    inputs = random_inputs(model)
    expected, found = outputs(masked(model, kept), inputs), outputs(smaller, inputs)
    differing = same_outputs(expected, found, Tolerance(1e-5, least_scale=1))
    assert differing is None, differing
    before = outputs(model, inputs)
    assert any(np.abs(one - other).max() > 1e-3 for one, other in zip(before, found, strict=True))
    return smaller
