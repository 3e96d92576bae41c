"""Small `.tflite` files with records, as the tflite target leaves them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.audit.tflite import audit_tflite
from tfopt.backend.export.keras_files import saved_model
from tfopt.core.records.report import ClaimRecord, ExportRecord


def converted(
    model: tf_keras.Model, folder: Path, name: str, calibration: np.ndarray | None = None, batch: int | None = None
) -> ExportRecord:
    """Converts a model; to int8 with inputs and outputs of int8 where there are calibration examples."""
    source = folder.parent / f"saved_{name}"
    saved_model.write_saved_model(model, saved_model.signature_of(model), source, batch)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(source))
    if calibration is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([image] for image in calibration[:32, None])
        converter.inference_input_type = converter.inference_output_type = tf.int8
    file = folder / f"{name}.tflite"
    file.write_bytes(converter.convert())
    return ExportRecord(
        name=name,
        format="tflite",
        path=f"export/{file.name}",
        bytes=file.stat().st_size,
        gzip_bytes=1,
        measures={"accuracy": 0.125, "agreement": 1.0, "latency_ms": 0.5},
        audit=audit_tflite(file),
        claims=[ClaimRecord(claim="weights | all", held=False, found="some", code="weights_dtype")],
    )
