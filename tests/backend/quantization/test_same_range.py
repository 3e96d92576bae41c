"""Averages are rounded as by TFLite's kernel: to the integers of what is averaged, halves away from 0."""

from __future__ import annotations

import pytest
import tensorflow as tf

from tfopt.backend.quantization.in_file import as_operators
from tfopt.backend.quantization.same_range import SameRangeQuantizer

pytestmark = pytest.mark.tf

RANGES = {"min_var": tf.Variable(0.0), "max_var": tf.Variable(255.0)}
"""Integers from -128 to 127 are the values 0 to 255."""
AVERAGES = tf.constant([0.0, 0.25, 2.5, 100.5, 127.5, 128.5, 200.5, 200.75, 255.0])


def rounded(quantizer: SameRangeQuantizer) -> list[float]:
    return quantizer(AVERAGES, False, {}).numpy().tolist()


def test_halves_go_away_from_the_middle_of_the_range() -> None:
    quantizer = SameRangeQuantizer()
    quantizer.input_range = lambda: RANGES
    assert rounded(quantizer) == [0, 0, 2, 100, 127, 129, 201, 201, 255]


def test_nothing_is_rounded_in_a_file_while_ranges_are_found_and_without_a_range() -> None:
    quantizer = SameRangeQuantizer()
    assert rounded(quantizer) == AVERAGES.numpy().tolist()
    quantizer.input_range = lambda: RANGES
    with as_operators():
        assert rounded(quantizer) == AVERAGES.numpy().tolist()
    quantizer.observing = True
    assert rounded(quantizer) == AVERAGES.numpy().tolist()


def test_gradients_pass_the_rounding() -> None:
    quantizer = SameRangeQuantizer()
    quantizer.input_range = lambda: RANGES
    with tf.GradientTape() as tape:
        tape.watch(AVERAGES)
        found = quantizer(AVERAGES, True, {})
    assert tape.gradient(found, AVERAGES).numpy().tolist() == [1.0] * len(AVERAGES)
