"""Continues one prompt with a generative file: text, tokens and speed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import numpy as np

from tfopt.backend.decoding.located import Located, located
from tfopt.backend.decoding.loops import Counts, one_by_one, speculative
from tfopt.backend.decoding.model import GenerativeModel
from tfopt.backend.decoding.prompts import check_tokenizer, prompt_tokens
from tfopt.backend.decoding.sampling import Sampling
from tfopt.backend.decoding.text_stream import TextStream
from tfopt.backend.text.tokenizer import Tokenizer
from tfopt.core.records.generation import Finish, Generation, SpeculationRecord
from tfopt.errors import ExportError, UsageError


@dataclass(frozen=True)
class Request:
    """What to generate.

    Args:
        file: a generative `.tflite` or `.litertlm`.
        prompt: a text, or ids of tokens.
        max_tokens: most tokens to generate.
        sampling: how they are chosen.
        seed: of the random numbers.
        draft: a small model that proposes tokens; None without one.
        tokenizer: file in place of the file's own.
        stop: tokens that end the text, in addition to those of the file.
        threads: that kernels may use.
        allow_unknown: take what the tokenizer does not know as its unknown token.
    """

    file: Path
    prompt: str | Sequence[int]
    max_tokens: int = 128
    sampling: Sampling = field(default_factory=Sampling)
    seed: int = 0
    draft: Path | None = None
    tokenizer: Path | None = None
    stop: tuple[str, ...] = ()
    threads: int = 1
    allow_unknown: bool = False


def generate(request: Request, on_text: Callable[[str], None] | None = None) -> Generation:
    """Continues a prompt until a stop token, the asked number of tokens, or the end of the context.

    Args:
        request: what to generate.
        on_text: receives text as soon as it is certain.

    Raises:
        UsageError: the prompt, the tokenizer or the draft does not go with the file.
        ExportError: a file is malformed, or is not generative.
    """
    with ExitStack() as stack:
        found = stack.enter_context(located(request.file, request.tokenizer))
        model = GenerativeModel(found.file, request.threads)
        name = request.file.name
        if found.tokenizer is not None:
            check_tokenizer(found.tokenizer, model.signatures.vocabulary, name)
        prompt = prompt_tokens(
            request.prompt,
            found.tokenizer,
            model.signatures.vocabulary,
            model.context,
            allow_unknown=request.allow_unknown,
        )
        draft = None
        if request.draft is not None:
            draft = _draft(model, name, found, stack.enter_context(located(request.draft)), request)
            prompt_tokens(prompt, None, draft.signatures.vocabulary, draft.context)
        stop = frozenset(found.stop) | {_stop_token(each, found.tokenizer) for each in request.stop}
        random, counts = np.random.default_rng(request.seed), Counts()
        tokens = (
            one_by_one(model, prompt, request.sampling, random, counts)
            if draft is None
            else speculative(model, draft, prompt, request.sampling, random, counts)
        )
        made = _run(tokens, prompt, request, stop, found.tokenizer, on_text or (lambda text: None))
    return _record(request, model, prompt, made, counts)


@dataclass(frozen=True)
class _Made:
    tokens: list[int]
    text: str | None
    finish: Finish
    prefill: float
    first: float | None
    total: float
    drawn: int


def _run(
    loop: Iterator[int | None],
    prompt: Sequence[int],
    request: Request,
    stop: frozenset[int],
    tokenizer: Tokenizer | None,
    on_text: Callable[[str], None],
) -> _Made:
    stream = None if tokenizer is None else TextStream(tokenizer, prompt)
    tokens: list[int] = []
    pieces: list[str] = []

    def show(text: str) -> None:
        if text:
            pieces.append(text)
            on_text(text)

    begun = perf_counter()
    next(loop)
    prefill = perf_counter() - begun
    first: float | None = None
    finish: Finish = "max_tokens"
    count = 0
    while len(tokens) < request.max_tokens:
        token = next(loop, None)
        if token is None:
            finish = "context"
            break
        count += 1
        first = perf_counter() - begun if first is None else first
        if token in stop:
            finish = "stop"
            break
        tokens.append(token)
        if stream is not None:
            show(stream.add(token))
    total = perf_counter() - begun
    if stream is not None:
        show(stream.end())
    text = None if stream is None else "".join(pieces)
    return _Made(tokens, text, finish, prefill, first, total, count)


def _draft(model: GenerativeModel, name: str, found: Located, small: Located, request: Request) -> GenerativeModel:
    """The draft, if it can propose tokens to the model."""
    if not model.signatures.verify or model.signatures.recurrent:
        why = (
            "is recurrent: what it read cannot be taken back"
            if model.signatures.recurrent
            else "has no signature verify_N, which reads several proposed tokens in one call"
        )
        raise ExportError(
            f"{name} {why}.",
            "A draft helps an attention model that was exported with export.generate.verify: 4, say.",
            code="not_generative",
        )
    draft = GenerativeModel(small.file, request.threads)
    sizes = draft.signatures.vocabulary, model.signatures.vocabulary
    if sizes[0] != sizes[1] or (
        small.tokenizer is not None
        and found.tokenizer is not None
        and small.tokenizer.vocabulary != found.tokenizer.vocabulary
    ):
        what = f"has {sizes[0]} tokens, {name} {sizes[1]}" if sizes[0] != sizes[1] else "calls its tokens differently"
        raise UsageError(
            f"The draft {(request.draft or small.file).name} {what}.",
            "A draft must be trained with the tokenizer of the large model.",
            code="wrong_tokenizer",
        )
    return draft


def _stop_token(token: str, tokenizer: Tokenizer | None) -> int:
    found = None if tokenizer is None else tokenizer.id_of(token)
    if found is None:
        raise UsageError(
            f"There is no token {token!r} to stop at.", "Name a token of the tokenizer.", code="unknown_token"
        )
    return found


def _record(request: Request, model: GenerativeModel, prompt: Sequence[int], made: _Made, counts: Counts) -> Generation:
    speculation = None
    if request.draft is not None:
        speculation = SpeculationRecord(
            draft=request.draft.name,
            proposed=counts.proposed,
            accepted=counts.accepted,
            acceptance=counts.accepted / counts.proposed if counts.proposed else None,
            tokens_per_call=made.drawn / counts.calls if counts.calls else None,
        )
    return Generation(
        file=request.file.name,
        prompt=request.prompt if isinstance(request.prompt, str) else None,
        prompt_tokens=list(prompt),
        text=made.text,
        tokens=made.tokens,
        finish=made.finish,
        temperature=request.sampling.temperature,
        top_k=request.sampling.top_k,
        top_p=request.sampling.top_p,
        repetition_penalty=request.sampling.repetition_penalty,
        seed=request.seed,
        threads=request.threads,
        prefill_tokens_per_second=(len(prompt) - 1) / made.prefill if len(prompt) > 1 else None,
        time_to_first_token=None if made.first is None else made.first * 1000,
        decode_tokens_per_second=made.drawn / (made.total - made.prefill) if made.drawn else None,
        cache_bytes=model.signatures.cache_bytes,
        speculation=speculation,
    )
