"""How fast a text came, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tfopt.core.language.wording import counted
from tfopt.report.shared.formats import milliseconds, size

if TYPE_CHECKING:
    from tfopt.core.records.generation import Generation

_ENDS = {
    "stop": "ended by a stop token",
    "max_tokens": "as many as asked for",
    "context": "the context is full",
}


def generation_lines(found: Generation) -> Iterator[str]:
    """Tokens, speed, and what a draft was worth.

    Args:
        found: a generated text.
    """
    tokens = counted(len(found.tokens), "token")
    yield f"{tokens} ({_ENDS[found.finish]}) after {len(found.prompt_tokens)} of the prompt"
    speeds = []
    if found.decode_tokens_per_second is not None:
        speeds.append(f"{found.decode_tokens_per_second:,.0f} tokens/s")
    if found.time_to_first_token is not None:
        speeds.append(f"first token after {milliseconds(found.time_to_first_token)}")
    if found.prefill_tokens_per_second is not None:
        speeds.append(f"prompt read at {found.prefill_tokens_per_second:,.0f} tokens/s")
    speeds.append(f"cache {size(found.cache_bytes)}")
    yield ", ".join([*speeds, counted(found.threads, "thread")])
    speculation = found.speculation
    if speculation is not None and speculation.acceptance is None:
        yield f"{speculation.draft} proposed nothing: the context has no room for a round"
    elif speculation is not None:
        yield (
            f"{speculation.draft}: {speculation.accepted} of {speculation.proposed} proposed tokens accepted "
            f"({speculation.acceptance:.0%}), {speculation.tokens_per_call:.2f} tokens per call of {found.file}"
        )
