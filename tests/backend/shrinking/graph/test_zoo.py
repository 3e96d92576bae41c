"""Every model of the zoo: removing units is masking them."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from tests.support.shrinking import assert_removal_is_exact
from tfopt.backend.models import zoo
from tfopt.backend.shrinking.graph import cost
from tfopt.backend.vision.anchors import AnchorGrid

pytestmark = pytest.mark.tf

TOKENS = {"vocabulary_size": 20, "width": 16}
MODELS: dict[str, tuple[tuple[int, ...], int, dict[str, Any]]] = {
    "autoencoder": ((16,), 16, {"units": 16, "depth": 1}),
    "bert": ((6,), 3, {**TOKENS, "blocks": 1, "heads": 2, "feed_forward_width": 24}),
    "ds_cnn": ((20, 10, 1), 4, {}),
    "gpt": ((6,), 20, {"width": 16, "blocks": 1, "heads": 4, "key_value_heads": 2, "positions": "rotary"}),
    "gru_lm": ((5,), 20, {"width": 16, "units": 16, "tie_weights": True}),
    "lstm_classifier": ((5,), 3, {**TOKENS, "units": 8, "bidirectional": True}),
    "lstm_lm": ((5,), 20, {"width": 16, "units": 16}),
    "mlp": ((8, 8), 4, {}),
    "mnist_cnn": ((12, 12), 4, {}),
    "mobilenet_v1_025": ((32, 32, 3), 4, {}),
    "resnet8": ((8, 8, 3), 4, {"blocks": 2}),
    "series_autoencoder": ((16, 2), 2, {}),
    "small_cnn": ((12, 12, 1), 4, {}),
    "speech_ds_cnn": ((12, 10), 4, {"filters": 16, "blocks": 1}),
    "speech_transformer": ((12, 10), 4, {"width": 16, "heads": 2, "blocks": 1}),
    "ssd_mobilenet": ((32, 32, 3), 3, {"anchors": AnchorGrid((32, 32))}),
    "transformer_classifier": ((6,), 3, {**TOKENS, "blocks": 1, "heads": 2}),
    "unet": ((16, 16, 3), 4, {"filters": [8, 16]}),
}

LONGEST = {
    *("lstm_classifier", "mobilenet_v1_025", "resnet8", "series_autoencoder", "speech_transformer", "ssd_mobilenet"),
}
"""Models whose kinds of layers others of the zoo and of `networks/shrinkable.py` have, too."""
LONG = pytest.mark.slow


def test_no_model_is_forgotten() -> None:
    files = {path.stem for path in Path(zoo.__path__[0]).glob("[a-z]*.py")}
    assert files == set(MODELS)


@pytest.mark.parametrize("name", [pytest.param(name, marks=LONG if name in LONGEST else ()) for name in MODELS])
def test_removing_units_is_masking_them(name: str) -> None:
    shape, outputs, arguments = MODELS[name]
    build = importlib.import_module(f"{zoo.__name__}.{name}").build
    model = build(shape, outputs, **arguments)
    smaller = assert_removal_is_exact(model)
    assert cost(smaller).parameters < 0.8 * cost(model).parameters
