"""Text from a generative file."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tfopt.api.common import DEFAULT_OUT
from tfopt.errors import UsageError

if TYPE_CHECKING:
    from tfopt.core.records.generation import Generation


def generate(
    file: str | Path,
    prompt: str | Sequence[int],
    *,
    max_tokens: int = 128,
    temperature: float = 0.0,
    top_k: int | None = None,
    top_p: float = 1.0,
    repetition_penalty: float = 1.0,
    seed: int = 0,
    draft: str | Path | None = None,
    tokenizer: str | Path | None = None,
    stop: Sequence[str] = (),
    threads: int = 1,
    variant: str | None = None,
    allow_unknown: bool = False,
    out: str | Path = DEFAULT_OUT,
    on_text: Callable[[str], None] | None = None,
) -> Generation:
    """Continues a prompt with a file that `export.generate` wrote; without TensorFlow.

    Args:
        file: a generative .tflite or .litertlm, or a run.
        prompt: a text, or ids of tokens.
        max_tokens: most tokens to generate; a stop token or the end of the context may come first.
        temperature: 0 takes the most probable token each time; 1 draws by the probabilities of the model, less is more
            cautious, more is bolder.
        top_k: draws from this many of the most probable tokens only.
        top_p: draws from the most probable tokens only that together have this probability.
        repetition_penalty: above 1, tokens that occurred become less probable.
        seed: of the random numbers: the same seed gives the same text.
        draft: a smaller generative file, or a run, of the same tokenizer, which proposes tokens that the large model
            verifies together. The text is distributed as without it; it may come sooner.
        tokenizer: `tokenizer.json`, a SentencePiece `.model`, or their folder, in place of the file's own.
        stop: tokens that end the text, in addition to those of the file.
        threads: that kernels may use.
        variant: which file of `export.generate.files`, where `file` is a run with several.
        allow_unknown: take what the tokenizer does not know as its unknown token.
        out: folder of the runs.
        on_text: receives text as soon as it is certain.

    Returns:
        Text, tokens, why it ends, and speed.

    Raises:
        UsageError: a file is missing, or an argument, the prompt, the tokenizer or the draft does not go with it.
        StoreError: there is no such run.
        ExportError: a file is malformed, or not generative.
        EnvironmentProblem: a package that reads the file or its tokenizer is not installed.
    """
    _check(max_tokens >= 1, "max_tokens must be at least 1", max_tokens)
    _check(threads >= 1, "threads must be at least 1", threads)
    _check(math.isfinite(temperature) and temperature >= 0, "temperature must be a number of at least 0", temperature)
    _check(top_k is None or top_k >= 1, "top_k must be at least 1", top_k)
    _check(0 < top_p <= 1, "top_p must be above 0 and at most 1", top_p)
    _check(
        math.isfinite(repetition_penalty) and repetition_penalty > 0,
        "repetition_penalty must be a number above 0",
        repetition_penalty,
    )
    _check(seed >= 0, "seed must be at least 0", seed)
    if temperature == 0 and (top_k is not None or top_p < 1):
        raise UsageError(
            "top_k and top_p have no effect at temperature 0, which takes the most probable token.",
            "Give a temperature above 0, such as 0.8.",
            code="meaningless_key",
        )
    from tfopt.backend.decoding.generate import Request
    from tfopt.backend.decoding.generate import generate as generated
    from tfopt.backend.decoding.sampling import Sampling
    from tfopt.engine.generation import generative_file

    root = Path(out)
    request = Request(
        file=generative_file(file, root, variant),
        prompt=prompt,
        max_tokens=max_tokens,
        sampling=Sampling(temperature, top_k, top_p, repetition_penalty),
        seed=seed,
        draft=None if draft is None else generative_file(draft, root),
        tokenizer=None if tokenizer is None else Path(tokenizer),
        stop=tuple(stop),
        threads=threads,
        allow_unknown=allow_unknown,
    )
    return generated(request, on_text)


def _check(holds: bool, rule: str, value: object) -> None:
    if not holds:
        raise UsageError(f"{rule}. Got {value!r}.", code="out_of_range")
