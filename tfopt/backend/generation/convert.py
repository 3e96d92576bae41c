"""The `.tflite` files of a cached model. Everything here runs in child processes: converters may crash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from tfopt.atomic import replacing
from tfopt.backend.generation.names import WHOLE
from tfopt.backend.quantizer.layer_modes import LayerModes, PlainLayerModes
from tfopt.backend.quantizer.quantize import quantize
from tfopt.backend.tflite import child_process
from tfopt.core.claims.failures import Failure
from tfopt.core.config.files.tflite_variant import Variant


def whole_of(file: Path) -> Path:
    """Path of the file that computes all positions in one call, with the weights of `file`."""
    return file.with_suffix(".whole.tflite")


def convert(saved_model: Path, keys: Sequence[str], target: Path) -> Failure | None:
    """Makes the float32 file with the signatures of a SavedModel, and the one that computes all positions at once.

    Args:
        saved_model: its folder.
        keys: names of the signatures.
        target: of the first file; the second is `whole_of` it.

    Returns:
        Why it could not be made.
    """
    arguments = {"saved_model": str(saved_model), "keys": [*keys], "target": str(target)}
    return _called("convert_in_child", arguments, "converter", "tensorflow")


def convert_in_child(saved_model: str, keys: list[str], target: str) -> None:
    """Runs in the child process of `convert`."""
    import tensorflow as tf

    for signatures, path in ((keys, Path(target)), ([WHOLE], whole_of(Path(target)))):
        converter = tf.lite.TFLiteConverter.from_saved_model(saved_model, signature_keys=signatures)
        _write(path, converter.convert())


@dataclass(frozen=True)
class Quantization:
    """A file to make from the float32 file.

    Args:
        variant: its keys.
        layers: layers with a mode of their own.
        target: as in `convert`.
    """

    variant: Variant
    layers: LayerModes
    target: Path


def quantize_all(source: Path, files: Mapping[str, Quantization]) -> dict[str, Failure]:
    """Makes files of other modes from the float32 files, with litert-quantizer.

    The converter's own dynamic range would not do: it rounds inputs with one scale for a whole bucket, so that prefill
    and decode differ (measured: 61 of 90 tokens equal).

    Args:
        source: float32 file; `whole_of` it is next to it.
        files: by name.

    Returns:
        Why a file could not be made, by name.
    """
    failures: dict[str, Failure] = {}
    rest = dict(files)
    while rest:
        plain = [_plain(each) for each in rest.values()]
        failure = _called("quantize_in_child", {"source": str(source), "files": plain}, "quantizer")
        if failure is None:
            return failures
        rest = {name: each for name, each in rest.items() if not whole_of(each.target).exists()}
        if rest:
            failures[first := next(iter(rest))] = failure
            del rest[first]
    return failures


class _PlainFile(TypedDict):
    """A `Quantization` in values that JSON has."""

    variant: dict[str, object]
    layers: PlainLayerModes
    target: str


def _plain(file: Quantization) -> _PlainFile:
    variant = file.variant.model_dump(mode="json")
    return {"variant": variant, "layers": file.layers.plain(), "target": str(file.target)}


def quantize_in_child(source: str, files: list[_PlainFile]) -> None:
    """Runs in the child process of `quantize_all`."""
    for file in files:
        variant, layers, target = Variant.model_validate(file["variant"]), LayerModes.of(file["layers"]), file["target"]
        for read, path in ((Path(source), Path(target)), (whole_of(Path(source)), whole_of(Path(target)))):
            _write(path, quantize(read.read_bytes(), variant, layers, lambda: iter(())))


def _called(
    function: str, arguments: Mapping[str, object], what: str, libraries: child_process.Libraries = "litert"
) -> Failure | None:
    try:
        child_process.call(f"{__name__}:{function}", arguments, libraries=libraries)
    except child_process.ProcessFailed as failed:
        return Failure(f"the {what} refused it: {failed.kinds[0]}: {failed.reason[:400]}", "conversion_failed")
    except child_process.ProcessCrashed as crash:
        return Failure(f"the {what} crashed with {crash.cause} ({crash})", "process_crashed")
    return None


def _write(path: Path, content: bytes) -> None:
    with replacing(path) as part:
        part.write_bytes(content)
