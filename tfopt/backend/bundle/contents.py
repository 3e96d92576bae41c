"""What goes into a bundle for one file: the file with metadata, golden examples, code; and the proof of it."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tfopt.backend.bundle import golden
from tfopt.backend.bundle.labels import files_of
from tfopt.backend.bundle.metadata.attach import NAME, attached
from tfopt.backend.bundle.metadata.content import ModelMeaning, TensorMeaning, metadata
from tfopt.backend.bundle.ports import Port, Ports
from tfopt.backend.bundle.snippets import snippets
from tfopt.backend.data.raw_inputs import RawInputs
from tfopt.backend.export.texts.raw_texts import RawTexts
from tfopt.backend.text.tokenizer import TOKENIZER_JSON
from tfopt.backend.tflite import flatbuffer
from tfopt.backend.types import Array
from tfopt.core.records.report import ClaimRecord, ExportRecord
from tfopt.errors import ExportError

if TYPE_CHECKING:
    from ai_edge_litert import schema_py_generated as schema

_TAIL = 3


@dataclass(frozen=True)
class About:
    """What a bundle says about its model, the same for all files.

    Args:
        meaning: name, description, author, licence, version.
        labels: names of classes by output; empty without.
        raw: what an app must do to raw examples; None where that is not known.
        texts: what an app must do to texts; None where inputs are none.
        classes: outputs that are a choice among classes.
        files: further associated files, such as a vocabulary, by name.
        versions: of `tfopt` and `litert`.
    """

    meaning: ModelMeaning
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    raw: RawInputs | None = None
    texts: RawTexts | None = None
    classes: frozenset[str] = frozenset()
    files: Mapping[str, bytes] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def associated(self) -> dict[str, bytes]:
        """Content of the files that are inside each `.tflite`, by name."""
        files = files_of(self.labels)
        labels = {files[output]: "".join(f"{one}\n" for one in of).encode() for output, of in self.labels.items()}
        return {**labels, **self.files}


@dataclass(frozen=True)
class Bundled:
    """One file of a bundle.

    Args:
        record: of the file without metadata.
        golden: what it got and returned.
        tolerances: by output, in the numbers of the file.
        stems: of the golden files, by `input NAME` and `output NAME`.
        claims: what was proven.
    """

    record: ExportRecord
    golden: golden.Golden
    tolerances: Mapping[str, float]
    stems: Mapping[str, str]
    claims: Sequence[ClaimRecord]


def add_file(
    record: ExportRecord, source: Path, inputs: Mapping[str, Path], about: About, folder: Path, work: Path
) -> Bundled:
    """Writes one file of a bundle with its golden examples and code, and proves them.

    Args:
        record: of the file.
        source: the file without metadata.
        inputs: .npy file of (examples, ...) real values by input.
        about: what is said about the model.
        folder: of the bundle.
        work: empty folder for what is made on the way.

    Raises:
        ExportError: the file does not run, or metadata cannot be put into it.
    """
    name = record.name
    plain = golden.run(source, inputs, work)
    target = folder / f"{name}.tflite"
    content = metadata(_meaning(about, plain.ports))
    target.write_bytes(attached(source.read_bytes(), content, about.associated))
    again = golden.run(target, inputs, work)
    claims = [_kept(name, plain, again, source, target, content, about)]
    tolerances = golden.tolerance(again, _is_quantized(record))
    stems = {
        f"{end} {port.name}": f"{end}_{port.index}_{re.sub(r'[^A-Za-z0-9_.-]', '_', port.name)}"
        for end, ports in (("input", again.ports.inputs), ("output", again.ports.outputs))
        for port in ports
    }
    _write_golden(again, stems, folder / "golden" / name)
    labels = _labels(about, again.ports)
    code = snippets(name, again, tolerances, stems, labels, about.raw, about.versions, texts=about.texts)
    (folder / "snippets" / name).mkdir(parents=True)
    for file, text in code.items():
        (folder / "snippets" / name / file).write_text(text, encoding="utf-8")
    for file in c_array_of(record):
        shutil.copy2(source.with_name(file), folder / file)
    claims.append(_reproduced(name, folder))
    return Bundled(record, again, tolerances, stems, claims)


def c_array_of(record: ExportRecord) -> list[str]:
    """Names of the C sources next to a file for microcontrollers; they hold the file without metadata."""
    made = record.details.get("c_array") or {}
    return [Path(made[part]).name for part in ("source", "header") if part in made]


def _write_golden(found: golden.Golden, stems: Mapping[str, str], folder: Path) -> None:
    folder.mkdir(parents=True)
    for end, arrays in (("input", found.inputs), ("output", found.outputs)):
        for name, values in arrays.items():
            write_array(values, folder / stems[f"{end} {name}"])


def write_array(values: Array, stem: Path) -> None:
    """Writes an array as `.npy` and as its bare bytes, little-endian, in `.bin`."""
    np.save(stem.with_name(f"{stem.name}.npy"), values)
    stem.with_name(f"{stem.name}.bin").write_bytes(np.ascontiguousarray(values).tobytes())


def _is_quantized(record: ExportRecord) -> bool:
    audit = record.audit
    return audit is None or any(tensor.quantization != "none" for tensor in audit.tensors)


def _labels(about: About, ports: Ports) -> dict[int, tuple[str, ...]]:
    """Labels of the outputs that have one value for each, by their place in the file."""
    return {port.index: about.labels[port.name] for port in ports.outputs if _is_labelled(port, about)}


def _is_labelled(port: Port, about: About) -> bool:
    return port.name in about.labels and port.shape[-1:] == (len(about.labels[port.name]),)


def _meaning(about: About, ports: Ports) -> ModelMeaning:
    base = about.meaning
    return ModelMeaning(
        base.name,
        base.description,
        base.version,
        base.author,
        base.licence,
        [_input(port, about) for port in ports.inputs]
        if len(ports.inputs) == 1
        else [_example(port) for port in ports.inputs],
        [_output(port, about) for port in ports.outputs],
        dict.fromkeys(about.files, "Preprocessing of the inputs."),
    )


def _example(port: Port) -> TensorMeaning:
    return TensorMeaning(port.name, f"One example of type {port.dtype}.")


def _input(port: Port, about: About) -> TensorMeaning:
    raw, texts = about.raw, about.texts
    if texts is not None:
        return TensorMeaning(
            port.name,
            f"A text as {texts.length} ids of {TOKENIZER_JSON}, with its special tokens; longer texts are cut on the "
            f"{texts.cut}, shorter ones filled up on the {texts.padded} with {texts.padding}.",
        )
    if raw is None:
        return _example(port)
    if raw.sample_rate is not None:
        return _sound(port, raw, raw.sample_rate)
    low = tuple((0.0 - mean) / std for mean, std in _pairs(raw))
    high = () if raw.high is None else tuple((raw.high - mean) / std for mean, std in _pairs(raw))
    size, channels = None, 0
    if raw.images and len(port.shape) == 4:
        size, channels = (port.shape[2], port.shape[1]), port.shape[3]
    what = "An image" if size else "One example"
    values = f"raw values 0 to {raw.high:g}" if raw.high is not None else "raw values"
    resized = ", resized to this size (bilinear, antialiased)" if raw.resized else ""
    steps = ", then quantized with the scale and zero point of the tensor" if port.integers else ""
    return TensorMeaning(
        port.name,
        f"{what} of {values}{resized}, normalized as (raw - mean) / std{steps}.",
        size,
        channels,
        tuple(mean for mean, _ in _pairs(raw)),
        tuple(std for _, std in _pairs(raw)),
        low,
        high,
    )


def _sound(port: Port, raw: RawInputs, sample_rate: int) -> TensorMeaning:
    steps = ", then quantized with the scale and zero point of the tensor" if port.integers else ""
    if raw.audio is None:
        samples = f"Samples of a recording at {sample_rate} Hz, mono, between -1 and 1{steps}."
        return TensorMeaning(port.name, samples)
    mean, std = (tuple(value for value in values) for values in zip(*_pairs(raw), strict=True))
    text = f"{raw.audio.described()}, normalized as (features - mean) / std{steps}; audio.json has every number."
    return TensorMeaning(port.name, text, None, 0, mean, std)


def _pairs(raw: RawInputs) -> list[tuple[float, float]]:
    count = max(len(raw.mean), len(raw.std))
    means, stds = (values * count if len(values) == 1 else values for values in (raw.mean, raw.std))
    return list(zip(means, stds, strict=True))


def _output(port: Port, about: About) -> TensorMeaning:
    labels = files_of(about.labels)[port.name] if _is_labelled(port, about) else ""
    many = port.name in about.classes and port.shape[-1:] > (1,)
    text = "One value for each class; the largest is the prediction." if many else "The output of the model."
    return TensorMeaning(port.name, text, labels=labels)


def _kept(
    name: str,
    plain: golden.Golden,
    again: golden.Golden,
    source: Path,
    target: Path,
    content: bytes,
    about: About,
) -> ClaimRecord:
    """Whether a file with metadata computes the same, holds the same weights, and gives the metadata back."""
    wrong = [output for output, values in plain.outputs.items() if not _same(values, again.outputs[output])]
    before, after = flatbuffer.read(source).model, flatbuffer.read(target).model
    buffers = zip(before.buffers, after.buffers, strict=False)
    if len(after.buffers) != len(before.buffers) + 1 or any(_bytes(one) != _bytes(other) for one, other in buffers):
        wrong.append("a buffer of the model")
    inside = [entry for entry in after.metadata or () if flatbuffer.text(entry.name) == NAME]
    if [_bytes(after.buffers[entry.buffer]) for entry in inside] != [content]:
        wrong.append("the metadata")
    if about.associated and _archive(target) != about.associated:
        wrong.append("the associated files")
    count = len(next(iter(plain.inputs.values())))
    found = f"differs: {', '.join(wrong)}" if wrong else f"outputs of {count} examples, weights and metadata compared"
    claim = f"{name}: the same outputs and weights with metadata inside"
    return ClaimRecord(claim=claim, held=not wrong, found=found, code="metadata_kept")


def _same(one: Array, other: Array) -> bool:
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


def _bytes(buffer: schema.BufferT) -> bytes:
    return b"" if buffer.data is None else bytes(buffer.data)


def _archive(file: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(file.read_bytes())) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _reproduced(name: str, folder: Path) -> ClaimRecord:
    """Runs the Python code of a file in a process that has LiteRT and NumPy alone to do with it."""
    script = folder / "snippets" / name / "run.py"
    done = subprocess.run([sys.executable, "-I", str(script)], capture_output=True, text=True, errors="replace")
    lines = [*done.stderr.strip().splitlines()[-1:], *done.stdout.strip().splitlines()[-_TAIL:]]
    if done.returncode not in (0, 1):
        raise ExportError(f"The Python code for {name}.tflite crashed: {' '.join(lines)}", code="process_crashed")
    found = lines[-1] if done.returncode == 0 else "; ".join(lines)
    return ClaimRecord(
        claim=f"{name}: the generated Python code gets the golden outputs from the golden inputs",
        held=done.returncode == 0,
        found=found,
        code="golden_reproduced",
    )
