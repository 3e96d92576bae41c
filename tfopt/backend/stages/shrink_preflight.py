"""What is known of a shrink stage before training: what can go, what networks cost, whether the budget can be met."""

from __future__ import annotations

import math

import tf_keras

from tfopt.backend.pruning.criterion import criterion_problems, make_criterion
from tfopt.backend.shrinking.allocate import uniform
from tfopt.backend.shrinking.choices import TOO_SMALL, Choices, choices_of
from tfopt.backend.shrinking.costs import NetworkCosts
from tfopt.backend.shrinking.graph import cost as exact_cost
from tfopt.backend.shrinking.graph import remove
from tfopt.backend.shrinking.networks import Pricing, at_share, first_units, pricing
from tfopt.backend.stages.float_files import write_float_files
from tfopt.core.config.shrink_budget import Cost, Limit, format_cost
from tfopt.core.config.shrinking import DEFAULT_SHRINK_CRITERION, Shrinking
from tfopt.core.contracts.preflight import Preflight, Workload
from tfopt.core.language.mistakes import Mistake
from tfopt.core.language.quantities import format_share
from tfopt.errors import StageError

_MOST_NAMES = 3
"""Groups that an error names for one reason."""
_NAMES = {"macs": "MACs", "parameters": "parameters", "bytes": "bytes of float32 weights", "latency": "latency"}


def preflight(model: tf_keras.Model, shrinking: Shrinking, workload: Workload) -> Preflight:
    """All that is knowable before training, problems included; for a latency budget, networks are timed."""
    if "quantized" in workload.traits:
        return Preflight(problems=(Mistake((), "cannot follow qat: shrink first", code="stage_order"),))
    problems = [*criterion_problems(shrinking.criterion, "units"), *_timing_problems(shrinking, workload)]
    if problems:
        return Preflight(problems=tuple(problems))
    try:
        choices = choices_of(model, shrinking)
    except StageError as error:
        return Preflight(problems=(Mistake((), f"cannot work: {error.message}", code=error.code),))
    if choices.problems:
        return Preflight(problems=choices.problems)
    if not choices.choices:
        text = f"finds nothing that can be removed ({_reasons(choices) or 'the model has no groups'})."
        return Preflight(problems=(Mistake((), text, code="no_layer_left"),))
    limit = shrinking.to.limit
    try:
        prices = pricing(
            model, choices, limit.cost if limit is not None else "macs", write_float_files, workload.measurements
        )
    except StageError as error:
        return Preflight(problems=(Mistake(("to", "latency"), error.message, code=error.code),))
    found = [] if limit is None else _budget_problems(shrinking, limit, choices, prices)
    warnings = [] if limit is None else _warnings(model, limit, choices, prices)
    return Preflight(
        skipped=choices.skipped, problems=tuple(found), warnings=tuple(warnings), notes=_notes(choices, prices)
    )


def layers_after(model: tf_keras.Model, shrinking: Shrinking) -> tf_keras.Model:
    """A network of about the widths that the stage will leave: every group keeps the same share.

    Which units go is decided with trained weights; a latency is taken as the same share of the operations.
    """
    choices = choices_of(model, shrinking)
    limit = shrinking.to.limit
    costs = NetworkCosts(model, choices.groups)
    if limit is None:
        widths = at_share(choices.choices, 0.5)
    else:
        prices = Pricing("macs" if limit.cost == "latency" else limit.cost, costs)
        full = prices.of(choices.full)
        share = limit.amount if limit.relative else 0.5 if limit.cost == "latency" else limit.amount / full
        widths = dict(uniform(choices.choices, prices.of, share * full))
    # Which blocks go and which kernels are factorized is not known before: they stay.
    units = [choice for choice in choices.choices if not choice.group.branch and choice.group.kind != "rank"]
    return remove(model, first_units(units, widths))


def _timing_problems(shrinking: Shrinking, workload: Workload) -> list[Mistake]:
    problems = []
    if shrinking.schedule is not None:
        try:
            shrinking.schedule.resolve(workload.total_steps, workload.steps_per_epoch)
        except ValueError as error:
            problems.append(Mistake(("schedule",), str(error), code="outside_stage"))
    elif not criterion_problems(shrinking.criterion, "units"):
        name = shrinking.criterion or DEFAULT_SHRINK_CRITERION
        if make_criterion(name).needs == "training":
            text = f"is {name!r}, which ranks by what happens in training: give a schedule whose begin is above 0%"
            problems.append(Mistake(("criterion",), text, code="conflicting_keys"))
    if shrinking.allocation == "sensitivity" and not workload.validation:
        text = "is sensitivity, but the validation split is empty: give data.splits.validation"
        problems.append(Mistake(("allocation",), text, code="no_validation_data"))
    return problems


