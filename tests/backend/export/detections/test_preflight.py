"""Detections are for detectors: found out before training."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from tfopt.backend.export.detections.preflight import detections_preflight
from tfopt.backend.vision.anchors import AnchorGrid
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.config.training.compile import Compile

DETECTOR = {"boxes": "box_huber", "classes": "hard_negative_crossentropy"}


def problems(anchors: AnchorGrid | None, loss: Any) -> list[tuple[Any, ...]]:
    data = SimpleNamespace(anchors=anchors, source="pictures")
    workload = SimpleNamespace(data=data, compile=Compile.model_validate({"loss": loss}))
    variants = {
        "int8": Variant.model_validate({"quantize": "int8", "detections": {}}),
        "float32": Variant.model_validate({}),
    }
    found = detections_preflight(variants, cast("Any", workload)).problems
    return [(mistake.path, mistake.code) for mistake in found]


def test_only_detectors_have_detections() -> None:
    grid = AnchorGrid((32, 32))
    assert problems(grid, DETECTOR) == []
    wrong = [(("int8", "detections"), "meaningless_key")]
    assert problems(None, DETECTOR) == wrong
    assert problems(grid, "mse") == wrong
