"""The groups of a model as records: what `tfopt doctor` shows of them."""

from __future__ import annotations

import tf_keras

from tfopt.backend.graph.saved_model_layer import reason_without_layers
from tfopt.backend.shrinking.costs import layers_behind
from tfopt.backend.shrinking.graph import groups_of
from tfopt.core.records.shrink_groups import GroupPreflight


def overview(model: tf_keras.Model) -> tuple[GroupPreflight, ...]:
    """All groups of a model, those that can be changed first; none for a SavedModel without Keras layers.

    Args:
        model: functional, or a built Sequential.
    """
    if reason_without_layers(model) is not None:
        return ()
    found = groups_of(model)
    return tuple(
        GroupPreflight(group.name, group.kind, group.units, layers_behind(group), group.fixed)
        for group in (*found.groups, *found.fixed)
    )
