"""Runs a `.litertlm` file in LiteRT-LM itself. Called in a child process: the library may abort."""

from __future__ import annotations

import tempfile
from typing import Any


def texts(path: str, prompts: list[str]) -> dict[str, Any]:
    """Greedy continuations of prompts, each in a session of its own.

    Args:
        path: a `.litertlm` file.
        prompts: texts.

    Returns:
        `texts`: the continuations; `tokens`: the token ids that LiteRT-LM makes of each prompt.
    """
    import litert_lm

    sampler = litert_lm.SamplerConfig(top_k=1, top_p=1.0, temperature=1.0, seed=0)
    found: list[str] = []
    tokens: list[list[int]] = []
    with (
        tempfile.TemporaryDirectory() as cache,
        litert_lm.Engine(path, backend=litert_lm.Backend.CPU(thread_count=1), cache_dir=cache) as engine,
    ):
        for prompt in prompts:
            tokens.append([int(token) for token in engine.tokenize(prompt)])
            with engine.create_session(apply_prompt_template=False, sampler_config=sampler) as session:
                session.run_prefill([prompt])
                found.append(session.run_decode().texts[0])
    return {"texts": found, "tokens": tokens}
