"""Runs a `.litertlm` file in LiteRT-LM itself. Called in a child process: the library may abort."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict

from tfopt.errors import ExportError

_ERROR = re.compile(r"^E\d{4} [^]]*\] (.*)")
"""A line that the library prints about an error; its exceptions do not say why."""


class Continued(TypedDict):
    """Continuations of prompts, and the token ids that LiteRT-LM makes of each prompt."""

    texts: list[str]
    tokens: list[list[int]]


def texts(path: str, prompts: list[str]) -> Continued:
    """Greedy continuations of prompts, each in a session of its own.

    Args:
        path: a `.litertlm` file.
        prompts: texts.

    Returns:
        `texts`: the continuations; `tokens`: the token ids that LiteRT-LM makes of each prompt.

    Raises:
        ExportError: LiteRT-LM refuses the file or a prompt; with what it printed.
    """
    with tempfile.TemporaryDirectory() as cache, _explained(Path(cache, "stderr")):
        return _texts(path, prompts, cache)


def _texts(path: str, prompts: list[str], cache: str) -> Continued:
    import litert_lm

    sampler = litert_lm.SamplerConfig(top_k=1, top_p=1.0, temperature=1.0, seed=0)
    found: list[str] = []
    tokens: list[list[int]] = []
    with litert_lm.Engine(path, backend=litert_lm.Backend.CPU(thread_count=1), cache_dir=cache) as engine:
        for prompt in prompts:
            tokens.append([int(token) for token in engine.tokenize(prompt)])
            with engine.create_session(apply_prompt_template=False, sampler_config=sampler) as session:
                session.run_prefill([prompt])
                found.append(session.run_decode().texts[0])
    return {"texts": found, "tokens": tokens}


@contextmanager
def _explained(printed: Path) -> Iterator[None]:
    """Adds what the library prints to its exceptions: it writes past `sys.stderr`, to the file descriptor."""
    before = os.dup(2)
    with printed.open("wb") as stream:
        os.dup2(stream.fileno(), 2)
    try:
        yield
    except (RuntimeError, ValueError) as error:
        lines = printed.read_text(encoding="utf-8", errors="replace").splitlines()
        said = [match[1] for line in lines if (match := _ERROR.match(line))]
        reason = f": {said[-1][:300]}" if said else ""
        raise ExportError(f"LiteRT-LM says {str(error)!r}{reason}", code="process_failed") from error
    finally:
        os.dup2(before, 2)
        os.close(before)
