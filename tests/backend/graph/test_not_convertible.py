from __future__ import annotations

import pytest

pytestmark = pytest.mark.tf


def test_layers_that_no_file_can_hold_are_known_by_name() -> None:
    import tf_keras

    from tfopt.backend.graph.not_convertible import layers_not_convertible
    from tfopt.backend.layer_support import layers

    volume = tf_keras.Input((4, 4, 4, 1))
    pooled = tf_keras.layers.MaxPooling3D(name="pool")(volume)
    model = tf_keras.Model(volume, tf_keras.layers.Dense(2, name="logits")(tf_keras.layers.Flatten()(pooled)))
    assert layers_not_convertible(model) == {"pool": "TFLite pools images and sequences, not volumes"}
    row = next(row for row in layers(model) if row.name == "pool")
    assert (row.operators, row.micro) == (None, "TFLite pools images and sequences, not volumes")


def test_a_qat_stage_says_so_before_it_trains() -> None:
    import tf_keras

    from tfopt.backend.quantization.preflight import preflight
    from tfopt.core.config.quantization import Quantization
    from tfopt.core.contracts.preflight import Workload

    words = tf_keras.Input((4,), dtype="int64")
    found = tf_keras.layers.IntegerLookup(vocabulary=[1, 2], name="lookup")(words)
    states = tf_keras.layers.Flatten()(tf_keras.layers.Embedding(4, 2)(found))
    model = tf_keras.Model(words, tf_keras.layers.Dense(2)(states))
    problems = preflight(model, Quantization(), Workload(2, 2, 8)).problems
    found_codes = {mistake.message.split(":")[0]: mistake.code for mistake in problems}
    assert found_codes["cannot simulate lookup"] == "layer_not_convertible"


def test_layers_with_a_few_float_operators_are_float_by_decision() -> None:
    import tf_keras

    from tfopt.backend.layer_support import layers

    image = tf_keras.Input((8, 8, 4))
    model = tf_keras.Model(image, tf_keras.layers.GroupNormalization(2, name="groups")(image))
    (row,) = layers(model)
    assert row.quantized == "float: TFLite has no integer kernel for SQUARE"
    assert row.treatment == "float"
    assert row.edge_tpu == "stays float: TFLite has no integer kernel for SQUARE"


def test_fourier_transforms_inside_of_a_layer_are_found() -> None:
    import tensorflow as tf
    import tf_keras

    from tfopt.backend.graph.not_convertible import layers_with_complex_numbers

    class Mixed(tf_keras.layers.Layer):
        def call(self, inputs: tf.Tensor) -> tf.Tensor:
            return tf.math.real(tf.signal.fft2d(tf.cast(inputs, tf.complex64)))

    class Spectrum(tf_keras.layers.Layer):
        def call(self, inputs: tf.Tensor) -> tf.Tensor:
            return tf.abs(tf.signal.rfft2d(inputs))

    for layer, reasons in ((Mixed, {"inner": "TFLite has no operator for FFT2D"}), (Spectrum, {})):
        steps = tf_keras.Input((None, 4), name="steps")
        model = tf_keras.Model(steps, layer(name="inner")(steps))
        assert layers_with_complex_numbers(model, {"steps": (8, 4)}) == reasons
