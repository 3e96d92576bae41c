"""The teachers of a stage: loaded, never trained, run in inference mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.data.arrays.tensors import readable_errors
from tfopt.backend.data.batches import input_batches
from tfopt.backend.data.splits import Split
from tfopt.backend.devices.predictions import predicted
from tfopt.backend.distillation.feature_extractor import NoSuchLayer, feature_extractor
from tfopt.backend.distillation.outputs import Form, ModelOutputs, form_of, form_of_values
from tfopt.backend.graph.outputs import output_names, positions
from tfopt.backend.types import Nested
from tfopt.core.config.distillation import LayerPair, Teacher
from tfopt.core.config.training.compile import Compile
from tfopt.core.config.training.outputs import Task
from tfopt.core.contracts.stage import StageContext
from tfopt.errors import StageError

T = TypeVar("T")

_BATCH = 256


@dataclass(frozen=True)
class TeacherEnsemble:
    """One teacher, or several whose outputs are averaged.

    They are not part of a model in training: nothing tracks their variables.

    Args:
        models: `tf_keras.Model`, or `TfliteModel` (`tfopt.backend.artifacts.external_models`), run outside the graph.
        readers: the same models; a single one also returns the outputs of its compared layers.
        shares: how much each counts; they sum to 1.
        compared: by model, the positions of its outputs that are compared with those of the student, in their order.
    """

    models: tuple[Any, ...]
    readers: tuple[Any, ...]
    shares: tuple[float, ...]
    compared: tuple[tuple[int, ...], ...]

    @classmethod
    def of(
        cls,
        models: tuple[Any, ...],
        shares: tuple[float, ...],
        compile: Compile,
        pairs: Sequence[LayerPair] = (),
    ) -> TeacherEnsemble:
        """Teachers whose layers are compared by `pairs`, which needs a single Keras model.

        Raises:
            StageError: a layer or an output is missing.
        """
        compared = tuple(_compared(model, compile) for model in models)
        if not pairs:
            return cls(models, models, shares, compared)
        (model,) = models
        try:
            reader = feature_extractor(model, [(pair, pair.teacher_layer) for pair in pairs])
            return cls(models, (reader,), shares, compared)
        except NoSuchLayer as error:
            raise StageError(f"a layer of the teacher that is to be compared {error}.", code="unknown_layer") from error

    @property
    def in_graph(self) -> bool:
        """Whether all can be asked inside a training step."""
        return all(isinstance(model, tf_keras.Model) for model in self.models)

    def ask(self, inputs: Nested) -> ModelOutputs:
        """The outputs for a batch, in inference mode and without a gradient."""
        given = [tf.nest.flatten(reader(inputs, training=False)) for reader in self.readers]
        given = [[tf.stop_gradient(tensor) for tensor in one] for one in given]
        return ModelOutputs(tuple(self._outputs(given)), tuple(given[0][self._first_feature :]))

    def _outputs(self, given: Sequence[Sequence[T]]) -> list[T]:
        """The compared outputs of each model, from everything that each returned."""
        return [one[index] for one, compared in zip(given, self.compared, strict=True) for index in compared]

    @property
    def _first_feature(self) -> int:
        return len(self.models[0].outputs)

    def predict_all(self, split: Split) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Outputs of each model, and of the compared layers, for all examples of a split in its order."""
        if not self.in_graph:
            return self._outputs([_predict(model, split) for model in self.models]), []
        each = [_batched(reader, split) for reader in self.readers]
        return self._outputs(each), each[0][self._first_feature :]

    def forms(
        self, task: Task, default: Form, outputs: Sequence[np.ndarray] | None, position: int = 0
    ) -> tuple[Form, ...]:
        """Whether each returns probabilities or logits.

        Args:
            task: what the output is.
            default: what a Keras model is taken for whose last layer does not say.
            outputs: the compared ones of each; needed where one is not a Keras model.
            position: of the output among those that are compared.
        """
        return tuple(
            form_of(model, default, compared[position])
            if isinstance(model, tf_keras.Model)
            else form_of_values((outputs or ())[index * len(compared) + position], task)
            for index, (model, compared) in enumerate(zip(self.models, self.compared, strict=True))
        )


def load(teacher: Teacher, context: StageContext) -> TeacherEnsemble:
    """Loads the teachers of a stage: fresh objects, so that a student which was one of them can be changed in place.

    Raises:
        StageError: one cannot be loaded.
        StoreError: a store entry cannot be read.
    """
    # Not above: what loads the results of stages knows all stages, and they know this package.
    from tfopt.backend.artifacts.external_models import load_external_model

    models = tuple(load_external_model(context.sources[source.label]) for source in teacher.sources())
    return TeacherEnsemble.of(models, teacher.shares(), context.compile, teacher.pairs)


def _compared(model: Any, compile: Compile) -> tuple[int, ...]:
    """Positions of a teacher's outputs: by name, or as in the student where layers have names of their own.

    Raises:
        StageError: a teacher has fewer outputs, or other ones.
    """
    if not compile.all_outputs:
        return (0,)
    names = output_names(model) if isinstance(model, tf_keras.Model) else tuple(model.outputs)
    try:
        return positions(names, compile.outputs, compile.all_outputs)
    except KeyError as missing:
        raise StageError(
            f"the teacher has no output {missing}; it has {', '.join(names)}.",
            f"A teacher has the outputs of the student: {', '.join(compile.outputs)}.",
            code="unknown_output",
        ) from None


def _predict(model: Any, split: Split) -> list[np.ndarray]:
    if isinstance(model, tf_keras.Model):
        return _batched(model, split)
    return [model.predict(split.inputs)]


def _batched(model: tf_keras.Model, split: Split) -> list[np.ndarray]:
    with readable_errors():
        return tf.nest.flatten(predicted(model, input_batches(split.inputs, _BATCH)))
