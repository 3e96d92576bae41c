"""One file of a bundle, made by hand: no TensorFlow is needed to check what goes in."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from tests.support.compiled_cpp import compile_and_run
from tests.support.tflite_files.handmade_tflite import Graph, Tensor, write
from tests.support.tflite_files.metadata_reader import files_in, read_metadata
from tfopt.backend.bundle import manifest
from tfopt.backend.bundle.contents import About, add_file, write_array
from tfopt.backend.bundle.metadata.content import ModelMeaning
from tfopt.backend.bundle.verify import is_bundle, verify
from tfopt.backend.data.raw_inputs import RawInputs
from tfopt.core.records.report import ExportRecord
from tfopt.errors import ExportError

INT8 = schema.TensorType.INT8
VERSIONS = {"tfopt": "0", "litert": "2"}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Sets what is below zero to zero: two numbers in int8, steps of 0.5, zero point 3."""
    tensors = [Tensor(name, INT8, (1, 2), scales=[0.5], zero_points=[3]) for name in ("x", "y")]
    graph = Graph(tensors, [(schema.BuiltinOperator.RELU, [0], [1])], inputs=[0], outputs=[1])
    return write(tmp_path / "relu.tflite", graph)


@pytest.fixture
def given(tmp_path: Path) -> dict[str, Path]:
    np.save(tmp_path / "x.npy", np.array([[-4, 1.5], [2, -0.5]], np.float32))
    return {"x": tmp_path / "x.npy"}


def record(source: Path, **details: object) -> ExportRecord:
    return ExportRecord(
        name=source.stem,
        format="tflite",
        path=f"export/{source.name}",
        bytes=1,
        gzip_bytes=1,
        measures={},
        details=details,
    )


def written(tmp_path: Path) -> Path:
    folder, work = tmp_path / "bundle", tmp_path / "work"
    (folder / "golden").mkdir(parents=True)
    work.mkdir()
    return folder


def test_golden_examples_are_in_the_steps_of_the_file_and_come_again(
    source: Path, given: dict[str, Path], tmp_path: Path
) -> None:
    folder = written(tmp_path)
    about = About(ModelMeaning("relu"), labels={"y": ("no", "yes")}, classes=frozenset("y"), versions=VERSIONS)
    made = add_file(record(source), source, given, about, folder, tmp_path / "work")
    assert [(claim.code, claim.held) for claim in made.claims] == [("metadata_kept", True), ("golden_reproduced", True)]
    assert made.claims[1].found == "2 golden examples, 0 differences"
    assert np.array_equal(made.golden.inputs["x"], [[[-5, 6]], [[7, 2]]])
    assert np.array_equal(made.golden.outputs["y"], [[[3, 6]], [[7, 3]]])
    assert made.tolerances == {"y": 2.0}
    content = (folder / "relu.tflite").read_bytes()
    assert files_in(content) == {"labels.txt": b"no\nyes\n"}
    (graph,) = read_metadata(content)["subgraph_metadata"]
    assert graph["output_tensor_metadata"][0]["associated_files"][0]["name"] == "labels.txt"
    assert "LABELS = {0: ['no', 'yes']}" in (folder / "snippets" / "relu" / "run.py").read_text(encoding="utf-8")


@pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++")
def test_the_cpp_code_does_what_was_done_to_raw_pixels(source: Path, tmp_path: Path) -> None:
    folder = written(tmp_path)
    pixels = np.array([[0, 200], [255, 7]], np.uint8)
    raw = RawInputs(mean=(100.0, 50.0), std=(4.0, 8.0), high=255.0)
    np.save(tmp_path / "x.npy", (pixels - np.float32([100, 50])) / np.float32([4, 8]))
    write_array(pixels[:, np.newaxis], folder / "golden" / "raw")
    about = About(ModelMeaning("relu"), raw=raw, versions=VERSIONS)
    made = add_file(record(source), source, {"x": tmp_path / "x.npy"}, about, folder, tmp_path / "work")
    assert made.claims[1].held
    done = compile_and_run(folder, "relu", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 golden examples, 0 differences" in done.stdout
    write_array(pixels[::-1, np.newaxis], folder / "golden" / "raw")
    again = subprocess.run([tmp_path / "run_relu", folder], capture_output=True, text=True)
    assert again.stdout.count("preprocessing gives other numbers") == 2


def test_wrong_normalization_is_noticed_by_the_code_that_is_shipped(
    source: Path, given: dict[str, Path], tmp_path: Path
) -> None:
    folder = written(tmp_path)
    np.save(folder / "golden" / "raw.npy", np.array([[[-4, 1.5]], [[2, -0.5]]], np.float32))
    about = About(ModelMeaning("relu"), raw=RawInputs(mean=(100.0,), dtype="float32"), versions=VERSIONS)
    made = add_file(record(source), source, given, about, folder, tmp_path / "work")
    assert not made.claims[1].held
    assert made.claims[1].found.endswith("2 golden examples, 2 differences")


def test_the_c_array_of_a_file_for_microcontrollers_comes_along(
    source: Path, given: dict[str, Path], tmp_path: Path
) -> None:
    folder = written(tmp_path)
    (tmp_path / "relu.cc").write_text("// array", encoding="utf-8")
    made = record(source, c_array={"source": "export/relu.cc"})
    add_file(made, source, given, About(ModelMeaning("relu"), versions=VERSIONS), folder, tmp_path / "work")
    assert (folder / "relu.cc").read_text(encoding="utf-8") == "// array"
    manifest.remove(folder, "relu")
    assert [path for path in folder.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "Expecting"),
        ("[]", "its format is not"),
        ('{"format": "tfopt bundle", "version": 9}', "its version is 9"),
        ('{"format": "tfopt bundle", "version": 1, "files": []}', "KeyError: 'variants'"),
        ('{"format": "tfopt bundle", "version": 1, "files": {"a": 1}, "variants": []}', None),
    ],
)
def test_a_damaged_manifest_is_one_clear_error(tmp_path: Path, content: str, reason: str | None) -> None:
    assert not is_bundle(tmp_path)
    (tmp_path / "manifest.json").write_text(content, encoding="utf-8")
    assert is_bundle(tmp_path)
    if reason is None:
        assert [claim.found for claim in verify(tmp_path)] == ["missing: a"]
        return
    with pytest.raises(ExportError, match="is not the manifest of a bundle") as error:
        verify(tmp_path)
    assert reason in str(error.value)


def test_a_file_that_the_manifest_has_and_the_folder_has_not_is_named(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("a", encoding="utf-8")
    (tmp_path / "changed.txt").write_text("a", encoding="utf-8")
    files = manifest.checksums(tmp_path) | {"gone.txt": {"bytes": 1, "sha256": "0"}}
    variant = {"name": "v", "file": "v.tflite", "inputs": [], "outputs": [], "examples": 1}
    content = {"format": manifest.FORMAT, "version": manifest.VERSION, "files": files, "variants": [variant]}
    (tmp_path / "manifest.json").write_text(json.dumps(content), encoding="utf-8")
    (tmp_path / "changed.txt").write_text("b", encoding="utf-8")
    checksums, golden = verify(tmp_path)
    assert checksums.found == "missing: gone.txt; changed: changed.txt"
    assert not golden.held
