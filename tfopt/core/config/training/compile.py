"""Optimizer, loss and metrics of a recipe: of one output, or of each output of a model by its name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from tfopt.core.config.training.keras_names import LOSSES, METRICS, OF_MODEL, OF_TOKENS
from tfopt.core.config.training.keras_objects import Loss, Metric, Named, Optimizer
from tfopt.core.language.block import Block, KeyMistake
from tfopt.core.language.mistakes import RecipePath
from tfopt.core.language.suggest import closest

__all__ = ["TOGETHER", "Compile", "Loss", "Metric", "Named", "Optimizer"]


def _loss_form(value: object) -> str:
    """Which form of `loss` a value is, so that an error is about that form alone."""
    return "by_output" if isinstance(value, Mapping) and "name" not in value else "one"


def _metrics_form(value: object) -> str:
    return "by_output" if isinstance(value, Mapping) else "one"


_NOT_NAME = Field(json_schema_extra={"propertyNames": {"not": {"const": "name"}}})

Losses = Annotated[
    Annotated[Loss, Tag("one")] | Annotated[dict[str, Loss | None], _NOT_NAME, Tag("by_output")],
    Discriminator(_loss_form),
]
"""The loss of the only output, or that of each output by its name: null where an output is not judged."""

MetricsByName = Annotated[
    Annotated[tuple[Metric, ...], Field(min_length=1), Tag("one")]
    | Annotated[dict[str, tuple[Metric, ...]], Tag("by_output")],
    Discriminator(_metrics_form),
]
"""The metrics of the only output, or those of each output by its name."""

TOGETHER = "model"
"""Where metrics are written that are of all outputs together, among those of each output."""

_ACCURACY = Metric.model_construct(name="accuracy")
_ERROR = Metric.model_construct(name="mae")
_OUTPUT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class Compile(Block):
    """Optimizer, loss and metrics."""

    optimizer: Optimizer = Optimizer.model_construct(name="adam")
    """Optimizer of all training stages."""
    loss: Losses = Loss.model_construct(name="sparse_categorical_crossentropy")
    """The loss that is minimized. Of a model with several outputs: the loss of each, by the output's name, as in
    `{digit: sparse_categorical_crossentropy, ink: mse}`; an output that is left out, or null, is not judged."""
    loss_weights: dict[str, Annotated[float, Field(ge=0)]] | None = None
    """By output, how much its loss counts in the sum; 1 for an output that is not named."""
    metrics: MetricsByName = (_ACCURACY,)
    """The metrics; budgets and tables use the first. Of a model with several outputs: those of each, by the output's
    name, as in `{digit: [accuracy], ink: [mae]}` (where an output is left out: accuracy of classes, mae of quantities);
    under `model`, those of all outputs together. Their names are then `digit_accuracy`, `ink_mae`."""
    main_metric: str | None = None
    """The metric that tables lead with and comparisons are about; the first, if absent."""
    gradient_accumulation_steps: Annotated[int, Field(ge=1)] | None = None
    """Batches of which an optimizer step takes the average gradient: a step of `batch_size` times as many examples, in
    the memory of one batch (default: 1). All steps of a recipe (schedules, rates) are optimizer steps."""
    xla: bool | Literal["auto"] | None = None
    """Whether XLA compiles the training step (default: false). `auto`: where it was measured to gain, on the first
    batches of each stage; never on a processor, where it was five times slower. It rounds in another order, so that
    weights differ in their last digits."""

    @model_validator(mode="before")
    @classmethod
    def _default_metrics(cls, value: object) -> object:
        by_output = isinstance(value, Mapping) and _loss_form(value.get("loss", "")) == "by_output"
        if isinstance(value, Mapping) and by_output and value.get("metrics") is None:
            return {**value, "metrics": {}}
        return value

    @field_validator("metrics")
    @classmethod
    def _differ(
        cls, value: tuple[Metric, ...] | dict[str, tuple[Metric, ...]]
    ) -> tuple[Metric, ...] | dict[str, tuple[Metric, ...]]:
        lists: list[tuple[RecipePath, tuple[Metric, ...]]] = (
            [((), value)] if isinstance(value, tuple) else [((output,), metrics) for output, metrics in value.items()]
        )
        for path, metrics in lists:
            names = [metric.label for metric in metrics]
            for index, name in enumerate(names):
                if name in names[:index]:
                    raise KeyMistake(
                        (*path, index),
                        f"names the metric {name!r} twice: their values could not be distinguished.",
                        code="duplicate_name",
                    )
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Compile:
        if isinstance(self.loss, dict):
            self._check_outputs(self.loss)
        else:
            self._check_one_output()
        for path, metric, compile in self._metrics():
            if (metric.name in OF_MODEL) != (path[0] == TOGETHER) and metric.reference is None:
                raise KeyMistake(
                    ("metrics", *path),
                    f"names {metric.name}, which is a metric of "
                    + (
                        f"all outputs together: write it under metrics.{TOGETHER}"
                        if metric.name in OF_MODEL
                        else f"one output: write it under that output's name. metrics.{TOGETHER} is for metrics of all "
                        f"outputs together: {', '.join([*OF_MODEL, 'functions of your own'])}"
                    ),
                    code="unknown_metric",
                )
            if compile is not None and metric.name in OF_TOKENS:
                compile._check_tokens(("metrics", *path), metric)
        names = self.metric_names
        if self.main_metric is not None and self.main_metric not in names:
            guess = closest(self.main_metric, names) or f" Expected one of {', '.join(names)}."
            raise KeyMistake(
                ("main_metric",), f"names no metric of this recipe: {self.main_metric!r}.{guess}", code="unknown_metric"
            )
        return self

    def _check_one_output(self) -> None:
        if not isinstance(self.metrics, tuple):
            raise KeyMistake(
                ("metrics",),
                "names outputs, but compile.loss does not: write the loss of each output by its name too, such as "
                "loss: {digit: sparse_categorical_crossentropy, ink: mse}.",
                code="conflicting_keys",
            )
        if self.loss_weights is not None:
            message = "is for a model with several outputs, but compile.loss names none"
            raise KeyMistake(("loss_weights",), message, on_key=True, code="meaningless_key")

    def _check_outputs(self, losses: Mapping[str, Loss | None]) -> None:
        if not any(losses.values()):
            raise KeyMistake(("loss",), "judges no output: write a loss for at least one.", code="wrong_length")
        for output in losses:
            if not _OUTPUT_NAME.fullmatch(output) or output == TOGETHER:
                why = (
                    f"but {TOGETHER!r} means all outputs together. Rename the output's layer."
                    if output == TOGETHER
                    else "but names of outputs are letters, digits and _ in files: other characters become _ there."
                )
                raise KeyMistake(
                    ("loss", output),
                    f"names the output {output!r}, {why}",
                    on_key=True,
                    code="invalid_name",
                )
        judged = [output for output, loss in losses.items() if loss is not None]
        if not isinstance(self.metrics, dict):
            raise KeyMistake(
                ("metrics",),
                f"must name outputs, as compile.loss does, such as {{{judged[0]}: [accuracy]}}.",
                code="conflicting_keys",
            )
        for key, known in (("metrics", [*judged, TOGETHER]), ("loss_weights", judged)):
            for output in getattr(self, key) or {}:
                if output not in known:
                    guess = closest(output, known) or f" Expected {', '.join(known)}."
                    message = f"is about {output!r}, an output without a loss.{guess}"
                    raise KeyMistake((key, output), message, on_key=True, code="unknown_output")
        if not any(map(self.weight_of, judged)):
            raise KeyMistake(
                ("loss_weights",), "are all 0: nothing would be trained. Give one output a weight.", code="out_of_range"
            )
        names = [*self.losses, *self.metric_names]
        if not self.metric_names:
            raise KeyMistake(("metrics",), "has no metric: name one, for at least one output.", code="wrong_length")
        for name in names:
            if names.count(name) > 1:
                message = f"gives two values the name {name!r}: they could not be distinguished."
                raise KeyMistake(("metrics",), message, code="duplicate_name")

    def _check_tokens(self, path: RecipePath, metric: Metric) -> None:
        if self.loss_kind != "sparse_categorical_crossentropy":
            message = (
                f"{metric.name} measures the probabilities of the right tokens, which the loss {self.single_loss.name} "
                "does not train. Use sparse_categorical_crossentropy"
            )
            raise KeyMistake(path, message, code="incompatible_loss")

    def _metrics(self) -> Iterator[tuple[RecipePath, Metric, Compile | None]]:
        """Every metric with its path below `metrics`, and the block of its output; None for those of all together."""
        if not isinstance(self.loss, dict):
            yield from (((index,), metric, self) for index, metric in enumerate(self.single_metrics))
            return
        for output in self.outputs:
            of = self.of(output)
            yield from (((output, index), metric, of) for index, metric in enumerate(of.single_metrics))
        yield from (((TOGETHER, index), metric, None) for index, metric in enumerate(self.together))

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs that are judged; none where the recipe names no outputs, as for a model with one."""
        return tuple(name for name, loss in self.loss.items() if loss) if isinstance(self.loss, dict) else ()

    @property
    def all_outputs(self) -> tuple[str, ...]:
        """Names of all outputs, in the order of the model once `of_model` has put them so; none for a single one."""
        return tuple(self.loss) if isinstance(self.loss, dict) else ()

    def of(self, output: str) -> Compile:
        """The block for one of several outputs, as if the model had this one only.

        Raises:
            KeyError: the output is not judged.
        """
        loss = self.loss[output] if isinstance(self.loss, dict) else None
        if loss is None:
            raise KeyError(output)
        alone = self.model_copy(
            update={"loss": loss, "metrics": (_ACCURACY,), "loss_weights": None, "main_metric": None}
        )
        default = (_ACCURACY,) if LOSSES[alone.loss_kind].classification else (_ERROR,)
        metrics = self.metrics.get(output, default) if isinstance(self.metrics, dict) else default
        main = [metric.label for metric in metrics if self.main_metric == f"{output}_{metric.label}"]
        return alone.model_copy(update={"metrics": metrics, "main_metric": main[0] if main else None})

    def weight_of(self, output: str) -> float:
        """How much the loss of an output counts in the sum."""
        return (self.loss_weights or {}).get(output, 1.0)

    def with_metrics(self, metrics: Mapping[str, tuple[Metric, ...]]) -> Compile:
        """The same with other metrics of some outputs.

        Args:
            metrics: by the names of `of_each`; those of all outputs together under `model`.
        """
        if not isinstance(self.metrics, dict):
            return self.model_copy(update={"metrics": metrics.get("", self.metrics)})
        return self.model_copy(update={"metrics": {**self.metrics, **metrics}})

    def meaning_of(self, output: str) -> Compile:
        """The block by which two models' outputs are compared: one that is not judged is a quantity."""
        if output in self.outputs or not output:
            return self.of(output) if output else self
        return Compile.model_construct(loss=Loss.model_construct(name="mse"), metrics=(_ERROR,))

    def of_each(self) -> dict[str, Compile]:
        """The block of each judged output by its name; this block under an empty name where there is one output."""
        return {output: self.of(output) for output in self.outputs} or {"": self}

    def of_model(self, outputs: Sequence[str]) -> Compile:
        """The same with all outputs of a model, in its order; those without a loss are not judged.

        Raises:
            KeyError: the model has no output of a name that has a loss.
        """
        if not isinstance(self.loss, dict):
            return self
        missing = [output for output in self.outputs if output not in outputs]
        if missing:
            raise KeyError(missing[0])
        ordered = self.model_copy(update={"loss": {output: self.loss.get(output) for output in outputs}})
        # The first metric is that of the recipe, whatever the order of the model.
        return ordered if ordered.metric == self.metric else ordered.model_copy(update={"main_metric": self.metric})

    @property
    def single_loss(self) -> Loss:
        """The loss of a block for one output (`of_each`)."""
        if isinstance(self.loss, dict):
            raise TypeError(f"this block is for the outputs {', '.join(self.loss)}; take that of one with of()")
        return self.loss

    @property
    def single_metrics(self) -> tuple[Metric, ...]:
        """The metrics of a block for one output (`of_each`)."""
        if isinstance(self.metrics, dict):
            raise TypeError(f"this block is for the outputs {', '.join(self.outputs)}; take that of one with of()")
        return self.metrics

    @property
    def together(self) -> tuple[Metric, ...]:
        """The metrics of all outputs together."""
        return self.metrics.get(TOGETHER, ()) if isinstance(self.metrics, dict) else ()

    @property
    def metric_names(self) -> tuple[str, ...]:
        """Names of all metrics in reports, budgets and monitors: `accuracy`, or with the output `digit_accuracy`."""
        of_outputs = [
            metric.label if not output else f"{output}_{metric.label}"
            for output, compile in self.of_each().items()
            for metric in compile.single_metrics
        ]
        return (*of_outputs, *(metric.label for metric in self.together))

    @property
    def losses(self) -> tuple[str, ...]:
        """Names of the loss and, of several outputs, of the loss of each."""
        return ("loss", *(f"{output}_loss" for output in self.outputs))

    @property
    def metric(self) -> str:
        """Name of the metric that reports lead with: `main_metric`, or the first."""
        return self.main_metric or self.metric_names[0]

    @property
    def main_output(self) -> str:
        """The output that the main metric is of; empty where there is one output, or it is of all together."""
        for output, compile in self.of_each().items():
            if any(self.metric == f"{output}_{metric.label}" for metric in compile.single_metrics):
                return output
        return ""

    @property
    def loss_kind(self) -> str:
        """The Keras loss with the same targets and outputs as the loss of a block for one output."""
        loss = self.single_loss
        if loss.reference is None:
            return LOSSES[loss.name].like or loss.name
        if loss.like is not None:
            return loss.like
        about_classes = [
            metric.name for metric in self.single_metrics if getattr(METRICS.get(metric.name), "classification", 0)
        ]
        if not about_classes:
            return "mean_squared_error"
        kinds = {"binary": "binary_crossentropy", "categorical": "categorical_crossentropy"}
        return kinds.get(about_classes[0].partition("_")[0], "sparse_categorical_crossentropy")

    def references(self) -> Iterator[tuple[RecipePath, Named]]:
        """Losses and metrics of the user's own, with their paths."""
        for output, compile in self.of_each().items():
            if compile.single_loss.reference is not None:
                yield ("loss", *filter(None, [output])), compile.single_loss
        for path, metric, _ in self._metrics():
            if metric.reference is not None:
                yield ("metrics", *path), metric
