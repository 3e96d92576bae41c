"""What a file must reach with its quantized layers: its budgets and its claim about outputs, on given examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tfopt.core.config.budgets import Budget
from tfopt.core.config.compile import Compile
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.keras_names import higher_is_better
from tfopt.core.config.outputs import Outputs
from tfopt.core.records.explanation import EffectRecord


@dataclass(frozen=True)
class Target:
    """What is to be reached.

    Args:
        sentence: for people, without a full stop.
        reached: whether a measured file reaches it.
    """

    sentence: str
    reached: Callable[[EffectRecord], bool]


def target_of(name: str, variant: Variant, budgets: Sequence[Budget], compile: Compile, model: float) -> Target:
    """The budgets of a file on its accuracy, and its claim to give the outputs of its Keras model.

    A budget on a drop is counted from the Keras model on the same examples: the dense model of the recipe was not run
    on them.

    Args:
        name: of the file.
        variant: its keys in the recipe.
        budgets: of the recipe.
        compile: whose first metric counts.
        model: the metric of the Keras model.
    """
    metric = compile.metric
    sign = 1.0 if higher_is_better(metric) else -1.0
    classes = Outputs.of(compile).are_classes
    parts: list[tuple[str, Callable[[EffectRecord], bool]]] = []
    for budget in budgets:
        if budget.export != name:
            continue
        if budget.measure == f"{metric}_drop":
            parts.append((f"{budget.name} of at most {budget}", _drop_within(budget.limit, sign, model)))
        elif budget.measure == metric:
            word = "at least" if budget.at_least else "at most"
            parts.append((f"{budget.name} of {word} {budget}", lambda effect, b=budget: b.met_by(effect.metric)))
        elif budget.measure == "agreement" and classes:
            parts.append((f"{budget.name} of at least {budget}", lambda effect, b=budget: _agrees(effect, b.limit)))
        elif budget.measure == "relative_error":
            parts.append((f"{budget.name} of at most {budget}", lambda effect, b=budget: b.met_by(effect.error)))
    if classes:
        least = variant.least_agreement()
        parts.append((f"the same predictions as the Keras model on {least:.4g}", lambda effect: _agrees(effect, least)))
    else:
        most = variant.most_relative_error()
        parts.append((f"an error of at most {most:.4g} of the output's deviation", lambda effect: effect.error <= most))
    return Target(" and ".join(text for text, _ in parts), lambda effect: all(holds(effect) for _, holds in parts))


def _drop_within(limit: float, sign: float, model: float) -> Callable[[EffectRecord], bool]:
    return lambda effect: sign * (model - effect.metric) <= limit


def _agrees(effect: EffectRecord, least: float) -> bool:
    return effect.agreement is not None and effect.agreement >= least
