"""Tiny Shakespeare: 1,115,394 characters of plays, 65 different ones, for language models."""

from __future__ import annotations

from tfopt.backend.data.datasets._own_folder import own_folder
from tfopt.errors import StageError

FOLDER = "TINY_SHAKESPEARE"
"""Environment variable with the folder, where `args.folder` is not given."""


def load(*, folder: str | None = None) -> str:
    """Reads `input.txt` of Tiny Shakespeare (Karpathy 2015); `data.splits` cuts it in order.

    The file is at github.com/karpathy/char-rnn (data/tinyshakespeare/input.txt); the text is in the public domain. A
    recipe needs `data.text` with `task: language_model`.

    Args:
        folder: with the file; without it, the environment variable TINY_SHAKESPEARE names it.

    Returns:
        The text.

    Raises:
        EnvironmentProblem: the folder is not given, or does not exist.
        StageError: it has no such file, or it cannot be read.
    """
    path = own_folder("tiny_shakespeare", folder, FOLDER, "input.txt from github.com/karpathy/char-rnn") / "input.txt"
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StageError(f"{path} cannot be read: {error}.", code="data_unreadable") from error
