"""SavedModel and `.keras` exports, read back and compared with the model they came from."""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend import agreement, model_store, serving
from tfopt.backend.export_files import num_bytes, num_gzip_bytes, put_in_place, writing
from tfopt.backend.file_measures import file_measures
from tfopt.core.claims import agreement_claim
from tfopt.core.export import ExportContext
from tfopt.core.records import ExportRecord

_LEAST_AGREEMENT = 0.999
_BATCH = 256
_NO_DATE = (1980, 1, 1, 0, 0, 0)

Answers = Mapping[str, np.ndarray]


def export_saved_model(model: Any, context: ExportContext) -> ExportRecord:
    """Writes `saved_model/` with the signature `serving_default`, and serves the test split from what was written.

    Args:
        model: a `tf_keras.Model`, or a `tfopt.backend.quantization.Quantized`, whose float weights are written.
        context: folder, data and metrics.

    Raises:
        ExportError: the folder cannot be written.
    """
    float_model, _ = serving.float_and_quantized(model)
    ports = serving.ports_of(float_model)

    def make(folder: Path) -> tuple[Path, Answers]:
        made = folder / "saved_model"
        serving.write_saved_model(float_model, ports, made)
        return made, _serve(made, serving.named_inputs(context.data.test.inputs, float_model, ports))

    return _export("saved_model", "saved_model", float_model, ports, context, make)


def _serve(saved_model: Path, inputs: Mapping[str, np.ndarray]) -> Answers:
    """Answers of a SavedModel, loaded as a server does: by plain TensorFlow, through its signature."""
    signature = tf.saved_model.load(str(saved_model)).signatures[serving.SIGNATURE]
    total = len(next(iter(inputs.values())))
    parts = [
        signature(**{name: tf.constant(values[start : start + _BATCH]) for name, values in inputs.items()})
        for start in range(0, total, _BATCH)
    ]
    return {name: np.concatenate([part[name].numpy() for part in parts]) for name in parts[0]}


def export_keras(model: Any, context: ExportContext) -> ExportRecord:
    """Writes `model.keras` without optimizer state, and reads it back with tf_keras.

    Args:
        model: a `tf_keras.Model`, or a `tfopt.backend.quantization.Quantized`, whose float weights are written.
        context: folder, data and metrics.

    Raises:
        ExportError: the file cannot be written.
        StageError: a layer cannot be saved.
    """
    float_model, _ = serving.float_and_quantized(model)
    ports = serving.ports_of(float_model)

    def make(folder: Path) -> tuple[Path, Answers]:
        trained, plain = folder / "trained", folder / "plain"
        trained.mkdir()
        plain.mkdir()
        # The only public way to leave the optimizer out of this format: load without it, and save again.
        model_store.save_model(float_model, trained)
        model_store.save_model(model_store.load_model(trained), plain)
        made = plain / "model.keras"
        _without_dates(made)
        return made, serving.answers(model_store.load_model(plain), context.data.test.inputs, ports)

    return _export("keras", "model.keras", float_model, ports, context, make)


def _without_dates(archive: Path) -> None:
    """Takes the time of writing out of a `.keras` archive, so that the same weights give the same bytes."""
    with zipfile.ZipFile(archive) as source:
        contents = {name: source.read(name) for name in source.namelist()}
    metadata = json.loads(contents["metadata.json"])
    year, month, day, hour, minute, second = _NO_DATE
    metadata["date_saved"] = f"{year}-{month:02}-{day:02}@{hour:02}:{minute:02}:{second:02}"
    contents["metadata.json"] = json.dumps(metadata).encode()
    with zipfile.ZipFile(archive, "w") as target:
        for name, content in contents.items():
            target.writestr(zipfile.ZipInfo(name, _NO_DATE), content)


def _export(
    name: str,
    file_name: str,
    model: tf_keras.Model,
    ports: serving.Ports,
    context: ExportContext,
    make: Callable[[Path], tuple[Path, Answers]],
) -> ExportRecord:
    """Makes a file in a temporary folder, moves it into place, and judges the answers that were read back from it."""
    context.emit({"event": "export_started", "export": name})
    target = context.folder / file_name
    with writing(target), tempfile.TemporaryDirectory(prefix=".keras-", dir=context.folder) as folder:
        made, found = make(Path(folder))
        put_in_place(made, target)
    expected = serving.answers(model, context.data.test.inputs, ports)
    compared = [agreement.compare(found[port], expected[port], context.compile) for port in ports.outputs]
    claims = [agreement_claim(_LEAST_AGREEMENT, comparison) for comparison in compared]
    measures = file_measures(found, context.data.test, context.compile, context.dense)
    record = ExportRecord(
        name=name,
        format=name,
        path=f"{context.folder.name}/{file_name}",
        bytes=num_bytes(target),
        gzip_bytes=num_gzip_bytes(target),
        measures={**measures, "agreement": compared[0].value},
        claims=claims,
    )
    held = all(claim.held for claim in claims)
    context.emit(
        {
            "event": "export_finished",
            "export": name,
            "bytes": record.bytes,
            "measures": record.measures,
            "held": held,
        }
    )
    return record
