"""The fewest layers in float with which a file reaches its target, as rules to paste into a recipe."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from tfopt.backend.explain.sensitivity import Sensitivity
from tfopt.core.claims.targets import Target
from tfopt.core.config.files.file_rules import FileRule
from tfopt.core.records.explanation import AdviceRecord, EffectRecord

Measure = Callable[[Sequence[str]], EffectRecord | str]
"""Converts a file that keeps some layers in float and measures it; or says why that cannot be done."""

_MOST = 16
"""Layers that a rule set may name: beyond that, a different mode is the better advice."""
_ATTEMPTS = 3
"""Conversions until the target is reached by measurement."""


def advise(
    found: Sensitivity, target: Target, measure: Measure | None, earlier: Sequence[FileRule] = ()
) -> AdviceRecord:
    """Searches the smallest set: one layer if one is enough, else layers in the order of what they give back, without
    those that turn out not to be needed.

    Args:
        found: the table.
        target: what the file must reach.
        measure: makes and measures a file; None where none can be made.
        earlier: rules that the file has already: those of the advice come after them.
    """
    table = found.table
    if target.reached(table.file):
        return AdviceRecord(target=str(target), reached=True, reason="the file reaches it as it is")
    ranked = [row.layer for row in table.layers if row.in_float is not None and found.groups[row.layer].known][:_MOST]
    if not ranked:
        return AdviceRecord(
            target=str(target), reached=False, reason="no layer of the file can be kept in float by name"
        )
    least = 1
    advice = None
    for _ in range(_ATTEMPTS):
        layers, predicted = _smallest(found, target, ranked, least)
        if predicted is None:
            break
        measured = None if measure is None else measure(layers)
        advice = AdviceRecord(
            target=str(target),
            reached=target.reached(measured) if isinstance(measured, EffectRecord) else True,
            layers=layers,
            rules=rules(layers, earlier),
            predicted=predicted,
            measured=measured if isinstance(measured, EffectRecord) else None,
            reason=measured if isinstance(measured, str) else "",
        )
        if advice.reached or len(layers) >= len(ranked):
            return advice
        least = len(layers) + 1
    return advice or _out_of_reach(found, target, ranked)


def rules(layers: Sequence[str], earlier: Sequence[FileRule] = ()) -> str:
    """The key `layers:` of a variant, as YAML, with the rules that it has already."""
    written = [{key: value for key, value in rule if value is not None} for rule in earlier]
    written += [{"match": pattern(name), "quantize": "none"} for name in layers]
    lines = [", ".join(f"{key}: {_quoted(str(value))}" for key, value in rule.items()) for rule in written]
    return "\n".join(["layers:", *(f"  - {{{line}}}" for line in lines)])


def pattern(name: str) -> str:
    """The regular expression of a rule that matches one layer."""
    return name if re.fullmatch(r"[A-Za-z0-9_/-]+", name) else re.escape(name)


def _quoted(text: str) -> str:
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_/]*", text) and text.lower() not in ("null", "true", "false")
    return text if plain else "'" + text.replace("'", "''") + "'"


def _smallest(
    found: Sensitivity, target: Target, ranked: Sequence[str], least: int
) -> tuple[list[str], EffectRecord | None]:
    """The layers of the smallest set found with at least so many, and its predicted effect; None without one."""
    single = {row.layer: row.in_float for row in found.table.layers}
    enough = [(effect.bytes, name) for name in ranked if (effect := single[name]) and target.reached(effect)]
    if least == 1 and enough:
        _, cheapest = min(enough)
        return [cheapest], single[cheapest]
    prefixes = [[*ranked[:count]] for count in range(max(2, least), len(ranked) + 1)]
    for layers, effect in zip(prefixes, found.with_float(prefixes), strict=True):
        if effect is not None and target.reached(effect):
            return _without_needless(found, target, layers, effect, least)
    return [], None


def _without_needless(
    found: Sensitivity, target: Target, layers: list[str], effect: EffectRecord, least: int
) -> tuple[list[str], EffectRecord]:
    """Drops layers without which the target is reached too, the last of the ranking first."""
    for name in reversed(layers[:-1]):
        if len(layers) <= least:
            break
        fewer = [other for other in layers if other != name]
        (tried,) = found.with_float([fewer])
        if tried is not None and target.reached(tried):
            layers, effect = fewer, tried
    return layers, effect


def _out_of_reach(found: Sensitivity, target: Target, ranked: Sequence[str]) -> AdviceRecord:
    (effect,) = found.with_float([ranked])
    return AdviceRecord(
        target=str(target),
        reached=False,
        predicted=effect,
        reason=f"not even with the {len(ranked)} layers in float that give back most",
    )
