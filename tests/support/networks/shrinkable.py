"""Small networks with every way in which units of layers depend on each other."""

from __future__ import annotations

from collections.abc import Callable

import keras
import tensorflow as tf
import tf_keras
from tf_keras import layers

from tfopt.backend.bridge import to_tf_keras


def decoder() -> tf_keras.Model:
    """Dense to image: each channel is sixteen neurons."""
    inputs = layers.Input((16,))
    x = layers.Reshape((4, 4, 8))(layers.Dense(8 * 4 * 4, name="hidden")(inputs))
    x = layers.Conv2DTranspose(8, 3, strides=2, padding="same", activation="relu")(x)
    return tf_keras.Model(inputs, layers.Conv2D(3, 3, padding="same")(x), name="decoder")


def gates() -> tf_keras.Model:
    """Squeeze-excite, a gate of one channel, PReLU."""
    inputs = layers.Input((8, 8, 3))
    x = layers.Conv2D(16, 3, padding="same", activation="sigmoid")(inputs)
    gate = layers.Reshape((1, 1, 16))(layers.GlobalAveragePooling2D()(x))
    gate = layers.Conv2D(8, 1, activation="relu")(gate)
    x = layers.Multiply()([x, layers.Conv2D(16, 1, activation="sigmoid")(gate)])
    place = layers.Conv2D(1, 7, padding="same", activation="sigmoid", name="place")(x)
    x = layers.PReLU(shared_axes=[1, 2])(layers.Multiply(name="attend")([x, place]))
    return tf_keras.Model(inputs, layers.Dense(4)(layers.GlobalMaxPooling2D()(x)), name="gates")


def grouped() -> tf_keras.Model:
    """Group normalization, narrow and wide groups, a channel shuffle, two channels for one."""
    inputs = layers.Input((6, 6, 3))
    x = layers.ReLU()(layers.GroupNormalization(4)(layers.Conv2D(32, 3, padding="same")(inputs)))
    x = layers.BatchNormalization()(layers.Conv2D(32, 3, groups=8, padding="same")(x))
    x = layers.LayerNormalization(axis=[1, 2, 3])(layers.Conv2D(8, 1, name="over_all")(x))
    x = layers.Conv2D(36, 1, name="joined")(x)
    x = layers.Conv2D(36, 1, groups=3, activation="relu", name="wide1")(x)
    x = layers.Permute((1, 2, 4, 3))(layers.Reshape((6, 6, 3, 12))(x))
    x = layers.DepthwiseConv2D(3, depth_multiplier=2)(layers.Reshape((6, 6, 36))(x))
    return tf_keras.Model(inputs, layers.Dense(4)(layers.Flatten()(x)), name="grouped")


def transformer(before: bool = True) -> tf_keras.Model:
    """Two layers with heads, masks, and the normalization before or behind."""
    inputs = layers.Input((12,), dtype="int32")
    x = layers.Embedding(20, 32, mask_zero=True)(inputs)
    for number in range(2):
        y = layers.LayerNormalization()(x) if before else x
        y = layers.MultiHeadAttention(4, 8, name=f"attention{number}")(y, y, use_causal_mask=True)
        x = layers.Add()([x, layers.Dropout(0.1)(y)])
        x = x if before else layers.LayerNormalization()(x)
        y = layers.Dense(64, activation="gelu")(layers.LayerNormalization()(x))
        x = layers.Add()([x, layers.Dense(32)(y)])
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(x))
    return tf_keras.Model(inputs, layers.Dense(5)(x), name="transformer")


def post_norm() -> tf_keras.Model:
    """`transformer` with the normalization behind the sums."""
    return transformer(before=False)


