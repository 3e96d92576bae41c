"""A bundle of two files of a tiny model: what is in it, that its code runs, and that failed files are left out."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tf_keras

from tests.support.bundles import converted
from tests.support.compiled_cpp import compile_and_run
from tests.support.contexts import Log
from tests.support.tflite_files.metadata_reader import files_in, read_metadata
from tfopt.backend.audit.tflite import audit_tflite
from tfopt.backend.bundle import bundle
from tfopt.backend.bundle.verify import verify
from tfopt.backend.data import load as data
from tfopt.backend.data.splits import Preprocessing
from tfopt.core.config.data import DataConfig
from tfopt.core.config.files.bundle_keys import BundleKeys
from tfopt.core.config.training.compile import Compile
from tfopt.core.contracts.export import ExportContext
from tfopt.core.records.report import ExportRecord

pytestmark = pytest.mark.tf

LABELS = ("zero", "one", "two", "three", "four", "five", '"six"', "$seven", "eight\\", "nine é")
FILES = ("float32", "int8")


@dataclass(frozen=True)
class Exported:
    model: Any
    context: ExportContext


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    folder = tmp_path_factory.mktemp("run") / "export"
    folder.mkdir()
    tf_keras.utils.set_random_seed(1)
    model = tf_keras.Sequential(
        [
            tf_keras.layers.Input((8, 8, 1), name="image"),
            tf_keras.layers.Conv2D(4, 3, activation="relu"),
            tf_keras.layers.Flatten(),
            tf_keras.layers.Dense(10, activation="softmax", name="scores"),
        ]
    )
    examples = data.load(DataConfig(source="digits"))
    context = ExportContext(folder, examples, Compile(), seed=1, emit=Log(), recipe="tiny")
    records = [converted(model, folder, name, examples.train.inputs if name == "int8" else None) for name in FILES]
    return Exported(model, replace(context, written=tuple(records)))


@pytest.fixture(scope="module")
def record(exported: Exported) -> ExportRecord:
    keys = BundleKeys(labels=LABELS, examples=3, licence="MIT", description="Reads | digits.")
    return bundle.export(exported.model, keys, exported.context)


@pytest.fixture(scope="module")
def folder(exported: Exported, record: ExportRecord) -> Path:
    return exported.context.folder / "bundle"


def test_a_bundle_is_proven(record: ExportRecord) -> None:
    assert record.error is None
    assert [claim.claim for claim in record.claims if not claim.held] == []
    codes = [claim.code for claim in record.claims]
    assert codes == ["metadata_kept", "golden_reproduced"] * 2
    assert record.details["files"] == ["float32", "int8"]
    assert record.details["left_out"] == {}


@pytest.mark.parametrize("name", FILES)
def test_metadata_inside_change_nothing(exported: Exported, folder: Path, name: str) -> None:
    plain, bundled = exported.context.folder / f"{name}.tflite", folder / f"{name}.tflite"
    assert bundled.read_bytes().find(plain.read_bytes()) > 0
    of_the_whole_file = {"layer_sizes"}  # its structure has more bytes
    one, other = (audit_tflite(file).model_dump(exclude=of_the_whole_file) for file in (bundled, plain))
    assert one == other


@pytest.mark.parametrize("name", FILES)
def test_the_file_says_what_goes_in_and_comes_out(folder: Path, name: str) -> None:
    content = (folder / f"{name}.tflite").read_bytes()
    found = read_metadata(content)
    assert (found["name"], found["license"], found["description"]) == ("tiny", "MIT", "Reads | digits.")
    (graph,) = found["subgraph_metadata"]
    (image,), (scores,) = graph["input_tensor_metadata"], graph["output_tensor_metadata"]
    assert image["name"] == "image"
    assert image["process_units"][0]["options"] == {"mean": [0.0], "std": [16.0]}
    assert image["content"]["content_properties"] == {"color_space": 2, "default_size": {"width": 8, "height": 8}}
    assert (image["stats"]["min"], image["stats"]["max"]) == ([0.0], [1.0])
    assert scores["associated_files"][0]["name"] == "labels.txt"
    assert files_in(content)["labels.txt"].decode().splitlines() == list(LABELS)


def test_golden_examples_are_test_examples_in_the_types_of_the_file(exported: Exported, folder: Path) -> None:
    examples = exported.context.data.test.take(3, exported.context.seed)
    raw = np.load(folder / "golden" / "raw.npy")
    assert raw.dtype == np.uint8
    assert np.array_equal(raw[:, 0] / np.float32(16), examples.inputs)
    golden = folder / "golden" / "int8"
    image, scores = np.load(golden / "input_0_image.npy"), np.load(golden / "output_0_scores.npy")
    assert (image.dtype, image.shape) == (np.int8, (3, 1, 8, 8, 1))
    assert (scores.dtype, scores.shape) == (np.int8, (3, 1, 10))
    assert (golden / "output_0_scores.bin").read_bytes() == scores.tobytes()
    floats = np.load(folder / "golden" / "float32" / "output_0_scores.npy")
    assert np.allclose(floats[:, 0], exported.model.predict(examples.inputs, verbose=0), atol=1e-3)


def test_the_python_code_needs_nothing_but_litert_and_numpy(folder: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(folder, tmp_path / "elsewhere")
    watch = "import sys, runpy; runpy.run_path(sys.argv[1], run_name='x')['main'](); print(*sys.modules)"
    script = moved / "snippets" / "int8" / "run.py"
    done = subprocess.run([sys.executable, "-I", "-c", watch, str(script)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "3 golden examples, 0 differences" in done.stdout
    assert {"tensorflow", "tfopt", "keras"}.isdisjoint(done.stdout.splitlines()[-1].split())


def test_the_python_code_notices_other_outputs(folder: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(folder, tmp_path / "changed")
    file = moved / "golden" / "int8" / "output_0_scores.npy"
    np.save(file, np.load(file) + np.int8(9))
    script = moved / "snippets" / "int8" / "run.py"
    done = subprocess.run([sys.executable, "-I", str(script)], capture_output=True, text=True)
    assert done.returncode == 1
    assert "off by 9, tolerated are 2" in done.stdout
    claims = {claim.claim: claim for claim in verify(moved)}
    assert not claims["every file is as it was written"].held
    assert not claims["int8: the golden outputs come from the golden inputs"].held
    assert claims["float32: the golden outputs come from the golden inputs"].held


@pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++")
def test_the_cpp_code_compiles_and_gets_the_golden_outputs(folder: Path, tmp_path: Path) -> None:
    done = compile_and_run(folder, "int8", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 golden examples, 0 differences" in done.stdout


def test_names_with_quotes_stay_inside_of_their_strings(folder: Path) -> None:
    code = folder / "snippets" / "float32"
    assert r'"\"six\"", "\$seven", "eight\\", "nine \u00e9"' in (code / "Run.kt").read_text(encoding="utf-8")
    assert r'"\"six\"", "$seven", "eight\\", "nine \u{e9}"' in (code / "Run.swift").read_text(encoding="utf-8")
    assert r'"\"six\"", "$seven", "eight\\", "nine \303\251"' in (code / "run.cc").read_text(encoding="utf-8")


def test_the_manifest_has_checksums_figures_and_ports(exported: Exported, folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert set(manifest["files"]) == {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    } - {"manifest.json"}
    int8 = manifest["variants"][1]
    assert int8["measures"] == {r.name: r for r in exported.context.written}["int8"].measures
    assert (int8["inputs"][0]["dtype"], int8["inputs"][0]["shape"]) == ("int8", [1, 8, 8, 1])
    assert int8["inputs"][0]["scale"] > 0
    assert manifest["model"]["labels"] == list(LABELS)
    assert manifest["model"]["normalization"] == {"mean": [0.0], "std": [16.0], "raw": "uint8", "resized": False}
    assert all(claim.held for claim in verify(folder))


def test_the_model_card_has_figures_and_says_what_its_author_must_add(folder: Path) -> None:
    card = (folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "| licence | MIT |" in card
    assert card.count("To be filled in by the author") == 2
    assert "**to be filled in** (`export.bundle.author`)" in card
    assert "0.125 | 1 | 0.500 ms |" in card
    assert "| weights \\| all | **no** | some |" in card
    assert "Reads | digits." in card


def test_the_zip_holds_the_same_files(exported: Exported, folder: Path) -> None:
    with zipfile.ZipFile(exported.context.folder / "bundle.zip") as archive:
        inside = {name: archive.read(name) for name in archive.namelist()}
    assert inside == {
        f"bundle/{path.relative_to(folder).as_posix()}": path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def failed(record: ExportRecord, folder: Path) -> ExportRecord:
    """The same record, of a file that could not be converted."""
    return record.model_copy(update={"bytes": 0, "error": "The converter refused it.", "path": str(folder)})


def elsewhere(exported: Exported, folder: Path, *records: ExportRecord) -> tuple[ExportContext, Log]:
    """The same files in a different folder, with these records."""
    shutil.copytree(exported.context.folder, folder, ignore=shutil.ignore_patterns("bundle*"))
    log = Log()
    return replace(exported.context, folder=folder, written=records, emit=log), log


def test_a_file_that_failed_is_left_out_with_a_word(exported: Exported, tmp_path: Path) -> None:
    float32, int8 = exported.context.written
    context, log = elsewhere(exported, tmp_path / "export", float32, failed(int8, tmp_path))
    words = Preprocessing("tokenizer", {"vocabulary.txt": b"the\n"})
    context = replace(context, data=replace(context.data, preprocessing=words))
    record = bundle.export(exported.model, BundleKeys(examples=1), context)
    assert record.details["files"] == ["float32"]
    (warning,) = log.of("warning")
    assert warning["message"] == "int8.tflite is not in the bundle: it was not written. The converter refused it."
    assert not (tmp_path / "export" / "bundle" / "int8.tflite").exists()
    content = (tmp_path / "export" / "bundle" / "float32.tflite").read_bytes()
    digits = "".join(f"{digit}\n" for digit in range(10)).encode()
    assert files_in(content) == {"labels.txt": digits, "vocabulary.txt": b"the\n"}
    assert read_metadata(content)["associated_files"][0]["name"] == "vocabulary.txt"


def test_a_damaged_file_and_no_other_leave_no_bundle_and_an_error(exported: Exported, tmp_path: Path) -> None:
    context, _ = elsewhere(exported, tmp_path / "export", exported.context.written[0])
    (context.folder / "float32.tflite").write_bytes(b"\0\0\0\0TFL3 damaged")
    record = bundle.export(exported.model, BundleKeys(), context)
    assert record.bytes == 0
    assert record.error is not None
    assert record.error.startswith("None of the files can go into the bundle: float32: ")
    assert not (context.folder / "bundle").exists()
    assert sorted(path.name for path in context.folder.iterdir()) == ["float32.tflite", "int8.tflite"]
