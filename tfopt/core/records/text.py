"""What `report.json` says about texts."""

from __future__ import annotations

from tfopt.core.records.record import Record


class TextRecord(Record):
    """Texts as token ids."""

    task: str
    """`classification` or `language_model`."""
    tokenizer: str
    """Kind of the tokenizer: `char`, `word`, `wordpiece`, `bpe` or `file`."""
    vocabulary_size: int
    """Number of ids."""
    length: int
    """Tokens of an example."""
    median_tokens: float | None
    """Tokens of a training text: half of them have fewer; null for a language model, which reads them joined."""
    cut: float | None
    """Share of the training texts that are longer than an example; null for a language model."""
    unknown: float
    """Share of the tokens of the test split that the tokenizer does not know."""
    inputs: dict[str, str] | None = None
    """What each input of the model holds, where the recipe says it: `ids`, `mask` or `segments`."""
    padding: str = "end"
    """Where shorter texts are filled up: `start` or `end`."""
    truncation: str = "end"
    """Which end of longer texts is cut off: `start` or `end`."""
