"""What a cluster stage will do with each layer, found before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping

import tf_keras

from tfopt.backend.clustering.eligibility import reason_not_clusterable, reason_too_small, shares_per_channel
from tfopt.backend.graph import layer_rules
from tfopt.backend.graph.kernels import clusterable_kernels
from tfopt.backend.graph.layers import layer_type, leaf_layers
from tfopt.core.config.clustering import Clustering, Sharing
from tfopt.core.config.layer_rules import last_match
from tfopt.core.contracts.preflight import Preflight
from tfopt.core.language.mistakes import Mistake
from tfopt.errors import Problem, RecipeError


def _for_model(clustering: Clustering, model: tf_keras.Model) -> Clustering:
    """The same keys with rules that name each layer inside what they match (see `layer_rules.spelled_out`)."""
    return clustering.model_copy(
        update={"layers": layer_rules.spelled_out(clustering.layers, model, reason_not_clusterable)}
    )


def skip_reasons(model: tf_keras.Model, clustering: Clustering) -> dict[str, str | None]:
    """Why each layer will be left alone, or None where it will be clustered; by layer name, nested layers included.

    Raises:
        RecipeError: a rule matches no layer, a rule asks for a layer that cannot be clustered, or nothing is left to
            cluster. Paths of the problems begin below the stage.
    """
    clustering = _for_model(clustering, model)
    return layer_rules.skip_reasons(
        model,
        clustering.layers,
        action=("cluster", "clustered"),
        reason_impossible=reason_not_clusterable,
        reason_skipped=lambda layer: _reason(layer, clustering),
        refused=lambda layer, reason: _refused_wish(layer, clustering, reason),
    )


def layer_sharing(model: tf_keras.Model, clustering: Clustering) -> dict[str, Sharing]:
    """How the weights of each layer that will be clustered share values, by name.

    Raises:
        RecipeError: as `skip_reasons`.
    """
    clustering = _for_model(clustering, model)
    reasons = skip_reasons(model, clustering)
    plans: dict[str, Sharing] = {}
    for layer in leaf_layers(model):
        asked = clustering.for_layer(layer.name, layer_type(layer))
        if asked is not None and reasons[layer.name] is None:
            plans[layer.name] = Sharing(asked.clusters, shares_per_channel(layer, asked))
    return plans


def preflight(model: tf_keras.Model, clustering: Clustering) -> Preflight:
    """All that is knowable of a cluster stage before training, problems included, for `tfopt plan`."""
    try:
        reasons = skip_reasons(model, clustering)
    except RecipeError as error:
        return Preflight(
            problems=tuple(Mistake(problem.path, problem.message, code=problem.code) for problem in error.problems)
        )
    return Preflight(skipped=_skipped(model, reasons))


def skipped(model: tf_keras.Model, clustering: Clustering) -> dict[str, str]:
    """Why layers with weights are left alone, by name.

    Raises:
        RecipeError: as `skip_reasons`.
    """
    return _skipped(model, skip_reasons(model, clustering))


def _skipped(model: tf_keras.Model, reasons: Mapping[str, str | None]) -> dict[str, str]:
    weighted = {layer.name for layer in leaf_layers(model, weighted=True)}
    return {name: reason for name, reason in reasons.items() if reason is not None and name in weighted}


def _reason(layer: tf_keras.layers.Layer, clustering: Clustering) -> str | None:
    reason = reason_not_clusterable(layer)
    if reason is not None:
        return reason
    asked = clustering.for_layer(layer.name, layer_type(layer))
    return "a rule says skip" if asked is None else reason_too_small(layer, asked)


def _refused_wish(layer: tf_keras.layers.Layer, clustering: Clustering, reason: str | None) -> Problem | None:
    """A problem where a rule asks for this very layer to be clustered in a way that cannot be."""
    rule = last_match(clustering.layers, layer.name, layer_type(layer))
    if rule is None or rule.skip or (rule.match == ".*" and rule.type is None):
        return None
    path = ("layers", clustering.layers.index(rule))
    if reason is not None and rule.clusters is not None:
        key = "clusters" if reason_not_clusterable(layer) is None else "match"
        return Problem(
            (*path, key),
            f"asks for layer {layer.name}, which cannot be done: it {reason}.",
            code="layer_not_clusterable",
        )
    if rule.per_channel and clusterable_kernels(layer) and not shares_per_channel(layer, Sharing(2, True)):
        kind = layer_type(layer)
        message = f"asks for layer {layer.name}, which cannot be done: {kind} has one scale for its whole kernel."
        return Problem((*path, "per_channel"), message, code="meaningless_key")
    return None
