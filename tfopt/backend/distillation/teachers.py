"""The teachers of a stage: loaded, never trained, run in inference mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from tfopt.backend.data.arrays.tensors import readable_errors
from tfopt.backend.data.batches import input_batches
from tfopt.backend.data.splits import Split
from tfopt.backend.devices.predictions import predicted
from tfopt.backend.distillation.feature_extractor import NoSuchLayer, feature_extractor
from tfopt.backend.distillation.outputs import Form, ModelOutputs, form_of, form_of_values
from tfopt.backend.types import Nested
from tfopt.core.config.distillation import LayerPair, Teacher
from tfopt.core.config.outputs import Task
from tfopt.core.contracts.stage import StageContext
from tfopt.errors import StageError

_BATCH = 256


@dataclass(frozen=True)
class TeacherEnsemble:
    """One teacher, or several whose outputs are averaged.

    They are not part of a model in training: nothing tracks their variables.

    Args:
        models: `tf_keras.Model`, or `TfliteModel` (`tfopt.backend.artifacts.external_models`), run outside the graph.
        readers: the same models; a single one also returns the outputs of its compared layers.
        shares: how much each counts; they sum to 1.
    """

    models: tuple[Any, ...]
    readers: tuple[Any, ...]
    shares: tuple[float, ...]

    @classmethod
    def of(cls, models: tuple[Any, ...], shares: tuple[float, ...], pairs: Sequence[LayerPair] = ()) -> TeacherEnsemble:
        """Teachers whose layers are compared by `pairs`, which needs a single Keras model.

        Raises:
            StageError: a layer is missing.
        """
        if not pairs:
            return cls(models, models, shares)
        (model,) = models
        try:
            return cls(models, (feature_extractor(model, [(pair, pair.teacher_layer) for pair in pairs]),), shares)
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
        return ModelOutputs(tuple(one[0] for one in given), tuple(given[0][1:]))

    def predict_all(self, split: Split) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Outputs of each model, and of the compared layers, for all examples of a split in its order."""
        if not self.in_graph:
            return [_predict(model, split) for model in self.models], []
        each = [_batched(reader, split) for reader in self.readers]
        return [one[0] for one in each], each[0][1:]

    def forms(self, task: Task, default: Form, outputs: Sequence[np.ndarray] | None) -> tuple[Form, ...]:
        """Whether each returns probabilities or logits.

        Args:
            task: what the outputs are.
            default: what a Keras model is taken for whose last layer does not say.
            outputs: those of each; needed where one is not a Keras model.
        """
        return tuple(
            form_of(model, task, default)
            if isinstance(model, tf_keras.Model)
            else form_of_values((outputs or ())[index], task)
            for index, model in enumerate(self.models)
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
    return TeacherEnsemble.of(models, teacher.shares(), teacher.pairs)


def _predict(model: Any, split: Split) -> np.ndarray:
    if isinstance(model, tf_keras.Model):
        return _batched(model, split)[0]
    return model.predict(split.inputs)


def _batched(model: tf_keras.Model, split: Split) -> list[np.ndarray]:
    with readable_errors():
        return tf.nest.flatten(predicted(model, input_batches(split.inputs, _BATCH)))
