"""Makes a bundle of the files of other exports; one that failed is left out with a word."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import tf_keras

from tfopt import __version__
from tfopt.backend.audit.sizes import num_bytes, num_gzip_bytes, num_zstd_bytes
from tfopt.backend.bundle import manifest, model_card
from tfopt.backend.bundle.contents import About, Bundled, add_file, write_array
from tfopt.backend.bundle.labels import files_of, labelled_outputs, labels_of_outputs
from tfopt.backend.bundle.metadata.content import ModelMeaning
from tfopt.backend.bundle.preflight import KIND, output_sizes
from tfopt.backend.data.arrays.stored import save_rows
from tfopt.backend.export.files import put_in_place, writing
from tfopt.backend.export.keras_files import saved_model
from tfopt.backend.export.raw_inputs import raw_inputs
from tfopt.backend.export.texts import raw_texts
from tfopt.backend.quantization.quantized import Quantized
from tfopt.backend.types import Array, Arrays, ExampleArray
from tfopt.core.claims.failures import Failure, attempt, failed_export
from tfopt.core.config.files.bundle_keys import BundleKeys
from tfopt.core.config.training.outputs import Outputs
from tfopt.core.contracts.events import ExportFinished, ExportStarted, Warned
from tfopt.core.contracts.export import ExportContext
from tfopt.core.records.report import ExportRecord
from tfopt.errors import ExportError


@dataclass(frozen=True)
class Made:
    """A bundle as it was written.

    Args:
        files: its `.tflite` files.
        left_out: why a file is not in it, by name.
    """

    files: tuple[Bundled, ...]
    left_out: Mapping[str, str]


def export(model: tf_keras.Model | Quantized, bundle: BundleKeys, context: ExportContext) -> ExportRecord:
    """Writes `bundle/` and `bundle.zip`.

    Args:
        model: of the last stage.
        bundle: its keys in the recipe.
        context: folder, data, and the records of the files that are written.

    Returns:
        A record; of a bundle that could not be made, with `error`.
    """
    context.emit(ExportStarted(KIND))
    target, path = context.folder / KIND, f"{context.folder.name}/{KIND}"
    made = attempt(_write, model, bundle, context, target)
    if isinstance(made, Failure):
        context.emit(ExportFinished(KIND, 0, {}, held=False))
        return failed_export(KIND, KIND, path, made)
    for name, reason in made.left_out.items():
        context.emit(Warned(f"{name}.tflite is not in the bundle: {reason}"))
    claims = [claim for file in made.files for claim in file.claims]
    archive = target.with_suffix(".zip")
    record = ExportRecord(
        name=KIND,
        format=KIND,
        path=path,
        bytes=num_bytes(target),
        gzip_bytes=num_gzip_bytes(target),
        zstd_bytes=num_zstd_bytes(target),
        measures={},
        claims=claims,
        details={
            "files": [file.record.name for file in made.files],
            "left_out": dict(made.left_out),
            "zip": f"{context.folder.name}/{archive.name}",
            "zip_bytes": archive.stat().st_size,
        },
    )
    context.emit(ExportFinished(KIND, record.bytes, {}, held=all(claim.held for claim in claims)))
    return record


def _write(model: tf_keras.Model | Quantized, bundle: BundleKeys, context: ExportContext, target: Path) -> Made:
    float_model, _ = saved_model.float_and_quantized(model)
    signature = saved_model.signature_of(float_model, context.compile.all_outputs)
    about = _about(float_model, bundle, context)
    given, raw = _examples(bundle, context, about)
    inputs = saved_model.named_inputs(given, float_model, signature)
    with writing(context.folder), tempfile.TemporaryDirectory(prefix=".bundle-", dir=context.folder) as folder:
        work, written = Path(folder), Path(folder) / KIND
        (written / "golden").mkdir(parents=True)
        if raw is not None:
            write_array(raw[:, np.newaxis], written / "golden" / "raw")
        if about.texts is not None:
            texts = raw_texts.golden_texts(context.data, about.texts, given)
            (written / "golden" / raw_texts.FILE).write_bytes(raw_texts.content(texts))
        for name, content in about.associated.items():  # before the files: their code may read these
            (written / name).write_bytes(content)
        made = _files(bundle, context, about, _saved(inputs, work), written, work)
        (written / model_card.NAME).write_text(model_card.text(made.files, about, bundle, context), encoding="utf-8")
        manifest.write(written, made.files, made.left_out, about, context)
        archive = manifest.archive(written, work / f"{KIND}.zip")
        put_in_place(written, target)
        put_in_place(archive, target.with_suffix(".zip"))
    return made


def _examples(bundle: BundleKeys, context: ExportContext, about: About) -> tuple[Arrays, Array | None]:
    """Golden inputs of the test split, and the raw examples that they were made of; None where those are not known."""
    if about.raw is not None and about.raw.audio is not None and about.raw.pairs is not None:
        pairs = list(about.raw.pairs(bundle.examples))
        return np.stack([prepared for _, prepared in pairs]), np.stack([samples for samples, _ in pairs])
    inputs = context.data.test.take(bundle.examples, context.seed).inputs
    if about.raw is None or isinstance(inputs, dict):
        return inputs, None
    return inputs, about.raw.undone(inputs)


def _files(
    bundle: BundleKeys, context: ExportContext, about: About, inputs: Mapping[str, Path], written: Path, work: Path
) -> Made:
    records = {record.name: record for record in context.written if record.format == "tflite"}
    made: list[Bundled] = []
    left_out: dict[str, str] = {}
    for name in bundle.variants or tuple(records):
        record = records.get(name)
        file = context.folder / f"{name}.tflite"
        if record is None or not record.bytes or not file.is_file():
            left_out[name] = f"it was not written. {record.error}" if record and record.error else "it was not written."
            continue
        (work / name).mkdir()
        found = attempt(add_file, record, file, inputs, about, written, work / name)
        if isinstance(found, Failure):
            left_out[name] = found.reason
            manifest.remove(written, name)
        else:
            made.append(found)
    if not made:
        reasons = "; ".join(f"{name}: {reason.strip()}" for name, reason in left_out.items())
        raise ExportError(f"None of the files can go into the bundle: {reasons}", code="export_failed")
    return Made(tuple(made), left_out)


def _saved(inputs: Mapping[str, ExampleArray], work: Path) -> dict[str, Path]:
    files = {name: work / f"given.{number}.npy" for number, name in enumerate(inputs)}
    for name, values in inputs.items():
        save_rows(files[name], values)
    return files


def _about(model: tf_keras.Model, bundle: BundleKeys, context: ExportContext) -> About:
    data = context.data
    sizes = output_sizes(model, context.compile.all_outputs)
    labels = _labels(bundle, context, sizes)
    files = {} if data.preprocessing is None else dict(data.preprocessing.files)
    if taken := sorted({*files_of(labels).values()} & files.keys()):
        raise ExportError(f"The preprocessing has a file named {taken[0]}, as the labels.", code="duplicate_name")
    of_each = context.compile.of_each()
    return About(
        ModelMeaning(
            context.recipe or model.name,
            bundle.description or context.description,
            bundle.version or "",
            bundle.author or "",
            bundle.licence or "",
        ),
        labels,
        raw_inputs(data, bundle.normalization),
        raw_texts.raw_texts(data),
        frozenset(name for name in sizes if (of := of_each.get(name, of_each.get(""))) and Outputs.of(of).are_classes),
        files,
        {"tfopt": __version__, "litert": version("ai-edge-litert")},
    )


def _labels(bundle: BundleKeys, context: ExportContext, sizes: Mapping[str, int | None]) -> dict[str, tuple[str, ...]]:
    """By output: those of the recipe, else those of the data source where they fit."""
    data = context.data
    if bundle.labels is not None:
        return labels_of_outputs(bundle.labels, sizes, context.recipe_folder)
    if data.classes_of_outputs:
        return {
            name: tuple(names)
            for name, names in data.classes_of_outputs.items()
            if name in sizes and labelled_outputs(len(names), {name: sizes[name]})
        }
    names = tuple(data.label_names or ())
    return dict.fromkeys(labelled_outputs(len(names), sizes), names)
