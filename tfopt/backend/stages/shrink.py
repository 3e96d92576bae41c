"""The shrink stage: rank units, choose widths within the budget, remove, recover, train, prove."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import tf_keras

from tfopt.atomic import replacing
from tfopt.backend.data.splits import Split
from tfopt.backend.distillation import Distiller
from tfopt.backend.equivalence import Tolerance, same_on
from tfopt.backend.models.build import model_fingerprint
from tfopt.backend.pruning.criterion import Criterion, make_criterion
from tfopt.backend.quantization.canonical.copying import readable
from tfopt.backend.shrinking import latency, sensitivity
from tfopt.backend.shrinking.allocate import Losses, kept_units, widths_of
from tfopt.backend.shrinking.choices import Choices, choices_of
from tfopt.backend.shrinking.costs import layers_behind
from tfopt.backend.shrinking.decide import Decision, FoundCost, Ranking, counted, decide, widths_within
from tfopt.backend.shrinking.details import cost_details, group_rows
from tfopt.backend.shrinking.graph import MaskedTwin, remove
from tfopt.backend.shrinking.graph.types import Kept
from tfopt.backend.shrinking.measurements import remembered
from tfopt.backend.shrinking.networks import Pricing, pricing
from tfopt.backend.shrinking.reconstruction import put_back, reconstruct
from tfopt.backend.shrinking.recovery import recover
from tfopt.backend.shrinking.scheduled import GroupLasso, ScheduledRemoval
from tfopt.backend.shrinking.scores import Scores, calibration_split, comparable, tracked_kernels, unit_scores
from tfopt.backend.stages import fit as training
from tfopt.backend.stages.float_files import write_float_files
from tfopt.backend.training import batch_norm
from tfopt.backend.training.evaluate import evaluate
from tfopt.backend.training.hooks import TrainingHook
from tfopt.core.config.distillation import Teacher
from tfopt.core.config.schedules import Schedule
from tfopt.core.config.shrinking import DEFAULT_SHRINK_CRITERION, Shrinking
from tfopt.core.contracts.events import Measuring
from tfopt.core.contracts.result import StageResult
from tfopt.core.contracts.stage import SNAPSHOTS, StageContext, TrainingStage
from tfopt.errors import StageError

_TOLERANCE = Tolerance(1e-4, least_scale=1.0)
_VALIDATION = 2048
"""Validation examples on which narrowed networks are judged."""


def shrink(model: tf_keras.Model, stage: TrainingStage, shrinking: Shrinking, context: StageContext) -> StageResult:
    """Structured pruning to a budget, with recovery and fine-tuning.

    Args:
        model: a built functional or sequential model with trained weights.
        stage: epochs, learning rate, early stopping.
        shrinking: budget, criterion, allocation, recovery.
        context: data, compile, seed, and where progress and checkpoints go.

    Returns:
        A smaller model; reasons for groups that were left alone; details for the report.

    Raises:
        StageError: nothing can be removed, training failed, or the network computes something else than its masked
            twin.
    """
    choices = choices_of(model, shrinking)
    limit = shrinking.to.limit
    prices = pricing(
        model, choices, limit.cost if limit is not None else "macs", write_float_files, context.measurements
    )
    calibration = calibration_split(context.data.train, shrinking.calibration_examples, context.seed)
    job = _Job(model, stage, shrinking, context, choices, prices, calibration)
    made = job.before_training() if shrinking.schedule is None else job.while_training(shrinking.schedule)
    if limit is not None and limit.cost == "latency":
        _keep_files(model, made.model, context)
    rows = group_rows(
        choices,
        made.decision.kept,
        made.scores,
        prices,
        {one.name: layers_behind(one.group) for one in choices.choices},
    )
    details = {
        "shrink": {
            **cost_details(model, made.model, shrinking, prices, made.decision, choices),
            "criterion": shrinking.criterion or DEFAULT_SHRINK_CRITERION,
            "allocation": shrinking.allocation,
            "groups": rows,
            **made.details,
        },
        **made.trained,
    }
    return StageResult(made.model, choices.skipped, details=details)


@dataclass(frozen=True)
class _Made:
    """A smaller, trained network.

    Args:
        model: the network.
        decision: what stays.
        scores: of all units, when that was decided.
        trained: details of training.
        details: more about how it was made.
    """

    model: tf_keras.Model
    decision: Decision
    scores: Scores
    trained: dict[str, object]
    details: dict[str, object]


@dataclass(frozen=True)
class _Job:
    """One stage at work.

    Args:
        model: with trained weights.
        stage: epochs, learning rate, early stopping.
        shrinking: the keys.
        context: of the stage.
        choices: what can be narrowed.
        prices: costs of networks.
        calibration: training examples for scores and reconstruction.
    """

    model: tf_keras.Model
    stage: TrainingStage
    shrinking: Shrinking
    context: StageContext
    choices: Choices
    prices: Pricing
    calibration: Split

    def before_training(self) -> _Made:
        """Removes everything at once, recovers, and trains the small network."""
        model, context, shrinking = self.model, self.context, self.shrinking
        criterion = self._criterion()
        scores = self._scores(model, criterion)
        decision, measured = self._decided(scores, criterion)
        narrow = remove(model, decision.kept)
        _prove_same(model, narrow, decision.kept, context)

        def solve() -> tuple[str, ...]:
            return reconstruct(model, narrow, self.choices.groups, decision.kept, self.calibration, context.seed)

        solved = recover(
            narrow,
            solve if shrinking.reconstruct else None,
            context.data.train,
            context.compile,
            context.seed,
            statistics=shrinking.batch_norm,
        )
        split = "validation" if len(context.data.validation) else "training"
        judged = context.data.validation if split == "validation" else context.data.train
        before = evaluate(narrow, judged.take(_VALIDATION, context.seed), context.compile)
        trained = training.fit(narrow, self.stage, context, hooks=self._teachers())
        details = {"reconstructed": list(solved), "before_training": before, "judged_on": split}
        return _Made(narrow, decision, scores, trained, {**details, **({"sensitivity": measured} if measured else {})})

    def while_training(self, schedule: Schedule) -> _Made:
        """Trains the network as it is, and holds more and more units without effect; takes them out at the end."""
        steps = training.length(self.stage, self.context)
        resolved = schedule.resolve(steps.total_steps, steps.steps_per_epoch)
        student = copy_of(self.model)
        watching = self._criterion()
        if watching.needs == "training":
            watching.track(tracked_kernels(self.choices.choices, student))
        dense = self.prices.of(self.choices.full)

        def decided(share: float) -> Decision:
            criterion = watching if watching.needs == "training" else self._criterion()
            scores = self._scores(student, criterion)
            ranking = Ranking(scores, comparable(scores, criterion), self._losses(student, scores, criterion)[1])
            if abs(share - schedule.final_sparsity()) < 1e-9:
                with _found_cost(self.model, self.prices) as found_cost:
                    return decide(student, self.shrinking, self.choices, ranking, self.prices, found_cost)
            limit = max((1 - share) * dense, self.prices.of(self.choices.smallest))
            widths = widths_within(self.shrinking, self.choices, ranking, self.prices, limit)
            return Decision(kept_units(self.choices.choices, scores, widths), widths, limit)

        def solve(kept: Kept) -> None:
            smaller = remove(student, kept)
            groups, seed = self.choices.groups, self.context.seed
            solved = reconstruct(student, smaller, groups, kept, self.calibration, seed)
            put_back(student, smaller, groups, kept, solved)

        solving = solve if self.shrinking.reconstruct == "updates" else None
        removal = ScheduledRemoval(student, self.choices.choices, resolved, lambda share: decided(share).kept, solving)
        hooks = [*self._teachers(), *([watching] if watching.needs == "training" else [])]
        if self.shrinking.group_lasso is not None:
            hooks.append(GroupLasso(student, self.choices.choices, self.shrinking.group_lasso))
        trained = training.fit(student, self.stage, self.context, hooks=[*hooks, removal])
        kept = removal.kept
        narrow = remove(student, kept)
        _prove_same(student, narrow, kept, self.context)
        if self.shrinking.batch_norm:
            batch_norm.estimate(narrow, self.context.data.train, self.context.seed)
        with _found_cost(self.model, self.prices) as found_cost:
            cost, _ = found_cost(narrow)
        widths = widths_of(self.choices.choices, kept)
        scores = self._scores(student, watching if watching.needs == "training" else self._criterion())
        return _Made(narrow, Decision(kept, widths, cost), scores, trained, {"schedule": schedule.kind})

    def _criterion(self) -> Criterion:
        return make_criterion(self.shrinking.criterion or DEFAULT_SHRINK_CRITERION)

    def _scores(self, model: tf_keras.Model, criterion: Criterion) -> Scores:
        return unit_scores(model, self.choices.choices, criterion, self.calibration, self.context.compile)

    def _teachers(self) -> list[TrainingHook]:
        """The dense model as the teacher, unless the recipe names another or none."""
        if self.stage.teacher is not None or not self.shrinking.dense_teacher:
            return []
        self.model.trainable = False
        teacher = Teacher(stage="before")  # a block must name a source; the model that is given is used instead
        given = self.model, f"the model before {self.stage.name}"
        return [Distiller(teacher, self.stage.name, self.stage.epochs, self.context, given=given)]

    def _decided(self, scores: Scores, criterion: Criterion) -> tuple[Decision, Mapping[str, object]]:
        """What stays; an interrupted stage takes what it had decided, as latencies are never the same twice."""
        path = self.context.work / "decision.json"
        if path.is_file():
            known = json.loads(path.read_text(encoding="utf-8"))
            tries = tuple((planned, found) for planned, found in known["tries"])
            return Decision(known["kept"], known["widths"], known["cost"], tries), known["losses"]
        measured, losses = self._losses(self.model, scores, criterion)
        ranking = Ranking(scores, comparable(scores, criterion), losses)
        with _found_cost(self.model, self.prices) as found_cost:
            decision = decide(self.model, self.shrinking, self.choices, ranking, self.prices, found_cost)
        plain = {"kept": decision.kept, "widths": decision.widths, "cost": decision.cost, "tries": decision.tries}
        self.context.work.mkdir(parents=True, exist_ok=True)
        with replacing(path) as part:
            part.write_text(json.dumps({**plain, "losses": measured}), encoding="utf-8")
        return decision, measured

    def _losses(
        self, model: tf_keras.Model, scores: Scores, criterion: Criterion
    ) -> tuple[Mapping[str, object], Losses | None]:
        """Losses of narrowed groups, measured unless they were for the same weights, data and criterion."""
        if self.shrinking.allocation != "sensitivity":
            return {}, None
        context, choices = self.context, self.choices.choices
        twin = MaskedTwin(model)
        split = context.data.validation.take(_VALIDATION, context.seed)

        def loss_of(kept: Kept) -> float:
            twin.apply(kept)
            return evaluate(twin.model, split, context.compile)["loss"]

        def progress(done: int, total: int) -> None:
            context.emit(Measuring(self.stage.name, "loss of narrowed groups", done, total))

        about = {
            "what": "sensitivity",
            "model": model_fingerprint(model),
            "data": context.data.fingerprint,
            "criterion": criterion.kind,
            "widths": {choice.name: sensitivity.measured_widths(choice) for choice in choices},
            "seed": context.seed,
            "calibration": self.shrinking.calibration_examples,
            "loss": context.compile.model_dump(mode="json"),
        }
        measured = remembered(
            context.measurements, about, lambda: sensitivity.measure(choices, scores, loss_of, progress)
        )
        return measured, sensitivity.losses_of(choices, measured)


@contextmanager
def _found_cost(model: tf_keras.Model, prices: Pricing) -> Iterator[FoundCost]:
    """Gives the cost of a built network and of the dense model; latencies are measured in turns."""
    if prices.cost != "latency":
        yield counted(prices.cost, model)
        return
    with tempfile.TemporaryDirectory(prefix="tfopt-latency-") as folder:
        dense = write_float_files({"dense": model}, Path(folder))["dense"]

        def timed(network: tf_keras.Model) -> tuple[float, float]:
            file = write_float_files({"narrow": network}, Path(tempfile.mkdtemp(dir=folder)))["narrow"]
            narrow, before = latency.compare([file, dense])
            return narrow, before

        yield timed


def _prove_same(model: tf_keras.Model, narrow: tf_keras.Model, kept: Kept, context: StageContext) -> None:
    """Compares the narrow network with the dense one in which the removed units are masked.

    Raises:
        StageError: the outputs differ.
    """
    few = context.data.train.take(8, context.seed).inputs
    twin = MaskedTwin(model)
    twin.apply(kept)
    if differing := same_on(twin.model, narrow, few, _TOLERANCE):
        raise StageError(
            "the outputs of the smaller network differ from those of the model with the removed units masked "
            f"(by {differing.described}).",
            "Leave the layers out with a rule that says skip: true, and report the model.",
            code="not_equivalent",
        )


def _keep_files(model: tf_keras.Model, narrow: tf_keras.Model, context: StageContext) -> None:
    """Keeps float32 files of the dense and of the smaller network with the result, to time exports in turns with."""
    folder = context.work / SNAPSHOTS
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tfopt-dense-") as work:
        for name, file in write_float_files({"dense": model, "narrow": narrow}, Path(work)).items():
            with replacing(folder / f"{name}.tflite") as part:
                part.write_bytes(file.read_bytes())


def copy_of(model: tf_keras.Model) -> tf_keras.Model:
    """A model with the same layers and weights that shares no variable."""
    with readable(model):
        copy = tf_keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy
