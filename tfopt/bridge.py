"""Keras 3 models as tf_keras models and back: useful alone, and what tfopt does before and after it optimizes.

Since TensorFlow 2.16 `keras` is Keras 3, while tensorflow-model-optimization (pruning, clustering, quantization-aware
training) accepts models of the package `tf_keras` only:

    import keras, tfopt
    model = keras.models.load_model("model.keras")
    converted = tfopt.bridge.to_tf_keras(model)      # a tf_keras.Model
    tfmot.sparsity.keras.prune_low_magnitude(converted)
    ...
    tfopt.bridge.to_keras(stripped).save("smaller.keras")       # a Keras 3 file again

Importing this module loads neither TensorFlow nor Keras; calling it does.
"""

from __future__ import annotations

from typing import Any

__all__ = ["to_keras", "to_tf_keras"]

# Models are Any below: naming `keras.Model` and `tf_keras.Model` would import TensorFlow, which this module must not.


def to_tf_keras(model: Any) -> Any:
    """Makes a tf_keras model of a Keras 3 model: the same layer names, weights and outputs.

    Sequential and Functional models are rebuilt call by call, nested models included; a subclassed model is traced
    through its `call` to a functional one, and so must be built and be made of `keras.layers` and `keras.ops`. Each
    layer becomes the layer of the same class. What tf_keras does not have (a custom layer, an operation of
    `keras.ops`, a changed default) runs inside a small tf_keras layer that owns its variables and can be trained,
    pruned, saved and converted to TFLite.

    Weights are paired by layer name and attribute path, one to one with equal shapes. The outputs of both models are
    then compared on random inputs, on every conversion.

    Training is alike, too: dropout, regularizers, constraints, masks, frozen layers, dtype policies and batch-norm
    statistics carry over. Two things differ by the libraries themselves: random numbers, and the moving variance of a
    BatchNormalization on images, for which tf_keras multiplies the variance of a batch by N/(N-1), N being its
    batch x height x width values per channel. An argument `training=False` written in the graph is not carried over:
    Keras 3 overrides it in `fit`, and tf_keras would obey it.

    Args:
        model: a built `keras.Model` of Keras 3; a `tf_keras.Model` is returned as it is.

    Returns:
        A `tf_keras.Model`, functional or Sequential, not compiled, with variables of its own.

    Raises:
        StageError: the model is not built; a layer cannot be converted (channels_first, a quantized dtype policy, a
            Lambda, a class that cannot be made again from its `get_config()`); or the outputs differ. Names the layer.
    """
    from tfopt.backend import bridge

    return bridge.to_tf_keras(model)


def to_keras(model: Any) -> Any:
    """Makes a Keras 3 model of a tf_keras model: the same layer names, weights and outputs.

    The way back of `to_tf_keras`, and a way out of tf_keras for models that never were Keras 3 models. Functional and
    Sequential models are rebuilt call by call; layers become the layers of the same class, what `to_tf_keras` wrapped
    becomes itself again, and the common TensorFlow operations become their `keras.ops`. The outputs of both models are
    compared on random inputs, on every conversion.

    A recipe that began with a Keras 3 model does not need this: `export: {keras: {}}` writes its own architecture.

    Args:
        model: a functional or Sequential `tf_keras.Model`, free of wrappers; a `keras.Model` is returned as it is.

    Returns:
        A `keras.Model`, not compiled, with variables of its own.

    Raises:
        StageError: a layer, an argument or an operation has no equivalent in Keras 3, or the outputs differ. Names the
            layer.
    """
    from tfopt.backend import bridge

    return bridge.to_keras(model)
