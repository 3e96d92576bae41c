"""What a shrink stage did, for its report and for the claims of files."""

from __future__ import annotations

from collections.abc import Mapping

import tf_keras

from tfopt.backend.graph.layers import leaf_layers
from tfopt.backend.shrinking.allocate import widths_of
from tfopt.backend.shrinking.choices import Choices
from tfopt.backend.shrinking.decide import Decision
from tfopt.backend.shrinking.graph import cost as exact_cost
from tfopt.backend.shrinking.graph.factorize import first_factor
from tfopt.backend.shrinking.graph.types import Kept
from tfopt.backend.shrinking.networks import Pricing
from tfopt.backend.shrinking.scores import Scores
from tfopt.core.config.shrinking import Shrinking


def cost_details(
    model: tf_keras.Model,
    narrow: tf_keras.Model,
    shrinking: Shrinking,
    prices: Pricing,
    decision: Decision,
    choices: Choices,
) -> dict[str, object]:
    """Budget, costs before and after, and narrowed layers, for reports and claims.

    Args:
        model: as it was.
        narrow: the smaller network.
        shrinking: the keys.
        prices: costs of networks.
        decision: what stays.
        choices: what could be narrowed.
    """
    before, after = exact_cost(model), exact_cost(narrow)
    limit = shrinking.to.limit
    found: dict[str, object] = {
        "budget": f"threshold {shrinking.to.threshold:g}" if limit is None else f"{limit.cost} {limit}",
        "macs_before": before.macs,
        "macs_after": after.macs,
        "parameters_before": before.parameters,
        "parameters_after": after.parameters,
        "tries": [list(one) for one in decision.tries],
        "narrowed_layers": narrowed_layers(model, narrow),
    }
    if limit is not None and limit.cost == "latency":
        found["latency_limit"] = {"amount": limit.amount, "relative": limit.relative}
        found["narrow_file"] = True
    if prices.table is not None:
        found |= {
            "ms_before_by_table": prices.of(choices.full),
            "ms_after_by_table": prices.of({**choices.full, **decision.widths}),
            "ms_after": decision.cost,
        }
    return found


def narrowed_layers(model: tf_keras.Model, narrow: tf_keras.Model) -> list[str]:
    """Names of the layers with fewer weights than before, the first factors of factorized kernels included."""
    before = {layer.name: layer.count_params() for layer in leaf_layers(model, weighted=True)}
    before |= {first_factor(name): count for name, count in before.items() if first_factor(name) not in before}
    return [
        layer.name
        for layer in leaf_layers(narrow, weighted=True)
        if layer.count_params() < before.get(layer.name, layer.count_params())
    ]


def group_rows(
    choices: Choices, kept: Kept, scores: Scores, prices: Pricing, layers_of: Mapping[str, tuple[str, ...]]
) -> list[dict[str, object]]:
    """One row for each group, for reports: units and score before and after, share of the operations.

    Args:
        choices: what could be narrowed.
        kept: the units that stay.
        scores: of all units.
        prices: costs of networks.
        layers_of: paths of the layers whose cost a group decides.
    """
    after = widths_of(choices.choices, kept)
    macs_before, macs_after = (prices.costs.macs_by_layer(widths) for widths in (choices.full, after))
    times = (
        [prices.table.by_layer(widths) for widths in (choices.full, after)] if prices.table is not None else [{}, {}]
    )
    rows: list[dict[str, object]] = []
    for choice in choices.choices:
        if choice.group.kind == "rank" and after[choice.name] == choice.group.units:
            continue  # the kernel is not factorized in this form
        values = scores[choice.name]
        stay = list(kept.get(choice.name, range(choice.group.units)))
        gone = [unit for unit in range(choice.group.units) if unit not in set(stay)]
        layers = layers_of[choice.name]
        rows.append(
            {
                "group": choice.name,
                "kind": choice.group.kind,
                "layers": list(layers),
                "units_before": choice.group.units,
                "units_after": len(stay),
                "score_kept": float(values[stay].mean()) if stay else None,
                "score_removed": float(values[gone].mean()) if gone else None,
                "macs_before": round(sum(macs_before.get(path, 0.0) for path in layers)),
                "macs_after": round(sum(macs_after.get(path, 0.0) for path in layers)),
                **(
                    {
                        name: sum(found.get(path, 0.0) for path in layers)
                        for name, found in zip(("ms_before", "ms_after"), times, strict=True)
                    }
                    if prices.table is not None
                    else {}
                ),
            }
        )
    return rows
