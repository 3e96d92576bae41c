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
    median_tokens: float
    """Tokens of a training text: half of them have fewer."""
    cut: float
    """Share of the training texts that are longer than an example."""
    unknown: float
    """Share of the tokens of the test split that the tokenizer does not know."""
