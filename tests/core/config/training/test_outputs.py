"""What outputs mean, for each loss that a recipe can name."""

from __future__ import annotations

import pytest

from tfopt.core.config.training.compile import Compile
from tfopt.core.config.training.keras_names import LOSSES
from tfopt.core.config.training.outputs import Outputs

MEANINGS = {
    # task, squash, classes are compared, one number per label
    "binary_crossentropy": ("binary", "sigmoid", True, True),
    "binary_focal_crossentropy": ("binary", "sigmoid", True, True),
    "categorical_crossentropy": ("classes", "softmax", True, False),
    "categorical_focal_crossentropy": ("classes", "softmax", True, False),
    "sparse_categorical_crossentropy": ("classes", "softmax", True, False),
    "sparse_categorical_focal_crossentropy": ("classes", "softmax", True, False),
    "sparse_categorical_dice_crossentropy": ("classes", "softmax", True, False),
    "hard_negative_crossentropy": ("classes", "softmax", True, False),
    "binary_dice_crossentropy": ("binary", "sigmoid", True, True),
    "kl_divergence": ("classes", None, True, False),
    "categorical_hinge": ("quantities", None, True, False),
    "hinge": ("quantities", None, True, True),
    "squared_hinge": ("quantities", None, True, True),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_the_meaning_of_outputs_follows_from_the_loss(loss: str) -> None:
    outputs = Outputs.of(Compile.model_validate({"loss": loss}))

    found = outputs.task, outputs.squash, outputs.are_classes, outputs.one_per_label
    assert found == MEANINGS.get(loss, ("quantities", None, False, False))
    assert outputs.threshold == (0.0 if "hinge" in loss and loss != "categorical_hinge" else 0.5)


def test_logits_are_above_zero_where_the_answer_is_yes() -> None:
    loss = {"name": "binary_crossentropy", "from_logits": True}
    outputs = Outputs.of(Compile.model_validate({"loss": loss}))

    assert outputs.are_logits
    assert outputs.threshold == 0.0
