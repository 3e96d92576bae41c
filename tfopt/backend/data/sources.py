"""From the `source` of a recipe's `data` block to arrays by split."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

import numpy as np

from tfopt.backend.data.annotated.box_files import is_box_list, load_boxes
from tfopt.backend.data.annotated.mask_folder import has_masks, load_masks
from tfopt.backend.data.caching.keeping import temporary_folder
from tfopt.backend.data.caching.spool import Spools
from tfopt.backend.data.checks import NEEDS_TEXT
from tfopt.backend.data.images.image_folder import load_images
from tfopt.backend.data.label_names import label_names_of
from tfopt.backend.data.prepared import Prepared, RawExamples
from tfopt.backend.data.raw_inputs import RawInputs, raw_inputs_of
from tfopt.backend.data.records.examples import load_tfrecords
from tfopt.backend.data.records.shards import has_files, is_table, is_tfrecord
from tfopt.backend.data.records.tables import load_tables
from tfopt.backend.data.splits import Preprocessing
from tfopt.backend.data.tables.series_files import has_series, load_series
from tfopt.backend.data.tables.tabular import load_csv, load_npz
from tfopt.backend.data.text_values import splits_of_language
from tfopt.backend.data.wav_folder import has_wavs, load_wavs
from tfopt.backend.text.folders import read_folder, reader_of
from tfopt.backend.types import Array
from tfopt.backend.vision.anchors import AnchorGrid
from tfopt.catalog import references
from tfopt.core.config.data import DataConfig
from tfopt.core.config.text.text import TextConfig
from tfopt.core.language.references import is_reference
from tfopt.errors import StageError

if TYPE_CHECKING:
    from tensorflow.data import Dataset as _Dataset  # not at run time: array sources need no TensorFlow

_SPLITS = ("train", "validation", "test")
_FORMS = (
    "Expected (x, y) or (x, y, weights), ((x_train, y_train), (x_test, y_test)), a dict with train and optionally "
    "validation and test, or a finite tf.data.Dataset in place of any (x, y). Several inputs are a tuple in the order "
    "of the model's inputs, ((x1, x2), y), or a dict by their names, ({'left': x1, 'right': x2}, y)."
)


@dataclass(frozen=True, eq=False)
class ReadSource:
    """What a source gave.

    Args:
        splits: `train` and whichever of `validation` and `test` the source declares.
        preprocessing: what must travel with a model; None where nothing must.
        raw: what was done to raw examples; None where the return value does not say.
        anomalies: which examples of the test split are anomalies; None where that is not known.
        label_names: names of the classes; None where the return value does not say.
        anchors: what the targets of a detector are relative to; None for other data.
        is_cut: whether the source has set validation and test aside itself, as data.splits says.
    """

    splits: dict[str, RawExamples]
    preprocessing: Preprocessing | None = None
    raw: RawInputs | None = None
    anomalies: Array | None = None
    label_names: tuple[str, ...] | None = None
    anchors: AnchorGrid | None = None
    is_cut: bool = False


def read(config: DataConfig, folder: Path, spools: Spools = Spools()) -> ReadSource:  # noqa: B008
    """Runs a source.

    Args:
        config: source and its arguments.
        folder: what relative paths are relative to, and where modules next to the recipe are found.
        spools: where the examples of streams go.

    Raises:
        StageError: the source is unknown, fails, or returns something else.
        EnvironmentProblem: an entry point fails, or a file must be downloaded and cannot.
    """
    function = _function(config, folder, spools.folder)
    value = references.call(function, config.source, config.args, folder)
    if isinstance(value, Prepared):
        splits = as_splits(value.examples, config.source, spools)
        about = value.preprocessing, value.raw, value.anomalies, value.label_names, value.anchors, value.is_cut
        return ReadSource(splits, *about)
    return ReadSource(as_splits(value, config.source, spools))


def read_texts(config: DataConfig, text: TextConfig, folder: Path) -> dict[str, RawExamples]:
    """Runs a source of texts.

    Args:
        config: source and its arguments.
        text: columns, encoding and task.
        folder: as for `read`.

    Returns:
        Texts and labels by split, unchecked; labels None for a language model.

    Raises:
        StageError: as `read`.
        EnvironmentProblem: as `read`.
    """
    value = references.call(_function(config, folder), config.source, config.args, folder)
    if isinstance(value, Prepared):
        raise StageError(
            f"{config.source} returned what must travel with a model, but data.text makes its own tokenizer.",
            "Return the texts and labels alone, or remove data.text.",
            code="conflicting_keys",
        )
    if text.is_language_model:
        return splits_of_language(value, config.source)
    if isinstance(value, str):
        raise StageError(
            f"{config.source} returned a text without labels.",
            "Use data.text.task: language_model, or a source with labels.",
            code="invalid_data",
        )
    return as_splits(value, config.source)


def raw_inputs(config: DataConfig, folder: Path) -> RawInputs | None:
    """What a source did to raw examples; None where it does not say.

    Args:
        config: source and its arguments, which `read` has accepted.
        folder: as for `read`.
    """
    return raw_inputs_of(_function(config, folder), config.args)


def label_names(config: DataConfig, folder: Path) -> tuple[str, ...] | None:
    """The names that a source gives its classes; None where it gives none.

    Args:
        config: source and its arguments, which `read` has accepted.
        folder: as for `read`.
    """
    return label_names_of(_function(config, folder))


def _function(config: DataConfig, folder: Path, kept: Path | None = None) -> Callable[..., object]:
    """What reads a source; `kept` is the folder of decoded examples, None for a temporary one."""
    source = config.source
    is_file = not references.is_function(source) and bool(Path(source).suffix or "/" in source)
    if config.features is not None and not is_file:
        raise StageError(
            f"data.features is for TFRecord, Parquet and Arrow files, but {source!r} is none.",
            "Remove data.features.",
            code="meaningless_key",
        )
    if references.is_function(source):
        return references.function(source, folder)
    return _file(config, folder, kept) if is_file else references.by_name("dataset", source)


def _file(config: DataConfig, folder: Path, kept: Path | None) -> Callable[..., object]:
    source = config.source
    path = folder / Path(source).expanduser()
    key = None if config.splits.key is None or is_reference(config.splits.key) else config.splits.key
    if config.text is not None and path.is_dir():
        return partial(read_folder, path, config.text)
    if path.is_dir() and has_masks(path, config.args):
        return partial(load_masks, path)
    if config.text is None and has_files(path, is_tfrecord):
        return partial(load_tfrecords, path, config.features, key, kept or temporary_folder(None))
    if config.text is None and has_files(path, is_table):
        return partial(load_tables, path, config.features, key)
    if config.features is not None:
        raise StageError(
            f"data.features is for TFRecord, Parquet and Arrow files, but {source!r} has none.",
            "Remove data.features, or correct data.source.",
            code="meaningless_key",
        )
    on_the_fly = config.cache in ("disk", "none")
    if path.is_dir():
        if "window" in config.args and has_series(path):
            return partial(load_series, path, config.splits)
        if has_wavs(path):
            return partial(load_wavs, path, config.splits, config.seed, on_the_fly)
        return partial(load_images, path)
    if not path.exists():
        raise StageError(
            f"The data {source!r} does not exist: there is no {path}.",
            "A relative path starts at the recipe.",
            code="data_missing",
        )
    if config.text is not None:
        return partial(reader_of(path), path, config.text)
    if is_box_list(path, config.args):
        return partial(load_boxes, path)
    if path.suffix == ".npz":
        return partial(load_npz, path, on_the_fly, key)
    if path.suffix == ".csv" and "window" in config.args:
        return partial(load_series, path, config.splits)
    if path.suffix == ".csv":
        return partial(load_csv, path, key)
    raise StageError(
        f"{source!r} is of an unknown type.",
        "Expected .npz, .csv, .tfrecord, .parquet, .arrow, a .json of COCO, or a folder: one subfolder of images or "
        "WAV files a class, or images/ and masks/.",
        code="unknown_file_type",
    )


def as_splits(value: object, source: str, spools: Spools = Spools()) -> dict[str, RawExamples]:  # noqa: B008
    """The return value of a source as (inputs, targets) by split.

    Args:
        value: what it returned.
        source: for errors.
        spools: where the examples of streams go.

    Raises:
        StageError: none of the forms that a source may return.
    """
    if isinstance(value, Mapping) and "train" in value:
        strange = [str(key) for key in value if key not in _SPLITS]
        if strange:
            raise StageError(f"{source} returned a dict with the key {strange[0]!r}.", _FORMS, code="invalid_data")
        return {name: _examples(value[name], source, spools) for name in _SPLITS if value.get(name) is not None}
    if (
        isinstance(value, tuple | list)
        and 2 <= len(value) <= 3
        and all(_is_pair(part) or _is_dataset(part) for part in value)
    ):
        names = ("train", "test") if len(value) == 2 else _SPLITS
        return {name: _examples(part, source, spools) for name, part in zip(names, value, strict=True)}
    return {"train": _examples(value, source, spools)}


def _is_pair(value: object) -> TypeGuard[tuple[object, object]]:
    return isinstance(value, tuple) and len(value) == 2


def _is_dataset(value: object) -> TypeGuard[_Dataset]:
    # Nobody can hold a tf.data.Dataset before TensorFlow is loaded, so array sources never load it.
    tensorflow = sys.modules.get("tensorflow")
    return tensorflow is not None and isinstance(value, tensorflow.data.Dataset)


def _examples(value: object, source: str, spools: Spools) -> RawExamples:
    if _is_dataset(value):
        from tfopt.backend.data.tf_dataset import read_dataset

        return read_dataset(value, source, spools)
    if isinstance(value, RawExamples):
        return value
    if isinstance(value, tuple) and len(value) in (2, 3):
        return RawExamples(*value)
    if isinstance(value, np.ndarray):
        return RawExamples(value, None)
    raise StageError(
        f"{source} returned a {type(value).__name__}.",
        NEEDS_TEXT if isinstance(value, str) else _FORMS,
        code="invalid_data",
    )
