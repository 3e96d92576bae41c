"""The events of a short run, and the lines that show what is finished."""

from __future__ import annotations

from typing import Any

EVENTS: list[dict[str, Any]] = [
    {"event": "run_started", "run": "1", "recipe": "digits", "stages": ["train", "prune"], "exports": ["int8"]},
    {"event": "stage_started", "stage": "train", "kind": "train", "epochs": 2, "steps": 40, "cached": True},
    {"event": "epoch", "stage": "train", "epoch": 1, "step": 20, "cached": True},
    {"event": "stage_finished", "stage": "train", "seconds": 3.0, "measures": {"loss": 0.1, "accuracy": 0.98},
     "cached": True},
    {"event": "stage_started", "stage": "prune", "kind": "prune", "epochs": 2, "steps": 40, "cached": False},
    {"event": "progress", "stage": "prune", "step": 13, "steps": 40, "epoch": 1, "epochs": 2,
     "metrics": {"loss": 0.25, "accuracy": 0.971}, "sparsity": 0.452},
    {"event": "epoch", "stage": "prune", "epoch": 1, "step": 20},
    {"event": "epoch", "stage": "prune", "epoch": 2, "step": 40},
    {"event": "details", "stage": "prune", "skipped": {"logits": "a rule says skip"}},
    {"event": "stage_finished", "stage": "prune", "seconds": 12.0,
     "measures": {"accuracy": 0.9806, "loss": 0.0746, "sparsity": 0.7991}, "cached": False},
    {"event": "export_started", "export": "int8"},
    {"event": "export_finished", "export": "int8", "bytes": 43_560, "held": False,
     "measures": {"accuracy": 0.9778, "accuracy_drop": 0.0055, "latency_ms": 0.0121, "latency_ms_p10": 0.01}},
    {"event": "warning", "message": "conv is small."},
    {"event": "run_finished", "state": "done", "seconds": 20.0, "held": False},
]  # fmt: skip
FINISHED = [
    "digits  1",
    "train  1 epoch  from the store  accuracy 98.0%  loss 0.1",
    "prune  2 epochs  12 s  accuracy 98.1%  sparsity 79.9%  loss 0.0746",
    "int8   43.6 kB  accuracy 97.8%  latency 12.1 µs  CLAIM BROKEN",
    "warning: conv is small.",
]
