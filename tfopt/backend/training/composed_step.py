"""One optimizer step with hooks inside, or of several batches: it takes the place of `model.train_step`."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
import tf_keras

from tfopt.backend.devices import replicas
from tfopt.backend.training.accumulation import accumulated
from tfopt.backend.training.hooks import Batch, ForwardPass, HookList
from tfopt.backend.training.metrics.counted import positions_counted
from tfopt.backend.training.precision.compute import as_type
from tfopt.backend.training.precision.loss_scale import is_scaled, zero_where_overflowed
from tfopt.backend.types import Nested
from tfopt.errors import StageError


class ComposedStep:
    """A training step in which each hook adds a loss term, reads gradients or updates something of its own.

    The model itself is not changed, and its optimizer holds its weights only.

    Args:
        model: compiled, possibly wrapped.
        hooks: started; called in their order.
        examples_at_once: of a step, as many are computed together, and the average of their gradients is taken; None
            for all.

    Raises:
        StageError: two hooks report a part of the loss by the same name, or gradients cannot be accumulated because
            the model has a `train_step` of its own.
    """

    def __init__(self, model: tf_keras.Model, hooks: HookList, examples_at_once: int | None = None) -> None:
        self._model = model
        self._hooks = hooks.hooks
        self._reports_hard_loss = hooks.in_step
        self._wanted = [list(hook.features(model)) for hook in self._hooks]
        features = [tensor for wanted in self._wanted for tensor in wanted]
        self._reader = tf_keras.Model(model.inputs, [model.output, features]) if features else None
        if examples_at_once is not None and type(model).train_step is not tf_keras.Model.train_step:
            raise StageError(
                f"the model {model.name!r} has a train_step of its own ({type(model).__name__}), which takes an "
                "optimizer step with each batch; gradients cannot be accumulated.",
                "Leave compile.gradient_accumulation_steps out, or accumulate in that train_step.",
                code="incompatible_model",
            )
        self._trained = [*model.trainable_variables, *(one for hook in self._hooks for one in hook.trained)]
        self._at_once = examples_at_once
        names = ["loss", "hard_loss", *(part for hook in self._hooks for part in hook.parts)]
        if len(set(names)) < len(names):
            raise StageError(f"two parts of the loss have the same name: {', '.join(names)}.", code="duplicate_name")
        # Keras measures the loss of the labels itself, but counts a batch that all replicas have whole several times.
        kept = [name for name in names if name != "hard_loss" or replicas.count() > 1]
        self.metrics: Sequence[tf_keras.metrics.Metric] = [tf_keras.metrics.Mean(name=name) for name in kept]

    def __call__(self, batch: tuple[Nested, ...]) -> dict[str, tf.Tensor]:
        """Takes a step.

        Args:
            batch: (inputs, targets), then weights of the examples (or None), then the rows of `HookList.extra`, as far
                as there are such.

        Returns:
            Averages over the epoch so far: `loss`, `hard_loss` (that of the labels), the parts of the hooks, and the
            metrics of the model.
        """
        optimizer, own = self._model.optimizer, len(self._model.trainable_variables)
        if self._at_once is None:
            gradients = replicas.total_of_each(self._gradients(batch)[0])
        else:
            gradients = accumulated(self._gradients, batch, self._at_once, self._trained)
        # The optimizer has to see an overflow, and skips the step then; the hooks must not.
        read = zero_where_overflowed(gradients) if is_scaled(optimizer) else gradients
        for hook in self._hooks:
            hook.on_gradients(list(zip(read[:own], self._trained[:own], strict=True)))
        pairs = list(zip(gradients[:own], self._trained[:own], strict=True))
        optimizer.apply_gradients(pairs, skip_gradients_aggregation=True)  # they are those of the whole batch
        by_variable = {
            variable.ref(): gradient for variable, gradient in zip(self._trained[own:], read[own:], strict=True)
        }
        for hook in self._hooks:
            hook.after_update(lambda variables: [by_variable[variable.ref()] for variable in variables])
        measured = {metric.name: metric.result() for metric in self._model.metrics}
        averages = {metric.name: metric.result() for metric in self.metrics}
        of_keras = measured.pop("loss")
        hard_loss = averages.pop("hard_loss", of_keras)
        of_labels = {"hard_loss": hard_loss} if self._reports_hard_loss else {}
        return {"loss": averages.pop("loss"), **of_labels, **averages, **measured}

    def _gradients(self, batch: tuple[Nested, ...]) -> tuple[list[tf.Tensor | None], tf.Tensor]:
        """Gradients of what this replica adds to the loss of a batch, by all that is trained, and over how many
        positions that loss is a mean; metrics are updated."""
        model = self._model
        part, measured = replicas.own_part(batch)
        inputs, targets, weights, extras = (*part, None, None)[:4]
        batches = self._batches(inputs, targets, weights, iter(extras or ()))
        prepared = [hook.prepare(one) for hook, one in zip(self._hooks, batches, strict=True)]
        with tf.GradientTape() as tape:
            found = as_type((self._reader or model)(inputs, training=True), tf.float32)
            outputs, features = (found, ()) if self._reader is None else found
            hard_loss = loss = self._loss_of_labels(targets, outputs, weights)
            parts: dict[str, tf.Tensor] = {}
            for hook, forward in zip(self._hooks, self._forwards(batches, outputs, features, prepared), strict=True):
                loss, own = hook.loss(forward, loss)
                parts |= own
            if losses := (self._reader or model).losses:
                loss += tf.add_n([tf.cast(one, loss.dtype) for one in losses])
            counted = positions_counted(targets, outputs, model.loss)
            contribution = replicas.share(loss, counted)
        gradients = model.optimizer.compute_gradients(contribution, self._trained, tape)
        model.compiled_metrics.update_state(*replicas.first(measured, (targets, outputs, weights)))
        values = {"loss": loss, "hard_loss": hard_loss, **parts}
        size = tf.shape(tf.nest.flatten(inputs)[0])[0] if measured is None else measured
        for metric in self.metrics:
            metric.update_state(values[metric.name], sample_weight=size)
        return [gradient for gradient, _ in gradients], counted

    def _loss_of_labels(self, targets: Nested, outputs: Nested, weights: Nested) -> tf.Tensor:
        """The mean over the examples of this replica; Keras divides it by the number of replicas."""
        loss = self._model.compiled_loss(targets, outputs, weights)
        return loss * replicas.count() if replicas.inside() else loss

    def _batches(self, inputs: Nested, targets: Nested, weights: Nested, extras: Nested) -> list[Batch]:
        step = self._model.optimizer.iterations
        return [
            Batch(inputs, targets, weights, next(extras) if hook.extra is not None else None, step)
            for hook in self._hooks
        ]

    def _forwards(
        self, batches: Sequence[Batch], outputs: Nested, features: Sequence[tf.Tensor], prepared: Sequence[Nested]
    ) -> list[ForwardPass]:
        mask = tf.nest.map_structure(lambda tensor: getattr(tensor, "_keras_mask", None), outputs)
        remaining = iter(features)
        own = [tuple(next(remaining) for _ in wanted) for wanted in self._wanted]
        return [
            ForwardPass(batch, outputs, mine, mask, before)
            for batch, mine, before in zip(batches, own, prepared, strict=True)
        ]
