"""Images that are decoded when they are read: the figures of those in memory, after an interruption too; and 200,000 of
them in a process of bounded memory."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import tfopt
from tests.support.large_data import jpegs, scene_files, tfrecords

pytestmark = pytest.mark.tf

RECORDS = {"features": {"image": {}, "label": {"role": "target"}}}
MEASURED = """
import resource, subprocess, sys
ended = subprocess.run(sys.argv[1:], stdout=sys.stderr)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(ended.returncode)
"""
"""Runs a command and prints its peak memory in KiB; started from here, it would begin with the peak of pytest."""


def recipe(source: Path, epochs: int = 2, **data: Any) -> dict[str, Any]:
    return {
        "name": "images",
        "data": {"source": str(source), "batch_size": 32, "augment": {"flip": "horizontal"}, **data},
        "model": {"source": "small_cnn", "args": {"filters": [4]}},
        "stages": [{"train": {"epochs": epochs}}],
        "export": {
            "tflite": {
                "int8": {"quantize": "int8", "accept": [{"claim": "same_outputs", "because": "the network is tiny"}]}
            }
        },
    }


def written(path: Path, given: dict[str, Any]) -> Path:
    """A recipe as a file: JSON is YAML."""
    path.write_text(json.dumps(given), encoding="utf-8")
    return path


def figures(run: Any) -> Any:
    report = json.loads((Path(run.folder) / "report.json").read_text(encoding="utf-8"))
    (stage,), (file,) = report["stages"], report["exports"]
    return stage["key"], stage["measures"], [entry["loss"] for entry in stage["history"]], file["measures"]["accuracy"]


def test_figures_do_not_depend_on_where_images_are(tmp_path: Path) -> None:
    shards = tfrecords(tmp_path / "shards", jpegs(tmp_path / "images", 120, side=8))
    found = {
        name: figures(tfopt.run(written(tmp_path / f"{name}.json", given), out=tmp_path / name))
        for name, given in {
            "memory": recipe(tmp_path / "images"),
            "none": recipe(tmp_path / "images", cache="none"),
            "records": recipe(shards, cache="disk", **RECORDS),
        }.items()
    }
    assert found["none"] == found["memory"]
    assert found["records"] == found["memory"]


@pytest.mark.slow  # that the data are the same is tested without training in tests/backend/data/annotated
@pytest.mark.parametrize("kind", ["masks", "boxes"])
def test_figures_do_not_depend_on_where_masks_and_boxes_are(tmp_path: Path, kind: str) -> None:
    source = scene_files(tmp_path / "scenes", 96)[kind]
    made = {
        "masks": {
            "model": {"source": "unet", "args": {"filters": [4, 8]}},
            "compile": {"loss": "sparse_categorical_dice_crossentropy", "metrics": ["mean_iou"]},
            "stages": [{"train": {"epochs": 2, "class_weights": "balanced"}}],
        },
        "boxes": {
            "model": {"source": "ssd_mobilenet"},
            "compile": {
                "loss": {"boxes": "box_huber", "classes": "hard_negative_crossentropy"},
                "metrics": {"boxes": [], "model": ["mean_average_precision"]},
                "main_metric": "mean_average_precision",
            },
            "stages": [{"train": {"epochs": 2}}],
        },
    }[kind]
    args = {"images": "images"} if kind == "boxes" else {}
    found = {}
    for cache in ("memory", "none"):
        given = {**recipe(source, cache=cache, args=args), **made}
        run = tfopt.run(written(tmp_path / f"{cache}.json", given), out=tmp_path / cache)
        report = json.loads((Path(run.folder) / "report.json").read_text(encoding="utf-8"))
        (stage,), (file,) = report["stages"], report["exports"]
        found[cache] = stage["key"], stage["measures"], stage["history"][-1]["loss"], file["measures"]["loss"]
        assert report["data"]["cache"]["kind"] == cache
    assert found["none"] == found["memory"]


@pytest.mark.slow
def test_200_000_images_in_bounded_memory(tmp_path: Path) -> None:
    """4.2 GB of pixels in float32; the first process is killed in the midst of an epoch."""
    examples = jpegs(tmp_path / "images", 200_000, side=42)
    jpegs(tmp_path / "few", 1_000, side=42)
    sources = {name: recipe(tmp_path / name, 1, cache="none") for name in ("few", "images")}
    sources["records"] = recipe(tfrecords(tmp_path / "shards", examples, 20), 1, cache="none", **RECORDS)
    del examples
    reports, peaks = {}, {}
    for name, given in sources.items():
        given["data"]["batch_size"] = 64
        path, out = written(tmp_path / f"{name}.json", given), tmp_path / f"{name}_out"
        command = [sys.executable, "-m", "tfopt", "run", str(path), "--out", str(out)]
        if name == "images":
            first = subprocess.Popen(command, start_new_session=True)
            while not list(out.rglob("checkpoint*")) and first.poll() is None:
                time.sleep(1)
            os.killpg(first.pid, signal.SIGKILL)
            assert first.wait() != 0
        measured = [sys.executable, "-c", MEASURED, *command]
        peaks[name] = int(subprocess.run(measured, check=True, stdout=subprocess.PIPE, text=True).stdout)
        reports[name] = json.loads(next(out.glob("*/latest/report.json")).read_text(encoding="utf-8"))
    stages = [reports[name]["stages"][0] for name in ("images", "records")]
    assert stages[0]["key"] == stages[1]["key"]
    assert stages[0]["measures"] == stages[1]["measures"]
    # Almost all of it is TensorFlow and what tfopt imports, as a run with few images shows.
    assert max(peaks.values()) < 1.25 * 2**20
    assert max(peaks["images"], peaks["records"]) - peaks["few"] < 0.25 * 2**20
