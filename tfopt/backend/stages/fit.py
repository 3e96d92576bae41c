"""Training, evaluation and prediction: what every stage that runs the optimizer is built on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import tensorflow as tf
import tf_keras

from tfopt.backend.data.arrays.tensors import readable_errors
from tfopt.backend.data.arrays.views import extremes, values_of
from tfopt.backend.data.batches import evaluation_batches, one_hot_depth, training_batches
from tfopt.backend.data.load import steps_per_epoch
from tfopt.backend.data.splits import Split
from tfopt.backend.devices import replicas
from tfopt.backend.devices.normalization import synchronized
from tfopt.backend.distillation import Distiller
from tfopt.backend.graph.layers import all_layers
from tfopt.backend.graph.outputs import called
from tfopt.backend.models.outputs import of_output
from tfopt.backend.training import batch_norm as batch_statistics
from tfopt.backend.training import compile as compiling
from tfopt.backend.training.evaluate import evaluate, predict
from tfopt.backend.training.hooks import HookList, TrainingHook, TrainingSetup
from tfopt.backend.training.loop import TrainingLoop
from tfopt.backend.training.metrics.counted import ignored_class
from tfopt.backend.training.own_callbacks import OwnCallbacks
from tfopt.backend.training.precision import loss_scale
from tfopt.backend.training.precision.compute import computing_in
from tfopt.backend.training.precision.loss_scale import loss_scaled
from tfopt.backend.training.precision.overflow import first_overflow, overflow_error
from tfopt.backend.training.resume.snapshots import SnapshotHook
from tfopt.backend.training.step_errors import LossNotFinite
from tfopt.backend.training.strided_pointwise import strided_pointwise_spared
from tfopt.backend.training.weighting import weighted
from tfopt.backend.types import ExampleArray, Nested, Shape
from tfopt.core.config.training.compile import Compile
from tfopt.core.config.training.precision import is_mixed
from tfopt.core.contracts.result import StageResult
from tfopt.core.contracts.stage import StageContext, TrainingStage
from tfopt.core.language.wording import counted
from tfopt.errors import StageError

__all__ = ["Length", "evaluate", "fit", "length", "make_optimizer", "predict", "train"]


@dataclass(frozen=True)
class Length:
    """How long a stage is, in optimizer steps.

    Args:
        steps_per_epoch: steps of one pass over the training split; the last, smaller batch counts.
        total_steps: steps of all epochs.
    """

    steps_per_epoch: int
    total_steps: int


def length(stage: TrainingStage, context: StageContext) -> Length:
    """How long a stage will be, if nothing stops it early."""
    per_epoch = steps_per_epoch(len(context.data.train), context.batch_size)
    return Length(per_epoch, stage.epochs * per_epoch)


def train(
    model: tf_keras.Model,
    stage: TrainingStage,
    context: StageContext,
    *,
    keep: Sequence[int] = (),
    moving_average: float | None = None,
) -> StageResult:
    """Plain training.

    Args:
        model: a built model; it is trained in place.
        stage: epochs, learning rate, early stopping, class weights.
        context: data, compile, seed, and where progress and checkpoints go.
        keep: epochs at whose end the weights are kept (`tfopt.backend.training.resume.snapshots`).
        moving_average: share of the average of the weights that each step keeps; the result is that average.

    Returns:
        The same model, and details of the teacher and of early stopping.

    Raises:
        StageError: data and model do not fit, or the loss is not finite.
    """
    optimizer = make_optimizer(stage, context)
    if moving_average is not None:
        # What `use_ema: true` of the optimizer sets; `TrainingLoop` ends with the average where it is set.
        optimizer.use_ema, optimizer.ema_momentum = True, moving_average
        optimizer.ema_overwrite_frequency = None
    details = fit(model, stage, context, optimizer=optimizer, hooks=[SnapshotHook(model, keep, context.work)])
    if moving_average is not None:
        batch_statistics.estimate(model, context.data.train, context.seed)
    return StageResult(model, details=details)


def fit(
    model: tf_keras.Model,
    stage: TrainingStage,
    context: StageContext,
    *,
    optimizer: tf_keras.optimizers.Optimizer | None = None,
    hooks: Sequence[TrainingHook] = (),
) -> dict[str, object]:
    """Runs the optimizer over the epochs of a stage, in place; resumes from a checkpoint in `context.work`.

    The same model, stage and context give the same weights, whether or not the stage was killed and started again.

    Args:
        model: a built model, possibly wrapped, possibly with a `train_step` of its own.
        stage: epochs, learning rate, early stopping, class weights.
        context: data, compile, seed, and where progress and checkpoints go.
        optimizer: the optimizer of `make_optimizer`, where the caller needs it before; made here otherwise.
        hooks: what the stage adds to plain training, in their order; a teacher comes before them, so that their terms
            of the loss are not scaled by its weight.

    Returns:
        Details of the teacher and of early stopping, for `StageRecord.details`.

    Raises:
        StageError: data and model do not fit, the loss is not finite, or a monitor names what is not measured.
        KeyboardInterrupt: as it came, after the state was saved.
    """
    steps = length(stage, context)
    warmup = stage.warmup_end()
    data = context.data
    soft = one_hot_depth(data, context.augment) is not None
    compile = compiling.with_soft_labels(context.compile) if soft else context.compile
    _check(model, data.train, context.compile)
    teachers = [] if stage.teacher is None else [Distiller(stage.teacher, stage.name, stage.epochs, context)]
    own = [OwnCallbacks(stage.callbacks, stage.epochs)] if stage.callbacks else []
    every = HookList(
        [*teachers, *hooks, *own],
        early_stopping_from=None if warmup is None else warmup.steps(steps.total_steps, steps.steps_per_epoch),
    )
    tf_keras.utils.set_random_seed(context.seed)
    if tf.config.list_physical_devices("GPU"):
        # On a CPU the same seed gives the same weights without it (measured: convolutions, batch normalization,
        # dropout; two busy cores), and the switch, which holds for the whole process, can be spared.
        tf.config.experimental.enable_op_determinism()

    @cache  # a dataset has no state: every iterator of it yields the same batches, and building it takes 0.1 s
    def batches(first_epoch: int, first_step: int) -> tf.data.Dataset:
        return weighted(
            training_batches(
                data,
                context.batch_size,
                stage.epochs,
                context.seed,
                augment=context.augment,
                first_epoch=first_epoch,
                first_step=first_step,
                extra=every.extra,
            ),
            data.train.targets,
            stage.class_weights,
            compile,
        )

    with called(model, compile.all_outputs):
        model.compile(
            optimizer=loss_scaled(optimizer or make_optimizer(stage, context), context.precision),
            **compiling.keras_compile(
                compile,
                _shapes(batches(0, 0).element_spec[1]),
                _output_shapes(model, compile),
                data.train.weights is not None or data.validation.weights is not None,
            ),
        )
        model.optimizer.build(model.trainable_variables)
        every.start(
            TrainingSetup(model, steps.total_steps, steps.steps_per_epoch, lambda: make_optimizer(stage, context))
        )
        try:
            with (
                strided_pointwise_spared(model),
                synchronized(list(all_layers(model))),
                readable_errors(),
                computing_in(context.precision, model) as computed,
            ):
                loop = TrainingLoop(model, stage, context, batches, _validation(context), steps.steps_per_epoch, every)
                details = loop.run()
        except LossNotFinite as error:
            if context.precision == "mixed_float16":
                batch = next(iter(batches(error.epoch - 1, (error.step - 1) % steps.steps_per_epoch)))
                if (found := first_overflow(model, batch[0], context.precision)) is not None:
                    raise overflow_error(error.when, found) from error
            raise
    if is_mixed(context.precision):
        details["precision"] = {
            "policy": context.precision,
            "parameters": computed.parameters,
            "share": computed.parameters / max(computed.total, 1),
            **loss_scale.details(model.optimizer),
        }
    return details


def make_optimizer(stage: TrainingStage, context: StageContext) -> tf_keras.optimizers.Optimizer:
    """The optimizer of a stage, its rate schedule in the stage's steps."""
    steps = length(stage, context)
    return compiling.make_optimizer(context.compile, stage.learning_rate, steps.total_steps, steps.steps_per_epoch)


