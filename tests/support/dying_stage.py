"""A prune stage that kills its own process, for test_resuming: `python -m tests.support.dying_stage FOLDER MOMENT`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tf_keras

from tests.support.contexts import context, digits, small_model
from tfopt.backend.stages import prune as pruning
from tfopt.backend.training import checkpoint
from tfopt.backend.training import loop as fitting
from tfopt.backend.training import steps as loop
from tfopt.core.config.data import Augment
from tfopt.stages.prune import Prune

STAGE = Prune.model_validate(
    {
        "name": "prune",
        "epochs": 6,
        "schedule": {"kind": "polynomial", "final": "80%", "begin": "3 steps", "end": "70%", "every": "5 steps"},
        "layers": [
            {"match": "conv2", "sparsity_m_by_n": [2, 4]},
            {
                "match": "logits",
                "schedule": {"kind": "constant", "final": "50%", "begin": "2 epochs", "end": "4 epochs"},
            },
        ],
        "learning_rate": {"kind": "plateau", "initial": 0.01, "patience": 1, "monitor": "loss"},
        "early_stopping": {"monitor": "val_loss", "patience": 3},
        "class_weights": "balanced",
    }
)
"""Everything at once: dropout, augmentation, three kinds of schedule, plateau and early stopping."""


def run(folder: Path, react: Any = lambda event: None) -> tf_keras.Model:
    """Carries the stage out in a folder."""
    model = small_model(dropout=0.3)
    run_context = context(folder, react, data=digits(640), augment=Augment(shift=0.1))
    return pruning.prune(model, STAGE, STAGE, run_context).model


def main(folder: Path, moment: str) -> None:
    """Carries the stage out until its moment comes."""

    def die(*arguments: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def react(event: Mapping[str, Any]) -> None:
        if event["event"] == moment.split()[0] and event["epoch"] == int(moment.split()[1]):
            die()

    loop.SIGN_OF_LIFE = fitting.SECONDS_BETWEEN_SIGNS = 0.0  # step by step, and each one shown
    if moment == "saving":
        checkpoint.os.replace = die
    run(folder, react)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