def siamese() -> tf_keras.Model:
    """One nested model and one layer for two inputs."""
    one, other = layers.Input((8, 8, 3)), layers.Input((8, 8, 3))
    encoder = tf_keras.Sequential(
        [
            layers.Input((8, 8, 3)),
            layers.Conv2D(16, 3, activation="relu", name="first"),
            layers.SeparableConv2D(16, 3, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(16),
        ],
        name="encoder",
    )
    shared = layers.Dense(8, activation="relu", name="shared")
    x = layers.Subtract()([shared(encoder(one)), shared(encoder(other))])
    return tf_keras.Model([one, other], layers.Dense(1)(x), name="siamese")


def recurrent() -> tf_keras.Model:
    """Recurrent layers, alone, in both directions, and a layer at each step."""
    inputs = layers.Input((10, 6))
    x = layers.TimeDistributed(layers.Dense(16))(layers.Conv1D(16, 3, padding="causal")(inputs))
    x = layers.GRU(12, return_sequences=True)(layers.LSTM(16, return_sequences=True)(x))
    x, *states = layers.LSTM(8, return_sequences=True, return_state=True)(x)
    x = layers.LSTM(8, return_sequences=True)(x, initial_state=states)
    x = layers.SimpleRNN(8)(layers.Bidirectional(layers.LSTM(8, return_sequences=True))(x))
    return tf_keras.Model(inputs, layers.Dense(2)(x), name="recurrent")


def operators() -> tf_keras.Model:
    """Sums, splits, slices and reshapes that are no layers."""
    inputs = layers.Input((8, 8, 3))
    x = layers.Conv2D(16, 3, padding="same")(inputs)
    x = tf.nn.relu(x + layers.Conv2D(16, 1)(x)) * 0.5 + 1.0
    left, right = tf.split(x, 2, axis=-1)
    x = tf.concat([left, right * 2.0], -1)
    x = tf.reduce_sum(tf.stack([x, tf.reverse(x, [1])], 1), 1)
    z = layers.Dense(3)(tf.reshape(x[..., :4], (-1, 8 * 8 * 4)))
    return tf_keras.Model(inputs, [layers.Dense(3)(tf.reduce_mean(x, [1, 2])), z], name="operators")


def written_attention() -> tf_keras.Model:
    """Attention of dense layers, reshapes and products; then of `EinsumDense` and equations."""
    inputs = layers.Input((12, 6))
    x = layers.Dense(16, name="embedding")(inputs)

    def heads(y: tf.Tensor) -> tf.Tensor:
        return layers.Permute((2, 1, 3))(layers.Reshape((12, 4, 8))(layers.Dense(32)(y)))

    scores = tf.nn.softmax(tf.matmul(heads(x), heads(x), transpose_b=True) * 0.3)
    y = layers.Reshape((12, 32))(layers.Permute((2, 1, 3))(tf.matmul(scores, heads(x))))
    x = layers.LayerNormalization()(x + layers.Dense(16)(y))

    def projected(y: tf.Tensor) -> tf.Tensor:
        return layers.EinsumDense("abc,cde->abde", output_shape=(None, 4, 8), bias_axes="de")(y)

    scores = tf.nn.softmax(tf.einsum("aecd,abcd->acbe", projected(x), projected(x)))
    y = tf.einsum("acbe,aecd->abcd", scores, projected(x))
    x += layers.EinsumDense("abcd,cde->abe", output_shape=(None, 16), bias_axes="e")(y)
    x = layers.EinsumDense("...x,xy->...y", output_shape=24, activation="relu", bias_axes="y")(x)
    return tf_keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling1D()(x)), name="written_attention")


def gated_unit() -> tf_keras.Model:
    """Half of the units gate the other half."""
    inputs = layers.Input((8,))
    left, right = tf.split(layers.Dense(32, name="both")(inputs), 2, -1)
    return tf_keras.Model(inputs, layers.Dense(2)(left * tf.sigmoid(right)), name="gated_unit")


def of_keras3() -> tf_keras.Model:
    """Layers and operations that only Keras 3 has: grouped heads, a normalization, splits, slices."""
    ops, k3 = keras.ops, keras.layers
    inputs = k3.Input((6, 8))
    x = k3.Dense(16)(inputs)
    x = k3.RMSNormalization()(k3.Add()([x, k3.GroupQueryAttention(8, 4, 2)(x, x)]))
    left, right = ops.split(ops.pad(x, ((0, 0), (1, 1), (0, 0))), 2, -1)
    x = k3.Identity()(k3.Dense(12, activation="relu")(left * ops.sigmoid(right)))
    x = ops.sum(ops.stack([x, ops.flip(x, 1)], 1), 1)[:, 1:4]
    model = keras.Model(inputs, k3.Dense(2)(k3.Flatten()(x)), name="of_keras3")
    return to_tf_keras(model)


SHRINKABLE: tuple[Callable[[], tf_keras.Model], ...] = (
    decoder,
    gates,
    grouped,
    transformer,
    post_norm,
    siamese,
    recurrent,
    operators,
    written_attention,
    gated_unit,
    of_keras3,
)
