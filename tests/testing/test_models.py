"""The model contract, over the whole zoo; parameter counts as published."""

from __future__ import annotations

import pytest

from tfopt.catalog import references
from tfopt.testing.models import ModelContract

pytestmark = pytest.mark.tf


class TestSmallCnn(ModelContract):
    source = "small_cnn"
    input_shape = (8, 8, 1)
    refuses = (8,)


class TestSmallCnnWithArguments(ModelContract):
    source = "small_cnn"
    input_shape = (7, 5)
    args = {"filters": [4, 6, 8], "dense": 0, "dropout": 0.2}


class TestMnistCnn(ModelContract):
    """Of tensorflow.org/model_optimization/guide/pruning/pruning_with_keras: 20,410 parameters."""

    source = "mnist_cnn"
    input_shape = (28, 28)
    num_outputs = 10
    parameters = 20_410
    refuses = (3, 3, 1)


class TestMlp(ModelContract):
    source = "mlp"
    input_shape = (4, 5)
    args = {"units": [6], "dropout": 0.1}


class TestResnet8(ModelContract):
    """Of github.com/mlcommons/tiny, image classification."""

    source = "resnet8"
    input_shape = (32, 32, 3)
    num_outputs = 10
    parameters = 78_666
    refuses = (4, 4, 3)


class TestResnet8OnDigits(ModelContract):
    source = "resnet8"
    input_shape = (8, 8, 1)
    args = {"blocks": 2}


class TestDsCnn(ModelContract):
    """Of github.com/mlcommons/tiny, keyword spotting."""

    source = "ds_cnn"
    input_shape = (49, 10, 1)
    num_outputs = 12
    parameters = 24_908
    refuses = (640,)


class TestMobilenet(ModelContract):
    """Of github.com/mlcommons/tiny, visual wake words."""

    source = "mobilenet_v1_025"
    input_shape = (96, 96, 3)
    num_outputs = 2
    parameters = 221_794
    refuses = (28, 28, 1)


class TestAutoencoder(ModelContract):
    """Of github.com/mlcommons/tiny, anomaly detection."""

    source = "autoencoder"
    input_shape = (640,)
    parameters = 269_992
    reproduces = True


class TestAutoencoderOfImages(ModelContract):
    source = "autoencoder"
    input_shape = (4, 4, 2)
    args = {"units": 8, "depth": 1, "bottleneck": 2}
    reproduces = True


class TestSpeechDsCnn(ModelContract):
    source = "speech_ds_cnn"
    input_shape = (800,)
    args = {"filters": 8, "blocks": 1, "features": "mfcc", "sample_rate": 8000, "bands": 20, "window_ms": 20}
    refuses = (9, 10)


class TestSpeechTransformer(ModelContract):
    source = "speech_transformer"
    input_shape = (9, 10, 1)
    args = {"width": 8, "heads": 2, "blocks": 1}
    refuses = (80,)


class TestSeriesAutoencoder(ModelContract):
    source = "series_autoencoder"
    input_shape = (30, 2)
    args = {"filters": [4, 6], "bottleneck": 3}
    reproduces = True
    refuses = (8, 8, 1)


OF_SEVERAL_OUTPUTS = {"ssd_mobilenet"}
"""The suite is for models with one output; `tests/backend/models/zoo/test_ssd_mobilenet.py` tests the detector."""


def test_the_whole_zoo_is_here() -> None:
    tried = {suite.source for suite in ModelContract.__subclasses__() if suite.__module__ == __name__}
    assert tried | OF_SEVERAL_OUTPUTS == set(references.names("model"))


class TestGpt(ModelContract):
    """Tied to its embedding: 11 x 16 table, 12 x 16 positions, a block of 12 x 16^2 + 13 x 16, 2 x 16 of the norm."""

    source = "gpt"
    input_shape = (12,)
    num_outputs = 11
    tokens = 11
    predicts_tokens = True
    args = {"width": 16, "blocks": 1, "heads": 4}
    parameters = 11 * 16 + 12 * 16 + 12 * 16**2 + 13 * 16 + 2 * 16
    refuses = (12, 3)


class TestGptAsLlama(ModelContract):
    source = "gpt"
    input_shape = (12,)
    num_outputs = 11
    tokens = 11
    predicts_tokens = True
    args = {
        "width": 16,
        "blocks": 1,
        "heads": 4,
        "key_value_heads": 2,
        "positions": "rotary",
        "norm": "rms_norm",
        "tie_weights": False,
        "activation": "swish",
        "dropout": 0,
    }


class TestTransformerClassifier(ModelContract):
    source = "transformer_classifier"
    input_shape = (10,)
    tokens = 11
    args = {"width": 8, "blocks": 1, "heads": 2}
    refuses = (10, 2)


class TestBert(ModelContract):
    """Devlin et al. 2019: BERT-base has 110 million weights; here a block of width 8, by hand."""

    source = "bert"
    input_shape = (10,)
    tokens = 11
    args = {"vocabulary_size": 11, "width": 8, "heads": 2, "blocks": 1}
    parameters = (11 + 10 + 2) * 8 + 12 * 64 + 13 * 8 + 64 + 8 + 27
    refuses = (10, 2)


class TestUnet(ModelContract):
    """Two levels by hand: 3x3 of 3 x 4 and 4 x 6, 1x1 of 6 x 4, 3x3 of 8 x 4, three normalizations, the last layer."""

    source = "unet"
    input_shape = (8, 12, 3)
    args = {"filters": [4, 6], "convolutions": 1}
    predicts_pixels = True
    parameters = 9 * 3 * 4 + 9 * 4 * 6 + (6 * 4 + 4) + 9 * 8 * 4 + 4 * (4 + 6 + 4) + (4 * 3 + 3)
    refuses = (9, 12, 3)


class TestUnetSeparable(ModelContract):
    source = "unet"
    input_shape = (8, 8)
    args = {"filters": [4, 6, 6], "separable": True, "upsampling": "transposed", "dropout": 0.1}
    predicts_pixels = True


class TestLstmLm(ModelContract):
    source = "lstm_lm"
    input_shape = (6,)
    num_outputs = 5
    tokens = 5
    predicts_tokens = True
    args = {"width": 6, "units": 6, "tie_weights": True}
    refuses = (6, 2)


class TestGruLm(ModelContract):
    source = "gru_lm"
    input_shape = (6,)
    num_outputs = 5
    tokens = 5
    predicts_tokens = True
    args = {"width": 4, "units": 6}


class TestLstmClassifier(ModelContract):
    source = "lstm_classifier"
    input_shape = (6,)
    tokens = 5
    args = {"vocabulary_size": 5, "width": 4, "units": 3, "depth": 2, "pooling": "last"}
    refuses = (6, 2)
