"""Tiny generative files of the contract of LiteRT-LM, written by `make.py`: 14 tokens, a context of 16."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
LARGE, DRAFT, RECURRENT = (FOLDER / f"{name}.tflite" for name in ("large", "draft", "recurrent"))
TOKENIZER = FOLDER / "tokenizer.json"
CONTEXT = 16
VOCABULARY = 14
