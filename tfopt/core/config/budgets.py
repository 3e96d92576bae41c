"""Limits on what comes out of a run: `int8.bytes: 60 kB`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tfopt.core.config.training.compile import Compile
from tfopt.core.config.training.keras_names import OF_TOKENS, higher_is_better
from tfopt.core.config.training.outputs import Outputs
from tfopt.core.language.quantities import (
    format_bytes,
    format_milliseconds,
    format_number,
    format_share,
    parse_bytes,
    parse_milliseconds,
    parse_number,
    parse_share,
)
from tfopt.core.language.suggest import closest
from tfopt.core.language.wording import quote
from tfopt.errors import Problem

OF_SPEED = ("decode_tokens_per_second", "prefill_tokens_per_second")
"""Measures of generative files of which more is better."""

_FORMATS: dict[str, Callable[[Any], str]] = {
    "bytes": format_bytes,
    "gzip_bytes": format_bytes,
    "zstd_bytes": format_bytes,
    "entropy_bytes": format_bytes,
    "latency_ms": format_milliseconds,
    "phone_latency": format_milliseconds,
    "arena_bytes": format_bytes,
    "peak_memory": format_bytes,
    "cache_bytes": format_bytes,
    "time_to_first_token": format_milliseconds,
    **dict.fromkeys((*OF_SPEED, *OF_TOKENS, *(f"{metric}_drop" for metric in OF_TOKENS)), format_number),
}
MEASURES_NO_PHONE = "a run measures nothing on a phone"
"""A part of the warning about budgets on what a run cannot measure."""
OF_GENERATIVE = (*OF_SPEED, "time_to_first_token", "cache_bytes")
"""Measures that only files of `export.generate` have."""
OF_TFLITE = ("arena_bytes", "peak_memory", "phone_latency")
"""Measures that only `.tflite` files have."""
NOT_OF_KERAS = ("latency_ms", "entropy_bytes", "within_quantum")
"""Measures that files of Keras and SavedModels do not have either."""


@dataclass(frozen=True)
class Budget:
    """One limit.

    Args:
        export: name of the file it is about.
        measure: `bytes`, `gzip_bytes`, `zstd_bytes`, `entropy_bytes` (of the weights), `latency_ms`, `phone_latency`
            (measured by `tfopt bench RUN --adb`), `arena_bytes`, `peak_memory`, `agreement`, `relative_error`
            (regression), `within_quantum`, `anomaly_auc` (data with known anomalies), a metric, or `<metric>_drop`; of
            generative files also `decode_tokens_per_second`, `prefill_tokens_per_second`, `time_to_first_token`,
            `cache_bytes`.
        limit: in bytes, milliseconds or the metric's own unit.
        at_least: the value must reach the limit instead of staying under it.
    """

    export: str
    measure: str
    limit: float
    at_least: bool

    @property
    def name(self) -> str:
        """The recipe's key."""
        return f"{self.export}.{self.measure}"

    def met_by(self, value: float) -> bool:
        """Whether `value` is within the limit."""
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        """The limit as a recipe says it."""
        # Of one of several outputs, the output's name comes first.
        number = any(self.measure.removesuffix("_drop").endswith(f"_{metric}") for metric in OF_TOKENS)
        return _FORMATS.get(self.measure, format_number if number else format_share)(self.limit)


@dataclass(frozen=True)
class _Measure:
    """Parser and comparison of one measure."""

    parse: Callable[[object], float]
    at_least: bool = False


_ANOMALIES = {"anomaly_auc": _Measure(parse_share, at_least=True), "anomaly_auc_drop": _Measure(parse_share)}
"""Of models that reproduce their input, on data with known anomalies."""


