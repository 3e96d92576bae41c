"""How far predicted regions of an image overlap with the true ones: mean IoU and Dice of segmentation."""

from __future__ import annotations

import tensorflow as tf

from tfopt.backend.training.metrics.class_counts import ClassCounts


class MeanIoU(ClassCounts):
    """Intersection over union (Jaccard index) of each class over all pixels of all images, averaged over the classes
    that occur among targets or predictions, as in Pascal VOC; of one yes or no per pixel, that of yes.

    Args:
        classes: number of outputs.
        one_per_label: whether each output is a yes or no of its own.
        threshold: above it, such an output means yes.
        background: class that is left out of the average; None for all classes.
        name: in reports.
    """

    def __init__(
        self,
        classes: int,
        one_per_label: bool,
        threshold: float,
        background: int | None = None,
        name: str = "mean_iou",
    ) -> None:
        super().__init__(classes, one_per_label, threshold, name)
        whole = isinstance(background, int) and not isinstance(background, bool)
        if background is not None and not (whole and 0 <= background < classes and classes > 1):
            raise ValueError(
                f"background must be one of the classes 0 to {classes - 1}, and leave another. Got {background!r}."
            )
        self._counts = tf.constant([float(k != background) for k in range(classes)], tf.float64)

    def result(self) -> tf.Tensor:
        """The average; 0 before the first batch."""
        union = self._targets + self._predictions - self._hits
        weights = self._counts * tf.cast(union > 0, tf.float64)
        return tf.math.divide_no_nan(tf.reduce_sum(self._each() * weights), tf.reduce_sum(weights))

    def _each(self) -> tf.Tensor:
        return tf.math.divide_no_nan(tf.convert_to_tensor(self._hits), self._targets + self._predictions - self._hits)


class Dice(MeanIoU):
    """Dice coefficient of each class, twice the intersection over the sum of both areas, averaged as `MeanIoU` is."""

    def _each(self) -> tf.Tensor:
        return tf.math.divide_no_nan(2 * self._hits, self._targets + self._predictions)
