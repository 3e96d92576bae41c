"""Losses of segmentation: for maps in which most pixels are background, or easy."""

from __future__ import annotations

import tensorflow as tf
import tf_keras

_TINY = 1e-7
"""As in Keras: what probabilities are at least."""


class SparseCategoricalFocalCrossentropy(tf_keras.losses.Loss):
    """Cross-entropy that counts a pixel the less, the surer the model is of its right class: `(1 - p)^gamma` times it
    (Lin et al. 2017, arXiv:1708.02002).

    Args:
        gamma: 0 is plain cross-entropy.
        from_logits: whether outputs are logits, not probabilities.
        ignore_class: target that does not count; None where all do.
    """

    def __init__(self, gamma: float = 2.0, from_logits: bool = False, ignore_class: int | None = None) -> None:
        super().__init__(name="sparse_categorical_focal_crossentropy")
        if gamma < 0:
            raise ValueError(f"gamma must be 0 or more. Got {gamma!r}.")
        self._gamma, self._from_logits, self.ignore_class = gamma, from_logits, ignore_class

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """Losses (batch, ...) of targets (batch, ...) and outputs (batch, ..., classes)."""
        targets, counts = _counted(y_true, y_pred, self.ignore_class)
        entropy = _cross_entropy(targets, y_pred, self._from_logits)
        # (1 - p)^gamma has no gradient at p = 1 where gamma is below 1.
        rest = tf.maximum(1 - tf.exp(-entropy), _TINY)
        return _of_counted(tf.pow(rest, self._gamma) * entropy, counts)


class SparseCategoricalDiceCrossentropy(tf_keras.losses.Loss):
    """Cross-entropy plus the Dice loss, which counts each class by its share of overlap, however few pixels it has
    (Milletari et al. 2016, arXiv:1606.04797; areas without squares, and the sum, as in nnU-Net, Isensee et al. 2018,
    arXiv:1809.10486).

    The Dice loss of an image is one minus the Dice coefficient, with probabilities in place of predictions, averaged
    over the classes that occur in its targets.

    Args:
        dice_weight: of the Dice loss in the sum.
        from_logits: whether outputs are logits, not probabilities.
        ignore_class: target that does not count; None where all do.
    """

    def __init__(self, dice_weight: float = 1.0, from_logits: bool = False, ignore_class: int | None = None) -> None:
        super().__init__(name="sparse_categorical_dice_crossentropy")
        _check_weight(dice_weight)
        self._weight, self._from_logits, self.ignore_class = dice_weight, from_logits, ignore_class

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """Losses (batch, ...) of targets (batch, ...) and outputs (batch, ..., classes)."""
        targets, counts = _counted(y_true, y_pred, self.ignore_class)
        entropy = _cross_entropy(targets, y_pred, self._from_logits)
        probabilities = tf.nn.softmax(y_pred) if self._from_logits else y_pred
        shares = tf.cast(counts, y_pred.dtype)[..., tf.newaxis]
        dice = _dice_loss(tf.one_hot(targets, y_pred.shape[-1], dtype=y_pred.dtype) * shares, probabilities * shares)
        return _of_counted(entropy + self._weight * _with_axes_of(dice, entropy), counts)


class BinaryDiceCrossentropy(tf_keras.losses.Loss):
    """As `SparseCategoricalDiceCrossentropy`, for a yes or no of each pixel: targets and outputs of one shape.

    The Dice loss of an image in which a label is yes nowhere is 0 where the outputs are 0 as well.

    Args:
        dice_weight: of the Dice loss in the sum.
        from_logits: whether outputs are logits, not probabilities.
    """

    def __init__(self, dice_weight: float = 1.0, from_logits: bool = False) -> None:
        super().__init__(name="binary_dice_crossentropy")
        _check_weight(dice_weight)
        self._weight, self._from_logits = dice_weight, from_logits

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """Losses (batch, ...) of targets and outputs (batch, ..., labels)."""
        truth = tf.reshape(tf.cast(y_true, y_pred.dtype), tf.shape(y_pred))
        entropy = tf_keras.losses.binary_crossentropy(truth, y_pred, self._from_logits)
        dice = _dice_loss(truth, tf.sigmoid(y_pred) if self._from_logits else y_pred, smooth=1.0)
        return entropy + self._weight * _with_axes_of(dice, entropy)


def _counted(y_true: tf.Tensor, y_pred: tf.Tensor, ignored: int | None) -> tuple[tf.Tensor, tf.Tensor]:
    """Targets, with class 0 where they do not count; and whether they do."""
    targets = tf.reshape(tf.cast(y_true, tf.int32), tf.shape(y_pred)[:-1])
    if ignored is None:
        return targets, tf.ones_like(targets, tf.bool)
    counts = tf.not_equal(targets, ignored)
    return tf.where(counts, targets, 0), counts


def _of_counted(losses: tf.Tensor, counts: tf.Tensor) -> tf.Tensor:
    """The losses, with the mask by which Keras takes the mean over those that count (as for its own `ignore_class`)."""
    losses = tf.where(counts, losses, 0)
    losses._keras_mask = counts
    return losses


def _cross_entropy(targets: tf.Tensor, outputs: tf.Tensor, from_logits: bool) -> tf.Tensor:
    return tf_keras.losses.sparse_categorical_crossentropy(targets, outputs, from_logits=from_logits)


def _dice_loss(truth: tf.Tensor, found: tf.Tensor, smooth: float = 0.0) -> tf.Tensor:
    """One minus the Dice coefficient of each image, (batch,), averaged over the classes that it has.

    Args:
        truth: (batch, ..., classes), 0 or 1.
        found: probabilities of the same shape.
        smooth: what is added to numerator and denominator; above 0, all classes count.
    """
    truth, found = (tf.reshape(each, [tf.shape(each)[0], -1, each.shape[-1]]) for each in (truth, found))
    both = tf.reduce_sum(truth * found, axis=1)
    areas = tf.reduce_sum(truth + found, axis=1)
    each = tf.math.divide_no_nan(2 * both + smooth, areas + smooth)
    present = tf.ones_like(each) if smooth else tf.cast(tf.reduce_sum(truth, axis=1) > 0, each.dtype)
    mean = tf.math.divide_no_nan(tf.reduce_sum(each * present, axis=1), tf.reduce_sum(present, axis=1))
    return 1 - mean


def _with_axes_of(values: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    """Values (batch,) with as many axes as `like` has."""
    return tf.reshape(values, [-1] + [1] * (like.shape.rank - 1))


def _check_weight(weight: float) -> None:
    if weight < 0:
        raise ValueError(f"dice_weight must be 0 or more. Got {weight!r}.")
