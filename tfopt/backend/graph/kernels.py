"""The one table of kernels: which weights of a layer are kernels, and which of them tfmot prunes and clusters.

Biases, scales and statistics of normalization layers are not kernels. The three questions differ for some layers:

| layer | kernels | prunable | clusterable |
|---|---|---|---|
| `Dense`, `Conv1D/2D/3D`, `Conv2D/3DTranspose`, `LocallyConnected1D/2D`, `Embedding` | all | all | all |
| `Conv1DTranspose` | kernel | none | kernel |
| `DepthwiseConv1D/2D`, `EinsumDense`, `ConvLSTM*`, `TimeDistributed(Dense)` | all | none | none |
| `SeparableConv1D/2D` | depthwise and pointwise | pointwise | pointwise |
| `LSTM`, `GRU`, `SimpleRNN`, `RNN` of their cells | kernel and recurrent kernel | all | all |
| `Bidirectional` | kernels of both directions | none | all |
| `MultiHeadAttention`, `GroupedQueryAttention` | the four projections | all | all |
| `TiedEmbedding` | its table | all | all |
| `PositionEmbedding` | its vectors | none | none |
| layer class from outside Keras | its `get_prunable_weights`, or those of 2 axes and more | the same | its own |

tfmot decides by its registries, which `prunable` and `clusterable` read; nothing of them is repeated here.
"""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf
import tf_keras

from tfopt.backend.compat.tfmot_clustering import ClusterableLayer, ClusteringRegistry
from tfopt.backend.compat.tfmot_pruning import PrunableLayer, PruneRegistry

_KERNELS = ("kernel", "embeddings")
"""How the names of kernel weights end in tf_keras: kernel, depthwise_kernel, pointwise_kernel, recurrent_kernel, ..."""


@dataclass(frozen=True)
class Kernel:
    """One row of the table.

    Args:
        variable: the weight.
        counted: it is a kernel, so its zeros and distinct values count in the record of its layer; False only for a
            weight that a layer class from outside Keras offers for pruning or clustering and that is not a kernel.
        prunable: tfmot prunes it, in a frozen layer too.
        clusterable: tfmot clusters it; never in a frozen layer.
    """

    variable: tf.Variable
    counted: bool
    prunable: bool
    clusterable: bool


def kernel_table(layer: tf_keras.layers.Layer) -> tuple[Kernel, ...]:
    """All kernels of a built layer, in the order of its weights."""
    columns = [_counted(layer), _prunable(layer), _clusterable(layer)]
    counted, prunable, clusterable = ({id(variable) for variable in column} for column in columns)
    variables = {id(variable): variable for column in columns for variable in column}
    return tuple(
        Kernel(variable, key in counted, key in prunable, key in clusterable) for key, variable in variables.items()
    )


def counted_kernels(layer: tf_keras.layers.Layer) -> list[tf.Variable]:
    """All kernels, whether or not tfmot can do something with them: what the record of a layer counts."""
    return [kernel.variable for kernel in kernel_table(layer) if kernel.counted]


def prunable_kernels(layer: tf_keras.layers.Layer) -> list[tf.Variable]:
    """The kernels of a layer that tfmot prunes; empty where it prunes none."""
    return [kernel.variable for kernel in kernel_table(layer) if kernel.prunable]


def clusterable_kernels(layer: tf_keras.layers.Layer) -> list[tf.Variable]:
    """The kernels of a layer that tfmot clusters; empty where it clusters none."""
    return [kernel.variable for kernel in kernel_table(layer) if kernel.clusterable]


def remove_registration(layer: tf_keras.layers.Layer) -> None:
    """Removes from a layer the method that tfmot's clustering registry adds."""
    if "get_clusterable_weights" in vars(layer):
        del layer.get_clusterable_weights


def _counted(layer: tf_keras.layers.Layer) -> list[tf.Variable]:
    # The class is asked, not the layer: tfmot leaves a function of that name on each Keras layer it pruned, which
    # returns the pointwise kernel of a SeparableConv2D only.
    if hasattr(type(layer), "get_prunable_weights"):
        return list(layer.get_prunable_weights())
    foreign = type(layer).__module__.split(".")[0] not in ("keras", "tf_keras")
    return [
        weight
        for weight in layer.weights
        if weight.name.split("/")[-1].split(":")[0].endswith(_KERNELS) or (foreign and len(weight.shape) >= 2)
    ]


def _prunable(layer: tf_keras.layers.Layer) -> list[tf.Variable]:
    if isinstance(layer, PrunableLayer) or hasattr(layer, "get_prunable_weights"):
        return list(layer.get_prunable_weights())
    if not PruneRegistry.supports(layer):
        return []
    if type(layer) in PruneRegistry._RNN_LAYERS:
        return [
            getattr(cell, name)
            for cell in PruneRegistry._get_rnn_cells(layer)
            for name in PruneRegistry._RNN_CELLS_WEIGHTS_MAP[type(cell)]
        ]
    return [_attribute(layer, name) for name in PruneRegistry._LAYERS_WEIGHTS_MAP[type(layer)]]


def _clusterable(layer: tf_keras.layers.Layer) -> list[tf.Variable]:
    if isinstance(layer, ClusterableLayer) or "get_clusterable_weights" in vars(layer):
        return [weight for _, weight in layer.get_clusterable_weights()]
    if not layer.trainable_weights or not ClusteringRegistry.supports(layer):
        return []
    ClusteringRegistry.make_clusterable(layer)
    weights = [weight for _, weight in layer.get_clusterable_weights()]
    remove_registration(layer)
    return weights


def _attribute(layer: tf_keras.layers.Layer, path: str) -> tf.Variable:
    *owners, attribute = path.split(".")
    owner: object = layer
    for name in owners:
        owner = getattr(owner, name)
    variable: tf.Variable = getattr(owner, attribute)
    return variable
