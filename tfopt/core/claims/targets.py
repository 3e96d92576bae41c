"""What a file must reach with its quantized layers: budgets, its claim about outputs, no warning about its metric."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tfopt.core.claims.decline import POINTS, RELATIVE, is_worse
from tfopt.core.config.budgets import Budget
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.training.compile import Compile
from tfopt.core.config.training.keras_names import higher_is_better
from tfopt.core.config.training.outputs import Outputs
from tfopt.core.language.quantities import format_share
from tfopt.core.records.explanation import EffectRecord


@dataclass(frozen=True)
class Target:
    """The budgets of a file on its accuracy, and its claim to give the outputs of its Keras model.

    A budget on a drop is counted from the Keras model on the same examples: the dense model of the recipe was not run
    on them. Without a budget on the metric, it must not become so much worse that a run warns about it.

    Args:
        budgets: of this file, on what can be measured on examples.
        metric: the recipe's first metric.
        model: that metric of the Keras model.
        least_agreement: share of equal predictions; None for regression.
        most_error: error over the standard deviation of the output; None for classification.
        output: name of the output that the metric is of, where there are several.
    """

    budgets: tuple[Budget, ...]
    metric: str
    model: float
    least_agreement: float | None = None
    most_error: float | None = None
    output: str = ""

    def reached(self, effect: EffectRecord) -> bool:
        """Whether a measured file reaches it."""
        if self.least_agreement is not None and (effect.agreement is None or effect.agreement < self.least_agreement):
            return False
        if self.most_error is not None and not effect.error <= self.most_error:
            return False
        if self._warned and is_worse(self.metric, self.model, effect.metric):
            return False
        return all(budget.met_by(self._value(budget, effect)) for budget in self.budgets)

    @property
    def _warned(self) -> bool:
        """Whether a run warns about a metric that became much worse: there is no budget on it."""
        return not any(budget.measure in (self.metric, f"{self.metric}_drop") for budget in self.budgets)

    def _value(self, budget: Budget, effect: EffectRecord) -> float:
        of = f"{self.output}_" if self.output else ""
        values = {f"{of}agreement": effect.agreement, f"{of}relative_error": effect.error, self.metric: effect.metric}
        sign = 1.0 if higher_is_better(self.metric) else -1.0
        value = values.get(budget.measure, sign * (self.model - effect.metric))
        return 0.0 if value is None else value

    def __str__(self) -> str:
        return " and ".join(self._sentences())

    def _sentences(self) -> Iterator[str]:
        for budget in self.budgets:
            yield f"{budget.name} of at {'least' if budget.at_least else 'most'} {budget}"
        if self._warned and higher_is_better(self.metric):
            yield f"{self.metric} at most {100 * POINTS:.0f} points below the model's"
        elif self._warned:
            yield f"{self.metric} at most {format_share(RELATIVE)} above the model's"
        if self.least_agreement is not None:
            yield f"the predictions of the model on at least {format_share(self.least_agreement)} of the examples"
        if self.most_error is not None:
            most = format_share(self.most_error)
            yield f"an error of at most {most} of the standard deviation of the model's outputs"


def target_of(name: str, variant: Variant, budgets: Sequence[Budget], compile: Compile, model: float) -> Target:
    """What a file must reach.

    Args:
        name: of the file.
        variant: its keys in the recipe.
        budgets: of the recipe.
        compile: whose first metric counts.
        model: the metric of the Keras model.
    """
    output = compile.main_output
    metric, classes = compile.metric, Outputs.of(compile.meaning_of(output)).are_classes
    likeness = "agreement" if classes else "relative_error"
    measured = {metric, f"{metric}_drop", f"{output}_{likeness}" if output else likeness}
    return Target(
        budgets=tuple(budget for budget in budgets if budget.export == name and budget.measure in measured),
        metric=metric,
        model=model,
        least_agreement=variant.least_agreement() if classes else None,
        most_error=None if classes else variant.most_relative_error(),
        output=output,
    )
