"""Distillation as part of a training stage: teachers loaded and asked, the step that learns from them made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.distillation import cache, teachers
from tfopt.backend.distillation.feature_extractor import NoSuchLayer, feature_extractor
from tfopt.backend.distillation.loss import DistillationLoss
from tfopt.backend.distillation.moving_average import MovingAverageTeacher
from tfopt.backend.distillation.outputs import Form, ModelOutputs, form_of
from tfopt.backend.distillation.projections import projections
from tfopt.backend.distillation.step import TeacherTerm
from tfopt.backend.distillation.teachers import TeacherEnsemble
from tfopt.backend.training import compile as compiling
from tfopt.backend.training.hooks import Batch, ForwardPass, GradientsOf, TrainingHook, TrainingSetup
from tfopt.backend.training.metrics.counted import ignored_class
from tfopt.backend.training.precision.compute import as_type
from tfopt.backend.types import Nested
from tfopt.core.config import ramps
from tfopt.core.config.distillation import Teacher
from tfopt.core.config.outputs import Outputs
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
        outputs = Outputs.of(context.compile)
        self._task = outputs.task
        self._form: Form = "logits" if outputs.are_logits else "probabilities"
        sources = [source.label for source in teacher.sources()]
        if given is not None:
            model, name = given
            sources = [name]
            self._ensemble: TeacherEnsemble | None = TeacherEnsemble.of((model,), (1.0,), teacher.pairs)
        else:
            self._ensemble = teachers.load(teacher, context) if teacher.sources() else None
        self._forms: tuple[Form, ...] = ()
        self._given: Given | None = None
        details: dict[str, object] = {"loss": teacher.response_loss(self._task)}
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

            outputs, features, seconds = cache.cached_outputs(ensemble, context.data.train, context.work, warn)
            self._given = tuple(outputs), tuple(features)
            details |= {"asked": "once", "seconds_of_one_pass": seconds, "passes_saved": epochs - 1}
        self._forms = ensemble.forms(self._task, self._form, self._given[0] if self._given else None)
        test = context.data.test
        predicted = ModelOutputs(tuple(tf.constant(one) for one in ensemble.predict_all(test)[0]))
        together = self._loss((), ensemble.shares).probabilities(predicted)
        details["measures"] = compiling.measure(self._as_compiled(together), test.targets, context.compile)
        return details

    def _as_compiled(self, probabilities: tf.Tensor) -> np.ndarray:
        """ModelOutputs as the recipe's loss expects them."""
        if self._form == "probabilities" or self._task == "quantities":
            return probabilities.numpy()
        if self._task == "binary":
            return (tf.math.log(probabilities) - tf.math.log1p(-probabilities)).numpy()
        return tf.math.log(probabilities).numpy()

    def _loss(self, projected: Sequence[tf_keras.layers.Layer | None], shares: tuple[float, ...]) -> DistillationLoss:
        return DistillationLoss(self._teacher, self._task, self._form, self._forms, shares, projected)

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
        self._form = form_of(model, self._task, self._form)
        self._reader = self._read_features(model)

        def flat(inputs: Nested) -> list[tf.Tensor]:
            return as_type(tf.nest.flatten(self._reader(inputs, training=False)), tf.float32)

        average = MovingAverageTeacher(model, flat, teacher.ema.decay) if teacher.ema is not None else None
        if self._ensemble is None:
            self._forms = (self._form,)
        theirs = self._reader if self._ensemble is None else self._ensemble.readers[0]
        projected = (
            projections(teacher.pairs, _shapes(self._reader)[1:], _shapes(theirs)[1:], self._context.seed)
            if teacher.layers
            else []
        )
        shares = self._ensemble.shares if self._ensemble is not None else (1.0,)
        steps = setup.total_steps, setup.steps_per_epoch
        self._term = TeacherTerm(
            model,
            self._loss(projected, shares),
            ask=self._ensemble.ask if self._ensemble is not None and self._given is None else None,
            average=average,
            temperature=_resolved("temperature", teacher.used_temperature(), *steps),
            weight=_resolved("weight", teacher.weight, *steps),
            optimizer=setup.make_optimizer() if any(projected) else None,
            ignored=ignored_class(self._context.compile),
        )

    def features(self, model: tf_keras.Model) -> Sequence[tf.Tensor]:
        return self._reader.outputs[1:] if self._teacher.layers else ()

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


def _shapes(reader: tf_keras.Model) -> list[tuple[int | None, ...]]:
    return [tuple(tensor.shape) for tensor in reader.outputs]


def _resolved(key: str, value: ramps.RampValue, total_steps: int, steps_per_epoch: int) -> ramps.ResolvedChange:
    try:
        return ramps.resolve(value, total_steps, steps_per_epoch)
    except ValueError as error:
        raise StageError(f"teacher.{key} {error}.", code="outside_stage") from error
