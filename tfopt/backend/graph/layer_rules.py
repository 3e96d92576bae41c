"""A stage's ordered rules, applied to the layers of a model: which layers are skipped, and why."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import tf_keras

from tfopt.backend.graph.layers import containers, layer_type, leaf_layers
from tfopt.core.config.layer_rules import LayerRule
from tfopt.errors import Problem, RecipeError

Reason = Callable[[tf_keras.layers.Layer], str | None]
"""The reason why a layer is skipped; None where it is not."""

Refused = Callable[[tf_keras.layers.Layer, str | None], Problem | None]
"""A problem where a rule asks for this very layer, which is skipped for the given reason; None where none does."""


R = TypeVar("R", bound=LayerRule)


def spelled_out(rules: Sequence[R], model: tf_keras.Model, reason_impossible: Reason) -> tuple[R, ...]:
    """Rules in which each that matches a nested model or a layer of a user's own class names the layers inside it.

    Args:
        rules: of a stage, by layer name and type.
        model: whose layers they are for.
        reason_impossible: as for `skip_reasons`; such a layer inside is not meant, unless all are such.

    Returns:
        As many rules in the same order; those that match no container stay as they are.
    """
    found = {layer.name: layer for layer in leaf_layers(model)}
    kinds = {name: layer_type(layer) for name, layer in found.items()}
    possible = {name for name, layer in found.items() if reason_impossible(layer) is None}
    around = {name: outer for name, outer in containers(model).items() if name in kinds}

    def spell(rule: R) -> R:
        inside = [name for name, outer in around.items() if any(rule.applies_to(*container) for container in outer)]
        inside = [name for name in inside if name in possible] or inside
        if not inside or (rule.match == ".*" and rule.type is None):
            return rule
        names = [*inside, *(name for name, kind in kinds.items() if name not in inside and rule.applies_to(name, kind))]
        return rule.model_copy(update={"match": "|".join(map(re.escape, names)), "type": None})

    return tuple(spell(rule) for rule in rules)


def skip_reasons(
    model: tf_keras.Model,
    rules: Sequence[LayerRule],
    *,
    action: tuple[str, str],
    reason_impossible: Reason,
    reason_skipped: Reason,
    refused: Refused,
) -> dict[str, str | None]:
    """Why a stage skips each layer, or None where it does not; by layer name, nested layers included.

    Args:
        model: built.
        rules: of the stage.
        action: what the stage does with a layer, as infinitive and participle ("prune", "pruned").
        reason_impossible: by the layer alone, whatever the rules say.
        reason_skipped: by the layer and the rules.
        refused: finds rules that cannot be followed.

    Raises:
        RecipeError: a rule matches no layer, a rule asks for what cannot be done with a layer, or no layer is left.
            Paths of the problems begin below the stage.
    """
    found = {layer.name: layer for layer in leaf_layers(model)}
    reasons = {name: reason_skipped(layer) for name, layer in found.items()}
    problems = [
        *_unmatched(rules, found, action[1], reason_impossible),
        *(problem for name, layer in found.items() if (problem := refused(layer, reasons[name])) is not None),
    ]
    if not problems and not any(reason is None for reason in reasons.values()):
        left = "; ".join(f"{name}: {reason}" for name, reason in reasons.items() if found[name].weights)
        message = f"leave no layer to {action[0]} ({left or 'the model has no weights'})."
        problems = [Problem(("layers",), message, code="no_layer_left")]
    if problems:
        raise RecipeError(problems)
    return reasons


def _unmatched(
    rules: Sequence[LayerRule], found: Mapping[str, tf_keras.layers.Layer], done: str, reason_impossible: Reason
) -> list[Problem]:
    possible = ", ".join(name for name, layer in found.items() if reason_impossible(layer) is None) or "none"
    return [
        Problem(
            ("layers", index, "match" if rule.match != ".*" else "type"),
            f"matches no layer: {rule.described}. Layers that can be {done}: {possible}.",
            code="unknown_layer",
        )
        for index, rule in enumerate(rules)
        if not any(rule.applies_to(name, layer_type(layer)) for name, layer in found.items())
    ]
