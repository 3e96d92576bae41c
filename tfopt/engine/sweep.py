"""Executes the trials of a sweep as ordinary runs that share the store.

Events: those of the runs with a `trial` key added, and

| event | other keys |
|---|---|
| `sweep_started` | `sweep`, `recipe`, `trials` (names), `settled` (names of those finished before) |
| `trial_started` | `trial` |
| `trial_placed` | `trial`, `node`: where in a cluster it runs |
| `trial_repeated` | `trial`, `error`, `code`: it lost its node, or need not fail again; it starts again |
| `trial_finished` | `trial`, `state`, `error` |
| `sweep_finished` | `sweep`, `states` (state -> number of trials) |
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tfopt.core.config.training.keras_names import higher_is_better
from tfopt.core.contracts.events import (
    Emit,
    Event,
    SweepFinished,
    SweepStarted,
    TrialFinished,
    TrialRepeated,
    TrialStarted,
    Warned,
)
from tfopt.core.recipe.recipe import Recipe
from tfopt.core.records.fingerprint import fingerprint
from tfopt.core.sweeps.expand import Expansion, Trial
from tfopt.core.sweeps.median_rule import Place, is_worse_than_median
from tfopt.core.sweeps.record import Sweep, SweepRecord, TrialRecord, TrialState
from tfopt.core.sweeps.trial_order import next_trial
from tfopt.engine.distribution import needs_workers
from tfopt.engine.keys import key_of
from tfopt.errors import UsageError
from tfopt.executors.base import Executor, Job, Message
from tfopt.io.recipes.model_sources import source_keys
from tfopt.io.recipes.recipe_file import load_recipe
from tfopt.io.runs.runs import point_latest, read_run
from tfopt.io.runs.sweeps import read_sweep, settled_trials, write_sweep
from tfopt.io.store.locks import sole_user

PATIENCE = 1.0
"""Seconds after which a sweep that waits for memory looks again."""


def execute_sweep(
    expansion: Expansion,
    executor: Executor,
    folder: Path,
    function: str,
    *,
    store: str | None = None,
    stop_trials: bool = False,
    on_event: Emit | None = None,
) -> Sweep:
    """Runs every trial that is not finished yet.

    Args:
        expansion: the trials.
        executor: where they run; closed at the end.
        folder: the sweep's folder, two below the folder of the store.
        function: `package.module:function` that carries out one recipe (`tfopt.api:run`).
        store: URL of a shared store, for every trial.
        stop_trials: apply the median rule.
        on_event: receives what happens.

    Returns:
        The sweep; failed trials are in it, they do not raise.

    Raises:
        UsageError: the recipe needs the workers of TF_CONFIG, which train one recipe at a time.
        StoreError: the folder cannot be written.
        KeyboardInterrupt: Ctrl-C; running trials have been stopped, and the same sweep resumes where it stopped.
    """
    try:
        if any(needs_workers(trial.recipe) for trial in expansion.trials):
            raise UsageError(
                "distribute: multi_worker trains one recipe at a time on the machines of TF_CONFIG; a sweep runs many.",
                "Run the variants one by one, or write distribute: mirrored.",
                code="usage",
            )
        with sole_user(folder, f"Sweep {folder.name} of {expansion.recipe.name}"):
            _Execution(expansion, executor, folder, function, store, stop_trials, on_event).run()
    finally:
        executor.close()
    point_latest(folder)
    return read_sweep(folder)


def stage_chain(recipe: Recipe) -> tuple[str, ...]:
    """A key per stage, the same for trials that share the stage, without loading data or model.

    These are not the store's keys, whose roots are fingerprints of the loaded data and the built model, but they are
    equal where those are: both follow from the recipe. Where they differ although the store's are equal (a default
    written out), the lock in the store keeps the stage from being built twice.
    """
    document = recipe.to_document()
    data = fingerprint(document["data"])
    parent = fingerprint([document["model"], data, recipe.seed])
    keys = []
    for index, stage in enumerate(recipe.stages):
        sources = source_keys(recipe, index, lambda other: stage_chain(other)[-1], load_recipe)
        parent = key_of(stage, recipe, parent, data, sources)
        keys.append(parent)
    return tuple(keys)


@dataclass
class _Execution:
    """The state of a sweep while it runs."""

    expansion: Expansion
    executor: Executor
    folder: Path
    function: str
    store: str | None
    stop_trials: bool
    on_event: Emit | None
    trials: dict[str, Trial] = field(init=False)
    records: dict[str, TrialRecord] = field(init=False)
    chains: dict[str, tuple[str, ...]] = field(init=False)
    built: set[str] = field(default_factory=set)
    running: list[str] = field(default_factory=list)
    curves: dict[str, dict[Place, float]] = field(default_factory=dict)
    hopeless: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        before = {
            name: record
            for name, record in settled_trials(self.folder).items()
            if record.state == "done" or self.stop_trials
        }
        self.trials = {trial.name: trial for trial in self.expansion.trials}
        self.records = {name: before.get(name, TrialRecord.of(trial)) for name, trial in self.trials.items()}
        self.chains = {name: stage_chain(trial.recipe) for name, trial in self.trials.items()}

    def run(self) -> None:
        """All trials that are not settled."""
        recipe = self.expansion.recipe
        settled = [name for name, record in self.records.items() if record.settled]
        for name in settled:
            if self.records[name].state == "done":
                self.built.update(self.chains[name])
                self.curves[name] = self.curve_of(self.records[name])
        self.write()
        self.emit(SweepStarted(self.folder.name, recipe.name, list(self.trials), settled, recipe.compile.metric))
        for note in self.expansion.notes:
            self.emit(Warned(note))
        try:
            self.start_what_can()
            while self.running:
                self.receive(self.executor.next_message(PATIENCE))
                self.start_what_can()
        except KeyboardInterrupt:
            self.interrupt()
            raise
        states = Counter(record.state for record in self.records.values())
        self.emit(SweepFinished(self.folder.name, {str(state): count for state, count in states.items()}))

    def start_what_can(self) -> None:
        """Starts trials while there is room and one that need not wait for another."""
        while self.executor.has_room():
            waiting = [name for name, record in self.records.items() if record.state == "waiting"]
            name = next_trial(waiting, self.running, self.built, self.chains)
            if name is None:
                return
            self.running.append(name)
            self.curves[name] = {}
            self.set(name, state="running")
            self.emit(TrialStarted(name))
            recipe = self.trials[name].recipe
            out = self.folder.parents[2]
            self.executor.start(Job(name, self.function, recipe.to_document(), recipe.folder, str(out), self.store))

    def receive(self, message: Message | None) -> None:
        """Takes in what happened in a trial."""
        if message is None or message.trial not in self.running:
            return
        name, event = message.trial, message.event
        match event["event"]:
            case "trial_ended":
                if event["state"] == "lost":
                    lost = self.records[name].lost_nodes + 1
                    self.repeat(name, event["error"], event.get("code"), lost_nodes=lost)
                elif event.get("not_of_recipe") and self.records[name].repeated is None:
                    self.repeat(name, event["error"], event.get("code"), repeated=event["error"])
                else:
                    self.end(name, event["state"], event["error"], event.get("code"), event.get("exit_code"))
                return
            case "trial_placed":
                self.set(name, node=event["node"])
            case "run_started":
                self.set(name, run=event["run"])
            case "run_reused":
                self.set(name, run=event["run"])
                self.built.update(self.chains[name])
            case "stage_finished" if "source" not in event:
                stages = [stage.name for stage in self.trials[name].recipe.stages]
                self.built.update(self.chains[name][: stages.index(event["stage"]) + 1])
            case "epoch" if "source" not in event:
                self.judge(name, event)
        self.emit({**event, "trial": name})

    def judge(self, name: str, event: Event) -> None:
        """Keeps the validation metric of an epoch, and applies the median rule."""
        metric = self.trials[name].recipe.compile.metric
        value = event.get(f"val_{metric}")
        if value is None:
            return
        place = (str(event["stage"]), int(event["epoch"]))
        self.curves[name][place] = value
        if not self.stop_trials or event.get("cached") or name in self.hopeless:
            return
        finished = [curve for other, curve in self.curves.items() if self.records[other].state == "done"]
        if is_worse_than_median(place, value, finished, higher_is_better(metric)):
            self.hopeless[name] = (
                f"val_{metric} is {value:.4g} after epoch {place[1]} of {place[0]}, worse than the median of "
                f"{len(finished)} finished trials."
            )
            self.executor.stop(name)

    def curve_of(self, record: TrialRecord) -> dict[Place, float]:
        """The validation metric of a trial that was finished before."""
        report = read_run(self.folder.parents[1] / str(record.run), self.folder.parents[2]).report
        return {
            (stage.name, int(entry["epoch"])): entry[f"val_{report.metric}"]
            for stage in report.stages
            for entry in stage.history
            if f"val_{report.metric}" in entry
        }

    def end(
        self, name: str, state: TrialState, error: str | None, code: str | None = None, exit_code: int | None = None
    ) -> None:
        """Closes a trial."""
        self.running.remove(name)
        if state == "stopped" and name not in self.hopeless:
            state, error = "interrupted", "Interrupted."
        error = error or (self.hopeless.get(name) if state == "stopped" else None)
        self.set(name, state=state, error=error, error_code=code, error_exit_code=exit_code)
        self.emit(TrialFinished(name, state, error, code))

    def repeat(self, name: str, error: str, code: str | None, **changes: object) -> None:
        """Lets a trial start again; its finished stages come from the store."""
        self.running.remove(name)
        self.set(name, state="waiting", **changes)
        self.emit(TrialRepeated(name, error, code))

    def interrupt(self) -> None:
        """Stops running trials and waits until each has ended; a second Ctrl-C does not wait."""
        for name in self.running:
            self.executor.stop(name)
        try:
            while self.running:
                self.receive(self.executor.next_message(PATIENCE))
        finally:
            for name in [*self.running]:
                self.end(name, "interrupted", "Interrupted.")

    def set(self, name: str, **changes: object) -> None:
        """Changes the record of a trial in `sweep.json`."""
        self.records[name] = self.records[name].model_copy(update=changes)
        self.write()

    def write(self) -> None:
        """Writes `sweep.json`."""
        recipe = self.expansion.recipe
        record = SweepRecord(
            id=self.folder.name,
            recipe=recipe.name,
            metric=recipe.compile.metric,
            trials=list(self.records.values()),
            notes=list(self.expansion.notes),
        )
        write_sweep(self.folder, record)

    def emit(self, event: Event) -> None:
        """Passes an event on."""
        if self.on_event is not None:
            self.on_event(event)
