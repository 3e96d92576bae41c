"""A text that a generative file continued, and how fast."""

from __future__ import annotations

from typing import Literal

from tfopt.core.records.record import Record

Finish = Literal["stop", "max_tokens", "context"]
"""Why a text ends: a stop token, as many tokens as asked for, or the context is full."""


class SpeculationRecord(Record):
    """What a draft model was worth."""

    draft: str
    """Name of its file."""
    proposed: int
    """Tokens that it proposed."""
    accepted: int
    """How many of them the large model took."""
    acceptance: float | None
    """Share of them; None where there was no room for a proposal."""
    tokens_per_call: float | None
    """Tokens that came of one call of the large model."""


class Generation(Record):
    """A text that a generative file continued."""

    file: str
    """Name of the file."""
    prompt: str | None
    """The text that was continued; None where tokens were given."""
    prompt_tokens: list[int]
    """Its tokens."""
    text: str | None
    """What was generated; None without a tokenizer."""
    tokens: list[int]
    """Its tokens, without the stop token."""
    finish: Finish
    """Why it ends there."""
    temperature: float
    top_k: int | None
    top_p: float
    repetition_penalty: float
    seed: int
    threads: int
    prefill_tokens_per_second: float | None
    """Tokens of the prompt read in a second, without the last, which `decode` reads; None for one token."""
    time_to_first_token: float | None
    """Milliseconds from the prompt to the first token, the file being open; None where none came."""
    decode_tokens_per_second: float | None
    """Tokens generated in a second, the prompt being read."""
    cache_bytes: int
    """Bytes of the state: keys and values, or that of a recurrent network."""
    speculation: SpeculationRecord | None = None
    """Of a draft; None without one."""
