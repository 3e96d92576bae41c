"""SSD-like detector on MobileNetV1: boxes and classes at every anchor; for data with anchors."""

from __future__ import annotations

import tensorflow as tf
import tf_keras
from tf_keras import layers
from tf_keras.regularizers import L2

from tfopt.backend.models.zoo._parts import ExampleShape, batch_norm_relu, image_input
from tfopt.backend.vision.anchors import AnchorGrid
from tfopt.errors import StageError

_BLOCKS = ((1, 64), (2, 128), (1, 128), (2, 256), (1, 256), (2, 512), *((1, 512),) * 5, (2, 1024), (1, 1024))
"""Stride and filters of each block of MobileNetV1; behind them each further stride of 2 has a block of 512."""


def build(
    input_shape: ExampleShape,
    num_outputs: int,
    anchors: AnchorGrid | None = None,
    *,
    alpha: float = 0.25,
    l2: float = 1e-5,
) -> tf_keras.Model:
    """MobileNetV1 (Howard et al. 2017, arXiv:1704.04861) with the heads of SSD (Liu et al. 2016, arXiv:1512.02325).

    The outputs `boxes` (anchors, 4), offsets from the anchors, and `classes` (anchors, 1 + classes), probabilities of
    background and classes, never meet in one tensor, so that each has scales of its own in an integer file.

    Args:
        input_shape: (height, width, channels) or (height, width).
        num_outputs: classes of objects.
        anchors: of the data.
        alpha: width: share of the filters of MobileNetV1.
        l2: weight of the kernels' L2 loss.

    Raises:
        StageError: the data have no anchors, or a stride is not among those of the network.
    """
    if anchors is None:
        raise StageError(
            "The model ssd_mobilenet needs data with anchors, but the data of this recipe have none.",
            "Use a source of detection: scenes_detection, a .json of COCO, or a .csv of boxes with args.images.",
            code="incompatible_model",
        )
    if anchors.strides[0] < 4:
        raise StageError(
            f"The model ssd_mobilenet finds objects from stride 4 on; the anchors have the strides "
            f"{list(anchors.strides)}.",
            "Set data.args.strides, such as [8, 16].",
            code="invalid_argument",
        )
    inputs, x = image_input(input_shape, "ssd_mobilenet", smallest=anchors.strides[0])
    maps = _feature_maps(x, anchors.strides, alpha, l2)
    boxes = [_head(maps[stride], len(anchors.ratios), 4, l2, f"boxes_{stride}") for stride in anchors.strides]
    classes = [
        _head(maps[stride], len(anchors.ratios), num_outputs + 1, l2, f"logits_{stride}") for stride in anchors.strides
    ]
    logits = _joined(classes, "logits")
    return tf_keras.Model(
        inputs, [_joined(boxes, "boxes"), layers.Softmax(name="classes")(logits)], name="ssd_mobilenet"
    )


def _feature_maps(x: tf.Tensor, strides: tuple[int, ...], alpha: float, l2: float) -> dict[int, tf.Tensor]:
    """The last tensor of each stride."""
    x = layers.Conv2D(
        _filters(32, alpha), 3, 2, padding="same", use_bias=False, kernel_regularizer=L2(l2), name="stem"
    )(x)
    x, stride, found = batch_norm_relu(x, "stem", momentum=0.9), 2, {}
    further = ((2, 512),) * 8
    for number, (step, filters) in enumerate((*_BLOCKS, *further), start=1):
        if stride * step > strides[-1]:
            break
        x, stride = _block(x, step, _filters(filters, alpha), l2, f"block{number}"), stride * step
        found[stride] = x
    return found


def _block(x: tf.Tensor, stride: int, filters: int, l2: float, name: str) -> tf.Tensor:
    depthwise, pointwise = f"{name}_depthwise", f"{name}_pointwise"
    x = layers.DepthwiseConv2D(
        3, stride, padding="same", use_bias=False, depthwise_initializer="he_normal", name=depthwise
    )(x)
    x = batch_norm_relu(x, depthwise, momentum=0.9)
    x = layers.Conv2D(
        filters, 1, use_bias=False, kernel_initializer="he_normal", kernel_regularizer=L2(l2), name=pointwise
    )(x)
    return batch_norm_relu(x, pointwise, momentum=0.9)


def _head(x: tf.Tensor, ratios: int, width: int, l2: float, name: str) -> tf.Tensor:
    """(anchors of this feature map, width)."""
    x = layers.Conv2D(ratios * width, 3, padding="same", kernel_regularizer=L2(l2), name=name)(x)
    return layers.Reshape((-1, width), name=f"{name}_rows")(x)


def _joined(parts: list[tf.Tensor], name: str) -> tf.Tensor:
    if len(parts) == 1:
        return layers.Activation("linear", name=name)(parts[0])
    return layers.Concatenate(axis=1, name=name)(parts)


def _filters(filters: int, alpha: float) -> int:
    return max(8, int(filters * alpha))
