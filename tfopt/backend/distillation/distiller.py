"""Distillation as part of a training stage: teachers loaded and asked, the step that learns from them made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.data.token_changes import variants
from tfopt.backend.distillation import cache, teachers
from tfopt.backend.distillation.compared import ComparedLosses, ComparedOutput, compared_outputs
from tfopt.backend.distillation.feature_extractor import NoSuchLayer, feature_extractor
from tfopt.backend.distillation.loss import DistillationLoss
from tfopt.backend.distillation.moving_average import MovingAverageTeacher
from tfopt.backend.distillation.outputs import Form, ModelOutputs, form_of
from tfopt.backend.distillation.projections import projections
from tfopt.backend.distillation.step import TeacherTerm
from tfopt.backend.distillation.teachers import TeacherEnsemble
from tfopt.backend.training.hooks import Batch, ForwardPass, GradientsOf, TrainingHook, TrainingSetup
from tfopt.backend.training.measure import measure
from tfopt.backend.training.precision.compute import as_type
from tfopt.backend.types import Nested
from tfopt.core.config import ramps
from tfopt.core.config.distillation import Teacher
from tfopt.core.contracts.events import Warned
from tfopt.core.contracts.stage import StageContext
from tfopt.errors import StageError

Given = tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]
"""Outputs of each teacher, and of the compared layers, for every training example."""


class Distiller(TrainingHook):
    """The hook of the teachers of one stage.

    Args:
        teacher: the recipe's block.
        stage: name of the stage.
        epochs: of the stage.
        context: sources, data, and where events and the teachers' outputs go.
        given: the teacher itself and its name in reports, where it is not loaded from the sources.

    Raises:
        StageError: a teacher cannot be loaded, or a layer is missing.
    """

    def __init__(
        self,
        teacher: Teacher,
        stage: str,
        epochs: int,
        context: StageContext,
        given: tuple[tf_keras.Model, str] | None = None,
    ) -> None:
        self._teacher, self._context = teacher, context
        self._compared = compared_outputs(context.compile)
        self._student_forms: tuple[Form, ...] = tuple(output.form for output in self._compared)
        sources = [source.label for source in teacher.sources()]
        if given is not None:
            model, name = given
            sources = [name]
            self._ensemble: TeacherEnsemble | None = TeacherEnsemble.of(
                (model,), (1.0,), context.compile, teacher.pairs
            )
        else:
            self._ensemble = teachers.load(teacher, context) if teacher.sources() else None
        self._forms: tuple[tuple[Form, ...], ...] = ()
        self._given: Given | None = None
        several = len(self._compared) > 1
        losses = {output.name: teacher.response_loss(output.task, several) for output in self._compared}
        named = ", ".join(f"{loss} of {name}" for name, loss in losses.items())
        details: dict[str, object] = {"loss": named if several else next(iter(losses.values()))}
        if self._ensemble is not None:
            details |= {"sources": sources, **self._look_at(self._ensemble, stage, epochs)}
        self._details = details

    def _look_at(self, ensemble: TeacherEnsemble, stage: str, epochs: int) -> dict[str, object]:
        """Asks what is to be asked before the first step; what to say about the teachers."""
        context = self._context
        details: dict[str, object] = {"asked": "in every step"}
        if self._teacher.cache or not ensemble.in_graph:

            def warn(message: str) -> None:
                context.emit(Warned(f"{stage}: {message}"))

            splits = variants(context.data, context.augment, context.seed, epochs)
            outputs, features, seconds = cache.cached_outputs(ensemble, splits, context.work, warn)
            self._given = tuple(outputs), tuple(features)
            details |= {"asked": "once", "seconds_of_one_pass": seconds, "passes_saved": epochs - len(splits)}
        given = self._given[0] if self._given else None
        self._forms = tuple(
            ensemble.forms(output.task, output.form, given, position) for position, output in enumerate(self._compared)
        )
        test = context.data.test
        predicted = ModelOutputs(tuple(tf.constant(one) for one in ensemble.predict_all(test)[0]))
        losses = self._losses((), ensemble.shares).losses
        together = {
            output.name: _as_compiled(loss.probabilities(predicted.of(position, len(losses))), output)
            for position, (output, loss) in enumerate(zip(self._compared, losses, strict=True))
        }
        judged = together if context.compile.outputs else together[""]
        details["measures"] = measure(judged, test.targets, context.compile, test.weights)
        return details

    def _losses(self, projected: Sequence[tf_keras.layers.Layer | None], shares: tuple[float, ...]) -> ComparedLosses:
        several = len(self._compared) > 1
        each = zip(self._compared, self._student_forms, self._forms, strict=True)
        losses = [
            DistillationLoss(self._teacher, output.task, form, forms, shares, projected, several)
            for output, form, forms in each
        ]
        return ComparedLosses(self._compared, losses)

    @property
    def details(self) -> Mapping[str, object]:
        return {"teacher": self._details}

    @property
    def extra(self) -> Given | None:
        return self._given

    @property
    def parts(self) -> Sequence[str]:
        return self._term.parts

    @property
    def variables(self) -> Sequence[tf.Variable]:
        return self._term.variables

    @property
    def trained(self) -> Sequence[tf.Variable]:
        return self._term.projected

    def start(self, setup: TrainingSetup) -> None:
        """Makes projections and averages.

        Raises:
            StageError: a layer is missing, or a schedule does not fit into the stage.
        """
        teacher, model = self._teacher, setup.model
        self._student_forms = tuple(form_of(model, output.form, output.index) for output in self._compared)
        self._reader = self._read_features(model)

        def flat(inputs: Nested) -> list[tf.Tensor]:
            return as_type(tf.nest.flatten(self._reader(inputs, training=False)), tf.float32)

        compared = [output.index for output in self._compared]
        average = MovingAverageTeacher(model, flat, teacher.ema.decay, compared) if teacher.ema is not None else None
        if self._ensemble is None:
            self._forms = tuple((form,) for form in self._student_forms)
        theirs = self._reader if self._ensemble is None else self._ensemble.readers[0]
        projected = (
            projections(teacher.pairs, _features(self._reader, teacher), _features(theirs, teacher), self._context.seed)
            if teacher.layers
            else []
        )
        shares = self._ensemble.shares if self._ensemble is not None else (1.0,)
        steps = setup.total_steps, setup.steps_per_epoch
        self._term = TeacherTerm(
            model,
            self._losses(projected, shares),
            ask=self._ensemble.ask if self._ensemble is not None and self._given is None else None,
            average=average,
            temperature=_resolved("temperature", teacher.used_temperature(), *steps),
            weight=_resolved("weight", teacher.weight, *steps),
            optimizer=setup.make_optimizer() if any(projected) else None,
        )

    def features(self, model: tf_keras.Model) -> Sequence[tf.Tensor]:
        return self._reader.outputs[-len(self._teacher.pairs) :] if self._teacher.layers else ()

    def prepare(self, batch: Batch) -> Nested:
        return self._term.prepare(batch)

    def loss(self, forward: ForwardPass, loss: tf.Tensor) -> tuple[tf.Tensor, Mapping[str, tf.Tensor]]:
        return self._term.loss(forward, loss)

    def after_update(self, gradients_of: GradientsOf) -> None:
        self._term.after_update(gradients_of)

    def _read_features(self, model: tf_keras.Model) -> tf_keras.Model:
        if not self._teacher.layers:
            return model
        try:
            return feature_extractor(model, [(pair, pair.student) for pair in self._teacher.pairs])
        except NoSuchLayer as error:
            raise StageError(f"a layer of the student that is to be compared {error}.", code="unknown_layer") from error


def _features(reader: tf_keras.Model, teacher: Teacher) -> list[tuple[int | None, ...]]:
    """Shapes of the compared layers, which a reader returns last."""
    return [tuple(tensor.shape) for tensor in reader.outputs[-len(teacher.pairs) :]]


def _as_compiled(probabilities: tf.Tensor, output: ComparedOutput) -> np.ndarray:
    """An output as the recipe's loss expects it."""
    if output.form == "probabilities" or output.task == "quantities":
        return probabilities.numpy()
    if output.task == "binary":
        return (tf.math.log(probabilities) - tf.math.log1p(-probabilities)).numpy()
    return tf.math.log(probabilities).numpy()


def _resolved(key: str, value: ramps.RampValue, total_steps: int, steps_per_epoch: int) -> ramps.ResolvedChange:
    try:
        return ramps.resolve(value, total_steps, steps_per_epoch)
    except ValueError as error:
        raise StageError(f"teacher.{key} {error}.", code="outside_stage") from error
