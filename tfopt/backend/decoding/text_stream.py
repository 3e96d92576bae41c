"""Text while its tokens arrive: a token may be a part of a character, or depend on the one before."""

from __future__ import annotations

from collections.abc import Sequence

from tfopt.backend.text.tokenizer import Tokenizer

_INCOMPLETE = "\N{REPLACEMENT CHARACTER}"


class TextStream:
    """Tokens in, text out.

    Args:
        tokenizer: that turns them into text.
        tokens: of the prompt, whose text is not returned; the spaces between words depend on its end.
    """

    def __init__(self, tokenizer: Tokenizer, tokens: Sequence[int]) -> None:
        self._tokenizer = tokenizer
        self._tokens = list(tokens)
        # Only the tokens since `_from` are turned into text, of which those before `_shown` were shown.
        self._from, self._shown = max(0, len(tokens) - 8), len(tokens)

    def add(self, token: int) -> str:
        """The text that is certain with one more token; empty while a character is incomplete."""
        self._tokens.append(token)
        text = self._new()
        if not text or text.endswith(_INCOMPLETE):
            return ""
        self._from, self._shown = self._shown, len(self._tokens)
        return text

    def end(self) -> str:
        """The rest."""
        return self._new()

    def _new(self) -> str:
        before = self._tokenizer.decode(self._tokens[self._from : self._shown])
        return self._tokenizer.decode(self._tokens[self._from :])[len(before) :]
