"""Every layer class of `keras.layers` (Keras 3) in a small model, taken through everything tfopt does; docs/layers.md.

    python benchmarks/keras_layers.py [NAME...] [--out build/layers] [--seconds 60] [--table docs/layers.md]

Each layer is tried in a worker process, one after the other; one that crashes or takes too long is recorded
as such, and the rest goes on in a new one. Results are kept as one JSON file per layer in `--out`; a layer that has one
is not tried again. Without names, all layers are tried and the table is written.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY), str(Path(__file__).parent)]

from keras_layer_cases import NO_MODEL, case_of, examples_of, layer_names, model_of  # noqa: E402

TOO_FAR = 0.2
"""Difference of an int8 file to its model from which it is called inaccurate, relative to the outputs' range."""


def work(names: Sequence[str], out: Path) -> None:
    """The worker: tries layers one after the other, and reports which one it is at."""
    import journey

    for name in names:
        (out / f"{name}.started").touch()
        case = case_of(name)
        try:
            model = model_of(case)
        except Exception as error:  # noqa: BLE001  (what Keras itself refuses has a row, too)
            said = f"Keras itself refuses: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
            journey.Journey(name, {"bridge": said}).write(out / f"{name}.json")
            continue
        found = journey.travel(name, model, examples_of(case, journey.EXAMPLES), partial=out / f"{name}.partial")
        found.write(out / f"{name}.json")


def walk(names: Sequence[str], out: Path, seconds: float) -> None:
    """Has all layers tried that have no result yet."""
    out.mkdir(parents=True, exist_ok=True)
    todo = [name for name in names if name not in NO_MODEL and not (out / f"{name}.json").exists()]
    while todo:
        for name in todo:
            (out / f"{name}.started").unlink(missing_ok=True)
        reason = _run_worker(todo, out, seconds)
        todo = [name for name in todo if not (out / f"{name}.json").exists()]
        if todo:
            write_death(out, todo[0], reason)
            todo = todo[1:]


OUT_OF_TIME = "out of time"


def write_death(out: Path, name: str, reason: str) -> None:
    """Writes the steps that a worker had finished before it crashed, and the crash.

    The converter can take its process down: tfopt converts in a child and reports that as an error; so does the table.
    """
    partial = out / f"{name}.partial"
    found = json.loads(partial.read_text(encoding="utf-8")) if partial.exists() else {"name": name, "steps": {}}
    steps = found["steps"]
    at = next((step for step in ("bridge", "prune", "keras", "qat") if step not in steps), "int8")
    died = f"error: the converter crashed with {reason}" if at == "int8" else f"DIED: {reason}"
    steps[at] = reason if reason.startswith(OUT_OF_TIME) else died
    (out / f"{name}.json").write_text(json.dumps(found), encoding="utf-8")


def _run_worker(names: Sequence[str], out: Path, seconds: float) -> str:
    """Runs a worker until it is done, crashes, or one layer takes longer than `seconds`; returns which."""
    command = [sys.executable, str(Path(__file__)), "--work", "--out", str(out), *names]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        since, finished = time.monotonic(), -1
        while process.poll() is None:
            time.sleep(0.5)
            done = sum((out / f"{name}.json").exists() for name in names)
            if done != finished:
                since, finished = time.monotonic(), done
            elif time.monotonic() - since > seconds + (30 if done == 0 else 0):
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                return f"took more than {seconds:.0f} s"
        log.seek(0)
        tail = log.read().decode(errors="replace").strip().splitlines()[-1:]
    code = process.returncode
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}: {' '.join(tail)[:200]}"


def outcome(found: dict[str, Any]) -> str:
    """The row's verdict: the worst of its steps."""
    steps = list(found["steps"].values())
    if found.get("numbers", {}).get("int8_difference", 0) > TOO_FAR:
        steps.append("INACCURATE")
    for word, verdict in (
        ("BUG", "bug"), ("SILENT", "silent float"), ("DIED", "died"), ("DIFFERENT", "different"),
        ("INACCURATE", "inaccurate file"),
        ("error", "named error"), ("float by decision", "float by decision"),
    ):  # fmt: skip
        if any(word in step for step in steps):
            return verdict
    return "not in Keras" if any("Keras itself" in step for step in steps) else "ok"


def table(names: Sequence[str], out: Path) -> str:
    """The table of all results as Markdown."""
    import keras

    rows, tally = [], {}
    for name in names:
        if name in NO_MODEL:
            rows.append(f"| {name} | – | | | | | {NO_MODEL[name]} |")
            continue
        file = out / f"{name}.json"
        if not file.exists():
            rows.append(f"| {name} | not tried yet | | | | | |")
            continue
        found = json.loads(file.read_text(encoding="utf-8"))
        verdict, steps = outcome(found), found["steps"]
        tally[verdict] = tally.get(verdict, 0) + 1
        cells = [_short(steps.get(step, "")) for step in ("bridge", "prune", "keras", "qat", "int8")]
        rows.append("| " + " | ".join([name, f"**{verdict}**", *cells[:4], _int8_cell(found, cells[4])]) + " |")
    tally_line = ", ".join(
        f"{number} {verdict}" for verdict, number in sorted(tally.items(), key=lambda item: -item[1])
    )
    return _HEAD.format(version=keras.__version__, tally_line=tally_line) + "\n".join(rows) + "\n"


_HEAD = """# What works with every layer of Keras 3

Written by `python benchmarks/keras_layers.py` with Keras {version}. Each layer is in a model of its own, in front
of a Dense layer; the model is made a tf_keras model, pruned to 50%, made a Keras 3 model again, simulated in 8 bits
(calibrated, not trained), converted to an int8 file, and compared at each step. A named error is one of tfopt,
with its reason; *float by decision* means that `tfopt plan` names the layer and why it stays float. The last column
also has the difference between file and model, relative to the range of its outputs (random weights). An empty cell
has not been tried yet.

{tally_line}.

| layer | outcome | to tf_keras | prune | back to Keras 3 | 8 bits in training | int8 file |
|---|---|---|---|---|---|---|
"""


def _int8_cell(found: dict[str, Any], said: str) -> str:
    difference = found.get("numbers", {}).get("int8_difference")
    planned = "; ".join(f"{layer}: {how}" for layer, how in found.get("planned", {}).items() if how.startswith("float"))
    return said + ("" if difference is None else f" ({difference:.1%})") + (f" – {planned}" if planned else "")


def _short(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")[:220]


def main() -> None:
    """Reads the arguments, and does what they say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="layers to try; all by default")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "build" / "layers", help="folder of the results")
    parser.add_argument("--seconds", type=float, default=60, help="time for one layer")
    parser.add_argument("--table", type=Path, default=REPOSITORY / "docs" / "layers.md", help="where the table goes")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(options.names, options.out)
        return
    names = layer_names()
    walk(options.names or names, options.out, options.seconds)
    for name in options.names:
        found = json.loads((options.out / f"{name}.json").read_text(encoding="utf-8"))
        print(name, outcome(found), json.dumps(found["steps"], indent=1))
    if not options.names:
        options.table.write_text(table(names, options.out), encoding="utf-8")
        print(f"{options.table} written")


if __name__ == "__main__":
    main()
