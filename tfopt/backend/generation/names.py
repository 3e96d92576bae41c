"""Names of signatures and of their inputs and outputs, as LiteRT-LM reads them."""

from __future__ import annotations

TOKENS, POSITIONS, MASK, LOGITS = "tokens", "input_pos", "mask", "logits"
DECODE, WHOLE = "decode", "whole"
"""`whole` computes all positions of the context in one call; it proves the others, and is in no file."""
CACHE = "kv_cache_"
"""Begins the names of cached keys (`kv_cache_k_0`) and values (`kv_cache_v_0`)."""
GENERATION_JSON = "generation.json"
"""What a loop must know of the files of one export, in a file next to them: context, ids of stop tokens."""
