"""Eight sparsity schedules and two seeds on digits: `tfopt sweep` against the sixteen runs one after another.

The sixteen runs share nothing: each has an empty store, so each trains its own dense model. They run in one process, so
that TensorFlow is imported once for all of them, with all processors to itself; with --commands each has a process of
its own, as sixteen calls of `tfopt run` would. The sweep trains two dense models (one
per seed) and runs as many trials side by side as there are processors. What counts is the ratio of the wall times.

Converting a file costs the same either way (5 to 9 s each, in a process of its own), more than pruning so small a
model: it is left out, as one would until a schedule is chosen, and comes in with --files.

Measured on two cores, one run each: 0.18 with --files --dense-epochs 15 --commands (47 s against 261 s; 2 dense
trainings, 16 prunings); while the cores had other work, 0.29 with the same options, 0.42 without --commands, and 0.26
without options.

    python benchmarks/sweep_sharing.py            (some minutes)
    python benchmarks/sweep_sharing.py --quick    (two schedules, few epochs: shows that it works, not what it is worth)
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from pathlib import Path
from time import perf_counter

import tfopt
from tfopt.core.recipe.recipe import Recipe
from tfopt.core.sweeps.expand import Trial, expand
from tfopt.executors.base import Job
from tfopt.executors.local import LocalExecutor
from tfopt.io.recipes.axes import with_sweep
from tfopt.io.system.environment import available_threads

RECIPE = Path(__file__).resolve().parents[1] / "recipes" / "digits_prune_qat.yaml"
KINDS = ("polynomial", "constant", "linear", "cosine")
FINALS = ("80%", "90%")


def the_recipe(dense_epochs: int, prune_epochs: int, files: bool) -> Recipe:
    """The first recipe without its qat stage: dense training to the end, pruning, perhaps one file."""
    prune = {"epochs": prune_epochs, "schedule": {"kind": "polynomial", "final": "80%"}}
    return tfopt.load(
        RECIPE,
        {
            "stages": [{"train": {"epochs": dense_epochs}}, {"prune": prune}],
            "export": {"tflite": {"float32": {}}} if files else {},
            "budgets": {},
        },
    )


def one_after_another(recipe: Recipe, folder: Path, commands: bool) -> float:
    """Seconds of all trials, each with a store of its own; with `commands`, each in a process of its own."""
    started = perf_counter()
    trials = expand(recipe).trials
    for batch in [[trial] for trial in trials] if commands else [trials]:
        executor = LocalExecutor(1, available_threads(), folder / "logs")
        try:
            for trial in batch:
                run_alone(executor, trial, folder / str(trials.index(trial)))
        finally:
            executor.close()
    return perf_counter() - started


def run_alone(executor: LocalExecutor, trial: Trial, out: Path) -> None:
    """Runs one trial and waits for it."""
    executor.start(Job(trial.name, "tfopt.api:run", trial.recipe.to_document(), trial.recipe.folder, str(out)))
    event = None
    while event is None or event["event"] != "trial_ended":
        message = executor.next_message(1.0)
        event = message.event if message else None
    if event["state"] != "done":
        raise SystemExit(f"{trial.name} did not finish: {event['error']}")


def as_a_sweep(recipe: Recipe, out: Path) -> tuple[float, Counter[str]]:
    """Seconds of the sweep, and how many stages of each kind were run."""
    started = perf_counter()
    sweep = tfopt.sweep(recipe, out=out)
    seconds = perf_counter() - started
    for trial in sweep.failed:
        raise SystemExit(f"{trial.name} failed: {trial.error}")
    entries = [json.loads(path.read_text(encoding="utf-8")) for path in (out / ".store").glob("??/*/entry.json")]
    return seconds, Counter(entry["record"]["kind"] for entry in entries)


def main() -> None:
    """Measures both and prints the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two schedules, two dense epochs, one of pruning")
    parser.add_argument("--dense-epochs", type=int, default=60)
    parser.add_argument("--prune-epochs", type=int, default=10)
    parser.add_argument("--files", action="store_true", help="also write and measure one .tflite per trial")
    parser.add_argument("--commands", action="store_true", help="a process for each of the runs that share nothing")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.dense_epochs, arguments.prune_epochs = 2, 1
    kinds, finals = (KINDS[:2], FINALS[:1]) if arguments.quick else (KINDS, FINALS)
    axes = {"stages.prune.schedule.kind": list(kinds)}, {"stages.prune.schedule.final": list(finals)}
    recipe = with_sweep(the_recipe(arguments.dense_epochs, arguments.prune_epochs, arguments.files), axes, seeds=2)
    trials = len(expand(recipe).trials)
    with tempfile.TemporaryDirectory() as folder:
        together, built = as_a_sweep(recipe, Path(folder, "shared"))
        stages = ", ".join(f"{number} {kind}" for kind, number in sorted(built.items()))
        print(
            f"sweep of {trials} trials on {available_threads()} processors  {together:7.1f} s  ({stages} stages)",
            flush=True,
        )
        alone = one_after_another(recipe, Path(folder, "alone"), arguments.commands)
        print(f"{trials} runs one after another, nothing shared   {alone:7.1f} s")
    print(f"ratio {together / alone:.2f}")


if __name__ == "__main__":
    main()
