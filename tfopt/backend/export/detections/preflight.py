"""What is wrong with asking for a file that ends with detections, before training."""

from __future__ import annotations

from collections.abc import Mapping

from tfopt.backend.vision.matching import BOXES, CLASSES
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.contracts.export import ExportWorkload
from tfopt.core.contracts.preflight import Preflight
from tfopt.core.language.mistakes import Mistake


def detections_preflight(variants: Mapping[str, Variant], workload: ExportWorkload) -> Preflight:
    """Problems of the variants with `detections`: the model is no detector of tfopt's anchors.

    Args:
        variants: files by name.
        workload: data and outputs.
    """
    asking = [name for name, variant in variants.items() if variant.detections is not None]
    data, compile = workload.data, workload.compile
    if not asking or data is None or compile is None:
        return Preflight()
    if data.anchors is not None and {BOXES, CLASSES} <= set(compile.outputs):
        return Preflight()
    message = (
        f"detections is for detectors with the outputs {BOXES} and {CLASSES} on anchors of the data (docs/vision.md); "
        f"the data {data.source} have no anchors, or compile.loss does not name these outputs. Remove detections"
    )
    problems = [Mistake((name, "detections"), message, code="meaningless_key") for name in asking]
    return Preflight(problems=tuple(problems))
