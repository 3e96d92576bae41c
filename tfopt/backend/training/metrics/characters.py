"""How many characters the tokens of the data stand for: what makes bits per character of a likelihood."""

from __future__ import annotations

import numpy as np

from tfopt.backend.data.splits import Data
from tfopt.backend.data.vocabulary import tokenizer_of
from tfopt.backend.training.metrics.counted import ignored_class
from tfopt.core.config.training.compile import Compile, Metric
from tfopt.errors import StageError


def with_characters(compile: Compile, data: Data) -> Compile:
    """The compile block, with `tokens_per_character` of the test split where `bits_per_character` lacks it.

    Args:
        compile: the recipe's.
        data: whose tokenizer turns tokens into characters.

    Raises:
        StageError: the data have no tokenizer.
    """
    completed = {output: _completed(of, data, output) for output, of in compile.of_each().items()}
    own = {output: metrics for output, metrics in completed.items() if metrics is not None}
    return compile.with_metrics(own) if own else compile


def _completed(compile: Compile, data: Data, output: str) -> tuple[Metric, ...] | None:
    """The metrics of one output, completed; None where nothing is missing."""
    if not any(_lacks_it(metric) for metric in compile.single_metrics):
        return None
    ratio = tokens_per_character(data, compile, output)
    return tuple(
        type(metric).model_validate({"name": metric.name, "tokens_per_character": ratio})
        if _lacks_it(metric)
        else metric
        for metric in compile.single_metrics
    )


def tokens_per_character(data: Data, compile: Compile, output: str = "") -> float:
    """Targets of the test split, over the characters of the text that they are.

    Args:
        data: whose tokenizer turns tokens into characters.
        compile: whose loss may leave some targets out.
        output: of several, the one whose targets count.

    Raises:
        StageError: the data have no tokenizer, or their targets are no tokens.
    """
    targets = data.test.targets
    if isinstance(targets, dict):
        targets = targets.get(output, np.zeros(0))
    tokenizer = tokenizer_of(data)
    if tokenizer is None or not isinstance(targets, np.ndarray) or targets.ndim < 2:
        raise StageError(
            "bits_per_character needs the characters of the text, but the data have no tokenizer, or their targets are "
            "no tokens.",
            "Use a text source, give tokens_per_character ({name: bits_per_character, tokens_per_character: 1} where "
            "tokens are characters), or use perplexity.",
            code="data_missing",
        )
    ignored = ignored_class(compile)
    rows = [row if ignored is None else row[row != ignored] for row in targets.reshape(len(targets), -1)]
    characters = sum(len(tokenizer.decode(row.tolist())) for row in rows)
    return sum(len(row) for row in rows) / max(characters, 1)


def _lacks_it(metric: Metric) -> bool:
    return metric.name == "bits_per_character" and "tokens_per_character" not in metric.arguments()
