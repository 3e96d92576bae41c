"""A prompt as tokens, if the file can read them."""

from __future__ import annotations

from collections.abc import Sequence

from tfopt.backend.text.tokenizer import Tokenizer
from tfopt.core.language.wording import counted
from tfopt.errors import StageError, UsageError

_NAMED = 5
"""Unknown words that an error names."""


def check_tokenizer(tokenizer: Tokenizer, vocabulary: int, name: str) -> None:
    """Raises where a tokenizer is not that of the file.

    Args:
        tokenizer: to turn texts into tokens with.
        vocabulary: number of tokens that the file has logits of.
        name: of the file.

    Raises:
        UsageError: it has tokens that the file has no logits of.
    """
    if tokenizer.vocabulary_size > vocabulary:
        raise UsageError(
            f"The tokenizer has {counted(tokenizer.vocabulary_size, 'token')}, but {name} has logits of {vocabulary}.",
            "Give the tokenizer that the model was trained with (--tokenizer).",
            code="wrong_tokenizer",
        )


def prompt_tokens(
    prompt: str | Sequence[int],
    tokenizer: Tokenizer | None,
    vocabulary: int,
    context: int | None,
    *,
    allow_unknown: bool = False,
) -> list[int]:
    """The tokens of a prompt.

    Args:
        prompt: a text, or ids of tokens.
        tokenizer: of the file; None for ids only.
        vocabulary: number of tokens that the file knows.
        context: most tokens that fit into its state; None for no limit.
        allow_unknown: take what the tokenizer does not know as its unknown token.

    Raises:
        UsageError: the prompt is empty, too long, has tokens outside the vocabulary, or is text without a tokenizer.
    """
    if isinstance(prompt, str):
        if tokenizer is None:
            raise UsageError(
                "The file has no tokenizer next to it, so that a text cannot be turned into tokens.",
                "Give it with --tokenizer FILE (tokenizer.json, or a SentencePiece .model).",
                code="data_missing",
            )
        tokens = _encoded(prompt, tokenizer, allow_unknown)
    else:
        tokens = [int(token) for token in prompt]
    if not tokens:
        raise UsageError(
            "The prompt is empty; a text is continued from at least one token.",
            "Give a prompt of at least one character.",
            code="empty_prompt",
        )
    outside = next((token for token in tokens if not 0 <= token < vocabulary), None)
    if outside is not None:
        raise UsageError(
            f"The prompt has the token {outside}, but the tokens of the file go from 0 to {vocabulary - 1}.",
            code="unknown_token",
        )
    if context is not None and len(tokens) >= context:
        raise UsageError(
            f"The prompt has {counted(len(tokens), 'token')}; with a context of {context} it may have {context - 1}.",
            "Shorten it, or export with a larger export.generate.context.",
            code="prompt_too_long",
        )
    return tokens


def _encoded(prompt: str, tokenizer: Tokenizer, allow_unknown: bool) -> list[int]:
    try:
        tokens = tokenizer.encode(prompt)
    except StageError:  # a word without a token, and no token for what is unknown
        tokens, unknown = [], _unknown(prompt, tokenizer)
        if not unknown:
            raise
    else:
        unknown = [] if allow_unknown and tokens else _unknown(prompt, tokenizer)
    if unknown:
        names = ", ".join(repr(each) for each in unknown[:_NAMED])
        more = f" and {len(unknown) - _NAMED} more" if len(unknown) > _NAMED else ""
        fix = "" if tokenizer.unknown_id is None else ", or take it as the unknown token (--allow-unknown)"
        raise UsageError(
            f"The prompt has {names}{more}, which the tokenizer does not know.",
            f"Write it with what the model was trained on{fix}.",
            code="unknown_token",
        )
    return tokens


def _unknown(prompt: str, tokenizer: Tokenizer) -> list[str]:
    """Words, or else characters, that the tokenizer has no tokens for."""
    words = [word for word in dict.fromkeys(prompt.split()) if not _knows(word, tokenizer)]
    if not words and not _knows(prompt, tokenizer):
        return [one for one in dict.fromkeys(prompt) if one.isspace() and not _knows(one, tokenizer)]
    characters = dict.fromkeys("".join(words))
    strange = [one for one in characters if not _knows(one, tokenizer)]
    # A tokenizer of words knows few characters by themselves: then the word is what is unknown.
    return strange if len(strange) < len(characters) else words


def _knows(text: str, tokenizer: Tokenizer) -> bool:
    try:
        tokens = tokenizer.encode(text)
    except StageError:
        return False
    return bool(tokens) and (tokenizer.unknown_id is None or tokenizer.unknown_id not in tokens)