def _validation(context: StageContext) -> tf.data.Dataset | None:
    """Batches of the validation split, kept in memory where the split is; labels one-hot as mixup makes them."""
    split = context.data.validation
    if not len(split):
        return None
    depth = one_hot_depth(context.data, context.augment)
    size = replicas.divisible(len(split), max(256, context.examples_at_once))
    batches = evaluation_batches(split, size, one_hot=depth, weights=True)
    return batches.cache() if split.in_memory else batches


def _output_shapes(model: tf_keras.Model, compile: Compile) -> dict[str, Shape]:
    """Shape of each output with the batch axis, by its name; under an empty name where there is one."""
    if not compile.all_outputs:
        return {"": model.output_shape}
    return {name: tuple(tensor.shape) for name, tensor in zip(compile.all_outputs, model.outputs, strict=True)}


def _shapes(spec: Nested) -> dict[str, Shape]:
    return {name: part.shape for name, part in spec.items()} if isinstance(spec, dict) else {"": spec.shape}


def _check(model: tf_keras.Model, split: Split, compile: Compile) -> None:
    """Finds what TensorFlow would only find in the midst of a step, or (labels on a GPU) not at all."""
    shapes = _output_shapes(model, compile)
    for name, of in compile.of_each().items():
        _check_labels(shapes[name], of_output(split.targets, name), of)


def _check_labels(shape: Shape, targets: ExampleArray, compile: Compile) -> None:
    if not compile.loss_kind.startswith("sparse_") or targets.dtype.kind not in "iu":
        return
    classes, ignored = shape[-1] or 0, ignored_class(compile)
    found = [value for value in _bounds(targets, ignored) if value != ignored]
    if found and (found[0] < 0 or found[-1] >= classes):
        raise StageError(
            f"the labels go from {found[0]} to {found[-1]}, but the model has "
            f"{counted(classes, 'output')}, which allow "
            f"labels from 0 to {classes - 1}.",
            "Give the model as many outputs as there are classes.",
            code="invalid_data",
        )


def _bounds(targets: ExampleArray, ignored: int | None) -> list[int]:
    """The smallest and the largest label; all that occur, sorted, where the loss ignores one at an end."""
    if not targets.nbytes:
        return []
    ends = extremes(targets)
    return list(ends) if ignored not in ends else list(map(int, values_of(targets)))
