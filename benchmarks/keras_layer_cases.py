"""The layers of `keras.layers` as small models, for `keras_layers.py`: how each is made, and on which inputs."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

IMAGE, SEQUENCE, VOLUME, FLAT = (8, 8, 3), (6, 4), (6, 6, 6, 2), (10,)

NO_MODEL = {
    "Layer": "the base class of all layers",
    "Wrapper": "the base class of layers around a layer",
    "InputSpec": "a description of inputs, not a layer",
    "InputLayer": "in every model",
    "GRUCell": "a step of RNN, tried as RNN(GRUCell)",
    "LSTMCell": "a step of RNN, tried as RNN(LSTMCell)",
    "SimpleRNNCell": "a step of RNN, tried as RNN(SimpleRNNCell)",
    "StackedRNNCells": "a step of RNN, tried as RNN([...])",
    "FlaxLayer": "wraps code for Flax, which needs KERAS_BACKEND=jax",
    "JaxLayer": "wraps code for JAX, which needs KERAS_BACKEND=jax",
    "TorchModuleWrapper": "wraps a module of PyTorch, which needs KERAS_BACKEND=torch",
    "TFSMLayer": "wraps a SavedModel whose layers are gone: give the SavedModel itself",
    "MaxNumBoundingBoxes": "changes labels in a data pipeline, not the inputs of a model",
    "CutMix": "changes images and labels in a data pipeline",
    "MixUp": "changes images and labels in a data pipeline",
}
"""Classes that are not tried, and why."""


@dataclass(frozen=True)
class Case:
    """A layer to try.

    Args:
        make: builds it from `keras.layers`.
        shapes: of its inputs, without the batch axis.
        dtype: of its inputs.
        largest: integers are drawn below this.
        call: how it is called with its inputs; by default with the input, or a list of them.
    """

    make: Callable[[Any], Any]
    shapes: tuple[tuple[int, ...], ...]
    dtype: str = "float32"
    largest: int = 5
    call: Callable[[Any, list[Any]], Any] = lambda layer, inputs: layer(inputs if len(inputs) > 1 else inputs[0])


def _one(shape: tuple[int, ...], **arguments: Any) -> Callable[[str], Case]:
    return lambda name: Case(lambda layers: getattr(layers, name)(**arguments), (shape,))


def _two(shape: tuple[int, ...], **arguments: Any) -> Callable[[str], Case]:
    return lambda name: Case(lambda layers: getattr(layers, name)(**arguments), (shape, shape))


CASES: dict[str, Callable[[str], Case]] = {
    **{name: _two(IMAGE) for name in ("Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract")},
    **{name: _one(SEQUENCE, filters=5, kernel_size=3) for name in ("Conv1D", "Conv1DTranspose", "SeparableConv1D")},
    **{name: _one(IMAGE, filters=5, kernel_size=3) for name in ("Conv2D", "Conv2DTranspose", "SeparableConv2D")},
    **{name: _one(VOLUME, filters=3, kernel_size=2) for name in ("Conv3D", "Conv3DTranspose")},
    **{name: _one(SEQUENCE, units=5) for name in ("GRU", "LSTM", "SimpleRNN")},
    **{name: _one(IMAGE, factor=0.2) for name in (
        "RandomBrightness", "RandomColorDegeneration", "RandomContrast", "RandomGrayscale", "RandomHue",
        "RandomPerspective", "RandomRotation", "RandomSharpness", "RandomErasing",
    )},
    **{f"{kind}Pooling{axes}D": _one(shape, pool_size=2)
       for kind in ("Average", "Max") for axes, shape in ((1, SEQUENCE), (2, IMAGE), (3, VOLUME))},
    "Activation": _one(IMAGE, activation="relu"),
    "AdaptiveAveragePooling1D": _one(SEQUENCE, output_size=2),
    "AdaptiveAveragePooling2D": _one(IMAGE, output_size=2),
    "AdaptiveAveragePooling3D": _one(VOLUME, output_size=2),
    "AdaptiveMaxPooling1D": _one(SEQUENCE, output_size=2),
    "AdaptiveMaxPooling2D": _one(IMAGE, output_size=2),
    "AdaptiveMaxPooling3D": _one(VOLUME, output_size=2),
    "AdditiveAttention": _two(SEQUENCE),
    "Attention": _two(SEQUENCE),
    "AlphaDropout": _one(FLAT, rate=0.5),
    "Bidirectional": lambda name: Case(lambda layers: layers.Bidirectional(layers.LSTM(5)), (SEQUENCE,)),
    "CategoryEncoding": lambda name: Case(lambda layers: layers.CategoryEncoding(5), ((4,),), "int32"),
    "CenterCrop": _one(IMAGE, height=4, width=4),
    "ConvLSTM1D": _one((3, 6, 2), filters=3, kernel_size=2),
    "ConvLSTM2D": _one((3, 6, 6, 2), filters=3, kernel_size=2),
    "ConvLSTM3D": _one((2, 4, 4, 4, 2), filters=2, kernel_size=2),
    "Dense": _one(FLAT, units=5),
    "DepthwiseConv1D": _one(SEQUENCE, kernel_size=3),
    "DepthwiseConv2D": _one(IMAGE, kernel_size=3),
    "Discretization": lambda name: Case(lambda layers: layers.Discretization(bin_boundaries=[0.3, 0.6]), (FLAT,)),
    "Dot": _two(SEQUENCE, axes=2),
    "Dropout": _one(FLAT, rate=0.5),
    "EinsumDense": _one(SEQUENCE, equation="abc,cd->abd", output_shape=(6, 5), bias_axes="d"),
    "Embedding": lambda name: Case(lambda layers: layers.Embedding(20, 4), ((6,),), "int32", 20),
    "GaussianDropout": _one(FLAT, rate=0.5),
    "GaussianNoise": _one(FLAT, stddev=0.5),
    "GroupNormalization": _one((8, 8, 4), groups=2),
    "GroupQueryAttention": lambda name: Case(
        lambda layers: layers.GroupQueryAttention(4, 4, 2), (SEQUENCE,), call=lambda layer, inputs: layer(*inputs * 2)
    ),
    "HashedCrossing": lambda name: Case(lambda layers: layers.HashedCrossing(5), ((1,), (1,)), "int64"),
    "Hashing": lambda name: Case(lambda layers: layers.Hashing(5), ((4,),), "int64"),
    "IntegerLookup": lambda name: Case(lambda layers: layers.IntegerLookup(vocabulary=[1, 2, 3]), ((4,),), "int64"),
    "Lambda": lambda name: Case(lambda layers: layers.Lambda(lambda tensor: tensor * 2), (FLAT,)),
    "MelSpectrogram": _one((1024,), fft_length=256, sequence_stride=128, num_mel_bins=8),
    "MultiHeadAttention": lambda name: Case(
        lambda layers: layers.MultiHeadAttention(2, 4), (SEQUENCE,), call=lambda layer, inputs: layer(*inputs * 2)
    ),
    "Normalization": _one(IMAGE, mean=[0.1, 0.2, 0.3], variance=[1.0, 2.0, 3.0]),
    "Permute": _one(IMAGE, dims=(3, 1, 2)),
    "Pipeline": lambda name: Case(lambda layers: layers.Pipeline([layers.Rescaling(2.0)]), (IMAGE,)),
    "PReLU": _one(IMAGE, shared_axes=[1, 2]),
    "RNN": lambda name: Case(lambda layers: layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)]), (SEQUENCE,)),
    "RandomCrop": _one(IMAGE, height=4, width=4),
    "RandomElasticTransform": _one(IMAGE),
    "RandomPosterization": _one(IMAGE, factor=4),
    "RandomSaturation": _one(IMAGE, factor=0.5),
    "RandomTranslation": _one(IMAGE, height_factor=0.2, width_factor=0.2),
    "RandomZoom": _one(IMAGE, height_factor=0.2),
    "RepeatVector": _one(FLAT, n=3),
    "Rescaling": _one(IMAGE, scale=0.5, offset=-1.0),
    "Reshape": _one(IMAGE, target_shape=(16, 12)),
    "Resizing": _one(IMAGE, height=4, width=4),
    "ReversibleEmbedding": lambda name: Case(lambda layers: layers.ReversibleEmbedding(20, 4), ((6,),), "int32", 20),
    "STFTSpectrogram": _one((512, 1), frame_length=64, frame_step=32, fft_length=64),
    "Softmax": _one(FLAT),
    "SpectralNormalization": lambda name: Case(lambda layers: layers.SpectralNormalization(layers.Dense(5)), (FLAT,)),
    "SpatialDropout1D": _one(SEQUENCE, rate=0.5),
    "SpatialDropout2D": _one(IMAGE, rate=0.5),
    "SpatialDropout3D": _one(VOLUME, rate=0.5),
    "StringLookup": lambda name: Case(lambda layers: layers.StringLookup(vocabulary=["0", "1"]), ((4,),), "string"),
    "TextVectorization": lambda name: Case(
        lambda layers: layers.TextVectorization(vocabulary=["0", "1"], output_sequence_length=4), ((1,),), "string"
    ),
    "TimeDistributed": lambda name: Case(lambda layers: layers.TimeDistributed(layers.Dense(5)), (SEQUENCE,)),
    "UnitNormalization": _one(SEQUENCE),
    "Masking": _one(SEQUENCE),
}  # fmt: skip
"""How the layers are made that need arguments, or other inputs than their name says."""


def case_of(name: str) -> Case:
    """The layer of a name: its own case, or without arguments on what its name says."""
    if name in CASES:
        return CASES[name](name)
    shape = {"1D": SEQUENCE, "3D": VOLUME}.get(name[-2:], IMAGE)
    return _one(shape)(name)


def layer_names() -> list[str]:
    """The classes of `keras.layers`, each under its own name."""
    import keras

    classes = {value for value in vars(keras.layers).values() if inspect.isclass(value)}
    return sorted(found.__name__ for found in classes if hasattr(keras.layers, found.__name__))


def model_of(case: Case) -> Any:
    """The layer, and behind it a Dense layer with three outputs."""
    import keras

    layers = keras.layers
    keras.utils.set_random_seed(0)
    inputs = [keras.Input(shape, dtype=case.dtype, name=f"given{at}") for at, shape in enumerate(case.shapes)]
    result = case.call(case.make(layers), inputs)
    result = result[0] if isinstance(result, (list, tuple)) else result
    if not str(result.dtype).startswith("float"):
        result = layers.Embedding(16, 4, name="table")(result)
    if len(result.shape) > 2:
        result = layers.Flatten(name="flat")(result)
    return keras.Model(inputs, layers.Dense(3, name="head")(result), name="one_layer")


def examples_of(case: Case, number: int) -> Any:
    """Random inputs by name; one array where there is one input."""
    import numpy as np

    random = np.random.default_rng(0)

    def draw(shape: tuple[int, ...]) -> Any:
        if case.dtype.startswith("float"):
            return random.uniform(0, 1, (number, *shape)).astype(case.dtype)
        whole = random.integers(0, case.largest, (number, *shape))
        return whole.astype(str).astype(object) if case.dtype == "string" else whole.astype(case.dtype)

    drawn = {f"given{at}": draw(shape) for at, shape in enumerate(case.shapes)}
    return drawn if len(drawn) > 1 else next(iter(drawn.values()))
