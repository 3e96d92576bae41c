"""Stands in for `tfopt.api:run` in workers: the same events, files and store discipline, without TensorFlow.

What a trial does follows from its recipe's description: `fail`, `die` (the process is killed), `bug`, `endless` (until
it is stopped), `reused` (the same run was made before), `shaky` (an error of Python itself, the first time);
anything else trains to an accuracy that follows from schedule, sparsity and seed.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from tfopt.core.contracts.events import Emit
from tfopt.core.recipe.recipe import Recipe
from tfopt.core.records.report import DataRecord, ExportRecord, LayerRecord, Report, RunInfo, StageRecord
from tfopt.engine.sweep import stage_chain
from tfopt.errors import EnvironmentProblem, Problem, RecipeError, StageError
from tfopt.executors.base import Job, Message
from tfopt.executors.worker import carry_out
from tfopt.io.recipes.recipe_file import dump_recipe
from tfopt.io.runs.runs import new_run_folder
from tfopt.io.store.locks import key_lock
from tfopt.io.system.files import write_atomically

EPOCHS, STEPS_PER_EPOCH = 6, 20
SLACK = {"polynomial": 0.006, "constant": 0.02}
"""How much accuracy a schedule costs at 80 %."""


class ThreadExecutor:
    """Runs jobs in threads of this process: an executor without the seconds that a new interpreter takes."""

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self.running: set[str] = set()
        self.stopped: set[str] = set()
        self.most = 0
        self.messages: Queue[Message] = Queue()

    def has_room(self) -> bool:
        return len(self.running) < self.jobs

    def start(self, job: Job) -> None:
        self.running.add(job.trial)
        self.most = max(self.most, len(self.running))

        def send(event: Mapping[str, Any]) -> None:
            self.messages.put(Message(job.trial, event))

        arguments = (asdict(job), send, lambda: job.trial in self.stopped)
        threading.Thread(target=carry_out, args=arguments, daemon=True).start()

    def stop(self, trial: str) -> None:
        self.stopped.add(trial)

    def next_message(self, seconds: float) -> Message | None:
        try:
            message = self.messages.get(timeout=seconds)
        except Empty:
            return None
        if message.event["event"] == "trial_ended":
            self.running.discard(message.trial)
        return message

    def close(self) -> None:
        self.stopped |= self.running


def run(recipe: Recipe, *, out: str | Path, store: str | None, fresh: bool, on_event: Emit) -> None:
    """Carries out a recipe without training anything; writes down which shared store it was given."""
    if store is not None:
        with (Path(out) / "stores.log").open("a", encoding="utf-8") as log:
            log.write(f"{store}\n")
    folder = new_run_folder(Path(out), recipe.name)
    write_atomically(folder / "recipe.yaml", dump_recipe(recipe))
    report = trial_report(recipe, folder.name)
    if recipe.description == "reused":
        write_atomically(folder / "report.json", report.model_dump_json(by_alias=True))
        on_event({"event": "run_reused", "run": folder.name})
        return
    stages = [stage.name for stage in recipe.stages]
    on_event({"event": "run_started", "run": folder.name, "recipe": recipe.name, "stages": stages, "exports": ["int8"]})
    for stage, key in zip(report.stages, stage_chain(recipe), strict=True):
        with key_lock(Path(out) / ".store", key):
            cached = (Path(out) / ".store" / key).exists()
            on_event({"event": "stage_started", "stage": stage.name, "kind": stage.kind, "epochs": EPOCHS,
                      "steps": EPOCHS * STEPS_PER_EPOCH, "cached": cached})  # fmt: skip
            if stage.kind != "train":
                _misbehave(recipe.description, on_event, stage.name, Path(out))
            for entry in stage.history:
                on_event({"event": "epoch", "stage": stage.name, "cached": cached, **entry})
            if not cached:
                with (Path(out) / "built.log").open("a", encoding="utf-8") as log:
                    log.write(f"{stage.kind} {os.getpid()}\n")
                (Path(out) / ".store" / key).touch()
        on_event({"event": "stage_finished", "stage": stage.name, "seconds": stage.seconds,
                  "measures": stage.measures, "cached": cached})  # fmt: skip
    write_atomically(folder / "report.json", report.model_dump_json(by_alias=True))
    on_event({"event": "run_finished", "state": "done", "seconds": 1.0, "held": True})


def _misbehave(description: str, on_event: Emit, stage: str, out: Path) -> None:
    if description == "wrong":
        raise RecipeError(
            [Problem(("model",), f"{word} mistake.", code="unknown_layer") for word in ("One", "Another")]
        )
    if description == "missing":
        raise EnvironmentProblem("A package is missing.", code="missing_package")
    if description == "fail":
        raise StageError("Stage prune failed: nothing is left.", code="stage_failed")
    if description == "shaky" and not (out / "shaken").exists():
        (out / "shaken").touch()
        raise StageError("Stage prune failed: SystemError", code="stage_failed") from SystemError("AST constructor")
    if description == "bug":
        raise ZeroDivisionError("division by zero")
    if description == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if description == "endless":
        for epoch in range(1, 10_000):
            on_event({"event": "epoch", "stage": stage, "epoch": epoch, "step": epoch, "val_accuracy": 0.11})
            threading.Event().wait(0.01)


def trial_report(recipe: Recipe, run_id: str, noise: float = 0.002) -> Report:
    """What a run of the recipe could have reported."""
    document = recipe.to_document()
    schedule: Mapping[str, Any] = next((e["prune"]["schedule"] for e in document["stages"] if "prune" in e), {})
    final = float(str(schedule.get("final", "0%")).rstrip("%")) / 100
    kind = str(schedule.get("kind", "polynomial"))
    luck = noise * ((recipe.seed * (7 + len(kind)) + round(final * 100) * 3) % 5 - 2)
    dense = 0.98 + noise * (recipe.seed % 3 - 1)
    pruned = dense - SLACK.get(kind, 0.01) * (1 + 30 * max(0.0, final - 0.8) ** 1.5) + luck
    stages = [
        _stage(stage.name, stage.kind, dense if stage.kind == "train" else pruned, kind, final)
        for stage in recipe.stages
    ]
    gzip_bytes = round(30_000 * (1 - 0.85 * final)) + len(kind) * 20
    measures = {
        "accuracy": pruned - 0.001,
        "accuracy_drop": dense - pruned + 0.001,
        "latency_ms": 0.012,
        "agreement": 0.99,
    }
    export = ExportRecord(
        name="int8", format="tflite", path="export/int8.tflite", bytes=40_960, gzip_bytes=gzip_bytes, measures=measures
    )
    return Report(
        run=RunInfo(id=run_id, recipe=recipe.name, state="done", seconds=9.5, seed=recipe.seed),
        data=DataRecord(source="digits", fingerprint="f" * 64, train=1294, validation=143, test=360),
        stages=stages,
        exports=[export],
    )


def _stage(name: str, kind: str, accuracy: float, schedule: str, final: float) -> StageRecord:
    sparsity = 0.0 if kind == "train" else final
    history = []
    for epoch in range(1, EPOCHS + 1):
        progress = epoch / EPOCHS
        value = accuracy - 0.2 * (1 - progress) ** 2 if kind == "train" else accuracy - 0.05 * final * (1 - progress)
        entry = {"epoch": float(epoch), "step": float(epoch * STEPS_PER_EPOCH), "accuracy": value + 0.004,
                 "val_accuracy": value, "loss": 2 * (1 - value), "val_loss": 2.2 * (1 - value)}  # fmt: skip
        if kind == "prune":
            ramp = 1.0 if schedule == "constant" else 1 - (1 - min(progress / 0.7, 1)) ** 3
            entry |= {"planned_sparsity": final * ramp, "sparsity": final * ramp * 0.999}
        history.append(entry)
    layers = [
        LayerRecord(name=layer, type="Conv2D" if "conv" in layer else "Dense", parameters=1000, unique=99,
                    sparsity=max(0.0, min(0.99, sparsity + shift if sparsity else 0.0)))
        for layer, shift in (("conv", -0.15), ("conv_1", 0.0), ("hidden", 0.04), ("logits", -0.3))
    ]  # fmt: skip
    return StageRecord(
        name=name, kind=kind, key=f"{name:0<64}", cached=False, seconds=3.0, parameters=38_282,
        measures={"accuracy": accuracy, "loss": 2 * (1 - accuracy), "sparsity": sparsity}, layers=layers,
        history=history,
    )  # fmt: skip
