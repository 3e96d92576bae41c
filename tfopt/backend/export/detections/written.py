"""A detector's file with suppression inside, compared with the one whose outputs are suppressed outside."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tfopt.backend.explain.pictured.objects import common
from tfopt.backend.export.detections.suppression import write_with_suppression
from tfopt.backend.export.tflite_run import Evaluation
from tfopt.backend.tflite import predict
from tfopt.backend.training.metrics.detection import probabilities_of
from tfopt.backend.types import Array
from tfopt.backend.vision.average_precision import mean_average_precision
from tfopt.backend.vision.detections import Detections, detections_of, objects_of
from tfopt.backend.vision.matching import BOXES, CLASSES
from tfopt.core.claims.agreement import broken_claim
from tfopt.core.claims.failures import Failure, attempt
from tfopt.core.config.files import detections as config
from tfopt.core.records.report import ClaimRecord
from tfopt.errors import ExportError

_SURE = 0.5
"""Score from which detections are compared."""
_LEAST = 0.99
"""Share of images in which they must be the same: boxes that reach beyond an image overlap a little differently."""
_THREADS = 1
"""LiteRT 2.3 divides the classes among its threads, and loses objects then. Of 500 images with five classes, 353, 355
and 385 have the same objects with 2, 3 and 4 threads (mean average precision 0.55 to 0.56, not 0.71), all with 1 and 8.
Suppression over all classes at once (`use_regular_nms: false`) does not depend on threads, and has 0.65."""
_CLAIM = "{} finds, with one thread, what the outputs hold"


def detections_claim(
    file: Path, outputs: Mapping[str, Array], keys: config.Detections, evaluation: Evaluation
) -> tuple[ClaimRecord, dict[str, object]]:
    """Writes `NAME.detections.tflite` next to a file, and runs it on the test split.

    Args:
        file: the `.tflite` whose outputs are `boxes` and `classes`.
        outputs: of that file on the test split, by name.
        keys: of the suppression.
        evaluation: test examples, anchors and loss.

    Returns:
        The claim that both find the same, broken where the file cannot be made or run; and details for the report.
    """
    target = file.with_name(f"{file.stem}.detections.tflite")
    found = attempt(_written, file, target, outputs, keys, evaluation)
    if isinstance(found, Failure):
        target.unlink(missing_ok=True)
        return broken_claim(_CLAIM.format(target.name), found.reason, code="same_detections"), {}
    return found


def _written(
    file: Path, target: Path, outputs: Mapping[str, Array], keys: config.Detections, evaluation: Evaluation
) -> tuple[ClaimRecord, dict[str, object]]:
    context = evaluation.context
    compile, data, targets = context.compile, context.data, context.data.test.targets
    if data.anchors is None or not isinstance(targets, dict):
        raise ExportError(f"The data {data.source} have no anchors.", code="data_missing")
    anchors = data.anchors.boxes()
    logits = bool(compile.of(CLASSES).single_loss.arguments().get("from_logits"))
    write_with_suppression(file, target, anchors, keys, logits=logits)
    made = predict.run_file(target, evaluation.inputs, evaluation.work, _THREADS).outputs
    images = range(len(outputs[BOXES]))
    inside = [detections_in({name: values[image] for name, values in made.items()}) for image in images]
    outside = [
        detections_of(
            outputs[BOXES][image],
            probabilities_of(outputs[CLASSES][image], compile),
            anchors,
            least_score=keys.least_score,
            threshold=keys.nms_iou,
            most=keys.most,
        )
        for image in images
    ]
    objects = [objects_of(targets[BOXES][image], targets[CLASSES][image], anchors) for image in images]
    precision = {
        "inside": mean_average_precision(inside, objects, 0.5),
        "outside": mean_average_precision(outside, objects, 0.5),
    }
    same = sum(_same(sure(one), sure(other)) for one, other in zip(inside, outside, strict=True))
    claim = ClaimRecord(
        claim=_CLAIM.format(target.name),
        held=same >= _LEAST * len(images),
        found=f"the same objects of a score from {_SURE} in {same} of {len(images)} images; mean average precision "
        f"{precision['inside']:.4f}, with suppression outside {precision['outside']:.4f}",
        code="same_detections",
    )
    return claim, {"file": target.name, "bytes": target.stat().st_size, "mean_average_precision": precision}


def detections_in(outputs: Mapping[str, Array]) -> Detections:
    """What a file with suppression found in an image: boxes as left, top, right, bottom, cut at the edges."""
    count = int(outputs["count"].reshape(-1)[0])
    boxes = outputs["locations"].reshape(-1, 4)[:count, [1, 0, 3, 2]].clip(0, 1)
    return Detections(boxes, outputs["labels"].reshape(-1)[:count].astype(int), outputs["scores"].reshape(-1)[:count])


def sure(found: Detections) -> Detections:
    """Those with a score from one half."""
    at = found.scores >= _SURE
    return Detections(found.boxes[at], found.labels[at], found.scores[at])


def _same(one: Detections, other: Detections) -> bool:
    return len(one.labels) == len(other.labels) == common(one, other)
