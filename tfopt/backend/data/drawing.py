"""Examples drawn at random, always the same for the same seed."""

from __future__ import annotations

import numpy as np

from tfopt.backend.types import Array


def random_order(n: int, seed: int) -> Array:
    """A permutation of `range(n)`, the same for the same seed.

    `RandomState` because NumPy promises that its stream never changes; stored results depend on it.
    """
    return np.random.RandomState(seed % 2**32).permutation(n)


def held_out(n: int, count: int, seed: int, labels: Array | None) -> Array:
    """Positions of `count` examples to set aside, sorted.

    Args:
        n: number of examples.
        count: how many to set aside.
        seed: of the selection.
        labels: integer class per example, shape (n,), to set aside the same share of every class; None for any
            selection. A class with a single example stays.
    """
    order = random_order(n, seed)
    if labels is None:
        return np.sort(order[:count])
    classes, sizes = np.unique(labels, return_counts=True)
    ideal = sizes * (count / n)
    quota = np.floor(ideal).astype(int)
    # Largest remainder; ties go to the smaller class id, so the result does not depend on the sort's stability.
    ranked = sorted(range(len(classes)), key=lambda k: (-(ideal[k] - quota[k]), k))
    for k in ranked:
        if quota.sum() == count:
            break
        if quota[k] + 1 < sizes[k]:
            quota[k] += 1
    shuffled = labels[order]
    return np.sort(np.concatenate([order[shuffled == c][:q] for c, q in zip(classes, quota, strict=True)]))


def held_out_groups(groups: Array, count: int, seed: int) -> Array:
    """Positions of about `count` examples to set aside, sorted: all examples of some groups, at least of one.

    Args:
        groups: what each example belongs to, shape (n,); examples of one group stay together.
        count: how many to set aside; a further group is taken where that comes closer to it.
        seed: of the selection.
    """
    names, sizes = np.unique(groups, return_counts=True)
    taken: list[int] = []
    total = 0
    for k in random_order(len(names), seed):
        if not taken or abs(total + sizes[k] - count) < abs(total - count):
            taken.append(int(k))
            total += int(sizes[k])
    return np.flatnonzero(np.isin(groups, names[taken]))
