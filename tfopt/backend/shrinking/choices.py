"""Which groups of a model a stage may narrow, to which widths, and why it leaves the others alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import tf_keras

from tfopt.backend.graph.layers import layer_paths, layer_type
from tfopt.backend.pruning.criterion import make_criterion
from tfopt.backend.shrinking.graph import groups_of, rank_groups
from tfopt.backend.shrinking.graph.rules.keras3 import is_root_mean_square
from tfopt.backend.shrinking.graph.types import OutputSite, ShrinkGroup, ShrinkGroups
from tfopt.core.config.shrinking import DEFAULT_SHRINK_CRITERION, Shrinking, ShrinkRule
from tfopt.core.language.mistakes import Mistake

DEFAULT_KINDS = ("channels", "heads", "width")
_SKIP = "a rule says skip"
TOO_SMALL = "of which divisor and floor let none go"
"""Ends the reason that other values of these keys would lift."""
_NORMALIZES_OVER_UNITS = ("LayerNormalization", "RMSNormalization", "GroupNormalization", "UnitNormalization")
Widths = Mapping[str, int]
"""Number of units that stay, by name of the group; a group that is not named keeps all."""


@dataclass(frozen=True)
class Choice:
    """A group and the numbers of units that it may keep.

    Args:
        group: what is narrowed.
        widths: ascending; the last is all of them.
        has_floor: whether a recipe sets the least share of its units that stays.
    """

    group: ShrinkGroup
    widths: tuple[int, ...]
    has_floor: bool = False

    @property
    def name(self) -> str:
        """Name of the group."""
        return self.group.name

    def excludes(self, other: Choice) -> bool:
        """Whether only one of two choices can be narrowed: two forms in which the same kernel is factorized."""
        both = self.group.kind == other.group.kind == "rank"
        return both and self.name != other.name and self.group.layers == other.group.layers


@dataclass(frozen=True)
class Choices:
    """What a stage may do with a model.

    Args:
        groups: all groups of the model.
        choices: those that may be narrowed.
        skipped: why each other is left alone, by name.
        problems: rules that match nothing.
    """

    groups: ShrinkGroups
    choices: tuple[Choice, ...]
    skipped: Mapping[str, str]
    problems: tuple[Mistake, ...] = ()

    @property
    def smallest(self) -> Widths:
        """The narrowest network."""
        return {choice.name: choice.widths[0] for choice in self.choices}

    @property
    def full(self) -> Widths:
        """The network as it is."""
        return {choice.name: choice.group.units for choice in self.choices}


def choices_of(model: tf_keras.Model, shrinking: Shrinking) -> Choices:
    """Looks at a model with the keys of a stage.

    Args:
        model: a built functional or sequential model.
        shrinking: the keys.
    """
    found = _groups(model, shrinking)
    layers = dict(layer_paths(model))
    criterion = make_criterion(shrinking.criterion or DEFAULT_SHRINK_CRITERION)
    needs_scale = criterion.kind == "batch_norm_scale"
    kinds = shrinking.remove or DEFAULT_KINDS
    choices: list[Choice] = []
    left = {group.name: group.fixed or "cannot be changed" for group in found.fixed}
    for group in found.groups:
        rule = shrinking.rule_for(_named(group, layers))
        widths = _widths(group, shrinking, rule)
        reason = _reason(group, rule, kinds, layers, needs_scale)
        scored = not group.branch and group.kind != "rank"
        if reason is None and criterion.needs == "activations" and scored and watched_site(group) is None:
            reason = f"has no layer whose outputs are its units, which criterion {criterion.kind} needs"
        if reason is None and group.branch and shrinking.allocation != "sensitivity":
            reason = "is a whole branch, which only allocation: sensitivity can judge"
        if reason is None and shrinking.schedule is not None:
            reason = _not_in_training(group, layers)
        if reason is None and len(widths) < 2:
            reason = _small(group)
        if reason is None:
            has_floor = shrinking.floor is not None or (rule is not None and rule.floor is not None)
            choices.append(Choice(group, widths, has_floor))
        else:
            left[group.name] = reason
    others = {group.name for group in found.groups if group.kind not in (*DEFAULT_KINDS, *kinds)}
    skipped = {name: reason for name, reason in left.items() if name not in others}
    problems = _rules_without_effect(shrinking, found, layers, left)
    return Choices(found, tuple(choices), skipped, problems)


def _groups(model: tf_keras.Model, shrinking: Shrinking) -> ShrinkGroups:
    """The groups of units of a model, and the kernels that can be factorized where the stage may do so."""
    found = groups_of(model)
    if "rank" not in (shrinking.remove or ()):
        return found
    ranks = rank_groups(model)
    return ShrinkGroups(
        (*found.groups, *(one for one in ranks if one.fixed is None)),
        (*found.fixed, *(one for one in ranks if one.fixed is not None)),
    )


def _small(group: ShrinkGroup) -> str:
    counted = f"{group.units} {'singular values' if group.kind == 'rank' else 'units'}"
    return f"has {counted}, {TOO_SMALL}"


def _named(group: ShrinkGroup, layers: Mapping[str, tf_keras.layers.Layer]) -> dict[str, str]:
    """Types of the layers that rules match, by name."""
    return {layers[path].name: layer_type(layers[path]) for path in _makers(group)}


def watched_site(group: ShrinkGroup) -> OutputSite | None:
    """Where every unit of a group can be watched, behind its activation if there is one; None if nowhere.

    Sites are in model order; outputs of layers inside nested models cannot be watched.
    """
    sites = [site for site in group.outputs if all(site.positions) and "/" not in site.layer]
    return sites[-1] if sites else None


def _makers(group: ShrinkGroup) -> tuple[str, ...]:
    """Paths of the layers whose outputs the units are: those that rules match."""
    producing = tuple(dict.fromkeys(member.layer for member in group.of_role("produces")))
    return (*producing, *group.branch)


def _reason(
    group: ShrinkGroup,
    rule: ShrinkRule | None,
    kinds: tuple[str, ...],
    layers: Mapping[str, tf_keras.layers.Layer],
    needs_scale: bool,
) -> str | None:
    if group.fixed is not None:
        return group.fixed
    if group.kind not in kinds:
        return f"is of kind {group.kind}, which remove does not name"
    if rule is not None and rule.skip:
        return _SKIP
    frozen = [path for path in group.layers if not layers[path].trainable and layers[path].weights]
    if frozen:
        return f"spans the frozen layer {frozen[0]} (trainable=False)"
    if (
        needs_scale
        and group.kind != "rank"
        and not any(
            isinstance(layers[path], tf_keras.layers.BatchNormalization) and layers[path].scale for path in group.layers
        )
    ):
        return "has no batch normalization with a scale, by which criterion batch_norm_scale ranks"
    return None


def _not_in_training(group: ShrinkGroup, layers: Mapping[str, tf_keras.layers.Layer]) -> str | None:
    """Why the units of a group cannot be held without effect while a model trains; None if they can."""
    if group.branch:
        return "is a whole branch, which can be removed before training, not by a schedule"
    over_units = next((path for path in group.layers if _normalizes_over_units(layers[path])), None)
    if over_units is None:
        return None
    return f"is normalized by {over_units} over all of its units: it can be removed before training, not by a schedule"


def _normalizes_over_units(layer: tf_keras.layers.Layer) -> bool:
    return type(layer).__name__ in _NORMALIZES_OVER_UNITS or is_root_mean_square(layer)


def _widths(group: ShrinkGroup, shrinking: Shrinking, rule: ShrinkRule | None) -> tuple[int, ...]:
    """Numbers of units that a group may keep, ascending, the last all of them."""
    if group.kind in ("block", "layer"):
        return (0, 1)
    divisor = rule.divisor if rule is not None and rule.divisor is not None else shrinking.divisor
    floor = (rule.floor if rule is not None and rule.floor is not None else shrinking.floor) or 0.0
    per_unit = max(group.channels, 1)
    most = group.units
    if group.kind == "rank":
        rows, columns = group.sizes
        most = -(-rows * columns // (rows + columns))  # from this rank on, the factors are not smaller than the kernel
    allowed = [count for count in range(1, most) if count * per_unit % divisor == 0 and count >= floor * group.units]
    return (*allowed, group.units)


def _rules_without_effect(
    shrinking: Shrinking,
    found: ShrinkGroups,
    layers: Mapping[str, tf_keras.layers.Layer],
    left: Mapping[str, str],
) -> tuple[Mistake, ...]:
    """Rules that match nothing, or say how to shrink groups that all stay as they are."""
    known = ", ".join(dict.fromkeys(group.name for group in found.groups)) or "none"
    problems = []
    for index, rule in enumerate(shrinking.layers):
        matched = [
            group
            for group in (*found.groups, *found.fixed)
            if any(rule.applies_to(name, kind) for name, kind in _named(group, layers).items())
        ]
        key = "match" if rule.match != ".*" else "type"
        what = rule.described
        if not matched:
            text = f"matches no layer of a group that can be shrunk: {what}. Groups: {known}"
        elif rule.skip or (rule.match == ".*" and rule.type is None):
            continue
        elif all(left.get(group.name, _SKIP) not in (_SKIP, _small(group)) for group in matched):
            text = f"asks for {what}, but {matched[0].name} cannot be shrunk: {left[matched[0].name]}"
        else:
            continue
        problems.append(Mistake(("layers", index, key), text, code="unknown_layer"))
    return tuple(problems)