def measures_of(compile: Compile) -> dict[str, _Measure]:
    """Everything that an export can be held to, by name."""
    known = {
        "bytes": _Measure(parse_bytes),
        "gzip_bytes": _Measure(parse_bytes),
        "zstd_bytes": _Measure(parse_bytes),
        "entropy_bytes": _Measure(parse_bytes),
        "latency_ms": _Measure(parse_milliseconds),
        "phone_latency": _Measure(parse_milliseconds),
        "arena_bytes": _Measure(parse_bytes),
        "peak_memory": _Measure(parse_bytes),
        **{name: _Measure(parse_number, at_least=True) for name in OF_SPEED},
        "time_to_first_token": _Measure(parse_milliseconds),
        "cache_bytes": _Measure(parse_bytes),
    }
    for output, of in compile.of_each().items():
        own = _of_output(of)
        if output and not Outputs.of(of).are_classes:
            del own["agreement"]  # of several outputs, it is always a share of equal predictions
        known |= {f"{output}_{name}" if output else name: measure for name, measure in own.items()}
    if not compile.outputs and not Outputs.of(compile).are_classes:
        known |= _ANOMALIES
    for metric in compile.together:
        known[metric.label] = _Measure(parse_share, at_least=higher_is_better(metric.label))
        known[f"{metric.label}_drop"] = _Measure(parse_share)
    return known


def _of_output(compile: Compile) -> dict[str, _Measure]:
    """What one output can be held to, by name."""
    # For regression, agreement is the largest absolute difference: the smaller the better.
    classifies = Outputs.of(compile).are_classes
    known = {
        "agreement": _Measure(parse_share, at_least=classifies),
        # Error over the standard deviation of the output: of numbers only.
        **({} if classifies else {"relative_error": _Measure(parse_share)}),
        "within_quantum": _Measure(parse_share, at_least=True),
    }
    for metric in compile.single_metrics:
        if metric.label in OF_TOKENS:
            known |= {name: _Measure(parse_number) for name in (metric.label, f"{metric.label}_drop")}
            continue
        known[metric.label] = _Measure(parse_share, at_least=higher_is_better(metric.label))
        known[f"{metric.label}_drop"] = _Measure(parse_share)
    return known


def pending_budgets(budgets: Sequence[Budget]) -> tuple[str, ...]:
    """A sentence for budgets that a run cannot judge."""
    names = [budget.name for budget in budgets if budget.measure == "phone_latency"]
    if not names:
        return ()
    return (
        f"{', '.join(names)}: {MEASURES_NO_PHONE}. Until `tfopt bench RUN --adb` has, the budget is not "
        "met (exit code 7).",
    )


def parse_budgets(
    document: object, exports: Sequence[str] | None, compile: Compile
) -> tuple[tuple[Budget, ...], list[Problem]]:
    """Reads the `budgets` block.

    Args:
        document: the mapping as written, or None.
        exports: names of all files that the recipe writes; None where they are not known, for another mistake.
        compile: loss and metrics of the recipe.

    Returns:
        The budgets, and every mistake in them.
    """
    if document is None:
        return (), []
    if not isinstance(document, Mapping):
        message = f"budgets must be a mapping such as {{int8.bytes: 60 kB}}. Got {quote(document)}."
        return (), [Problem(("budgets",), message, code="wrong_type")]
    known = measures_of(compile)
    found = [_parse(str(key), value, exports, known) for key, value in document.items()]
    return (
        tuple(item for item in found if isinstance(item, Budget)),
        [item for item in found if isinstance(item, Problem)],
    )


def _parse(key: str, value: object, exports: Sequence[str] | None, known: Mapping[str, _Measure]) -> Budget | Problem:
    path = ("budgets", key)
    export, dot, measure = key.partition(".")
    if not dot:
        message = f"budgets has the key {key!r}; a budget names a file and a measure, such as int8.bytes."
        return Problem(path, message, on_key=True, code="invalid_key")
    if exports is not None and export not in exports:
        guess = closest(export, exports).strip() or f"Exports: {', '.join(exports) or 'none'}."
        message = f"budgets.{key} is about {export!r}, which is not an export of this recipe."
        return Problem(path, message, guess, on_key=True, code="unknown_export")
    if measure not in known:
        guess = closest(measure, known).strip() or f"Measures: {', '.join(known)}."
        return Problem(path, f"budgets.{key} names no measure: {measure!r}.", guess, on_key=True, code="unknown_name")
    try:
        limit = known[measure].parse(value)
    except ValueError as error:
        return Problem(path, f"budgets.{key} {error}. Got {quote(value)}.", code="invalid_quantity")
    if limit < 0 or not math.isfinite(limit):
        return Problem(
            path, f"budgets.{key} must be a finite number of at least 0. Got {quote(value)}.", code="out_of_range"
        )
    return Budget(export, measure, limit, known[measure].at_least)