def _budget_problems(shrinking: Shrinking, limit: Limit, choices: Choices, prices: Pricing) -> list[Mistake]:
    full, smallest = prices.of(choices.full), prices.of(choices.smallest)
    problems = []
    if limit.of(full) < smallest:
        share = f"{math.ceil(100 * smallest / full)}%" if limit.relative else _rounded_up(limit.cost, smallest)
        stuck = _reasons(choices)
        text = (
            f"is {limit}, below the smallest network that this stage can make ({_short(limit.cost, smallest)}, "
            f"{smallest / full:.0%} of {_short(limit.cost, full)}). Write at least {share}, or lower divisor or floor"
            + (f"; groups that stay as they are: {stuck}" if stuck else "")
        )
        problems.append(Mistake(("to", limit.cost), text, code="budget_unreachable"))
    if shrinking.schedule is not None and limit.of(full) >= full:
        text = (
            f"removes {format_share(shrinking.schedule.final_sparsity())}, but to.{limit.cost} is {limit} and the "
            f"network has only {_short(limit.cost, full)}: nothing would go. Write a smaller to.{limit.cost}, or leave "
            "the stage out"
        )
        problems.append(Mistake(("schedule",), text, code="conflicting_keys"))
    elif shrinking.schedule is not None and not limit.relative:
        gone = 1 - limit.of(full) / full
        if abs(shrinking.schedule.final_sparsity() - gone) > 0.005:
            text = (
                f"ends at {shrinking.schedule.final_sparsity():.1%}, but to.{limit.cost}: {limit} means that "
                f"{gone:.1%} of {_short(limit.cost, full)} are removed. Write {gone:.1%}"
            )
            problems.append(Mistake(("schedule",), text, code="conflicting_keys"))
    return problems


def _reasons(choices: Choices) -> str:
    """Why groups stay as they are, each reason once; those last that other keys of the stage would lift."""
    groups: dict[str, list[str]] = {}
    for name, reason in choices.skipped.items():
        groups.setdefault(reason, []).append(name)
    ordered = sorted(groups, key=lambda reason: reason.endswith(TOO_SMALL))
    return "; ".join(f"{_listed(groups[reason])}: {reason}" for reason in ordered)


def _listed(names: list[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _warnings(model: tf_keras.Model, limit: Limit, choices: Choices, prices: Pricing) -> list[str]:
    found = []
    full = prices.of(choices.full)
    if limit.of(full) >= full:
        found.append(f"to.{limit.cost} is {limit}, and the network has {_short(limit.cost, full)}: nothing will go.")
    uncounted = exact_cost(model).uncounted
    if uncounted and limit.cost == "macs":
        found.append(f"operations of {', '.join(uncounted)} cannot be counted: to.macs is about all others.")
    return found


def _notes(choices: Choices, prices: Pricing) -> tuple[str, ...]:
    """The smallest, the half and the full network."""
    rows = {
        "full network": choices.full,
        "half of the units": at_share(choices.choices, 0.5),
        "smallest network": choices.smallest,
    }
    costs = prices.costs
    notes = []
    for name, widths in rows.items():
        parts = [
            f"{_short('macs', costs.macs(widths))} MACs",
            f"{_short('parameters', costs.parameters(widths))} parameters",
        ]
        if prices.table is not None:
            parts.append(f"{prices.of(widths):.3g} ms here")
        notes.append(
            f"{name}: {', '.join(parts)} ({prices.of(widths) / prices.of(choices.full):.0%} of {_NAMES[prices.cost]})"
        )
    return tuple(notes)


def _rounded_up(cost: Cost, amount: float) -> str:
    """A cost to three digits, and not below it: a budget of this value can be met."""
    step = 10.0 ** (math.floor(math.log10(amount)) - 2)
    return _short(cost, math.ceil(amount / step) * step)


def _short(cost: str, amount: float) -> str:
    """A cost to three digits."""
    if cost == "latency":
        return f"{amount:.3g} ms"
    if cost == "bytes":
        return format_cost("bytes", float(f"{amount:.3g}"))
    return format_cost("macs", float(f"{amount:.3g}"))
