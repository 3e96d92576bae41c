"""What sources and recipes say about raw examples."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tfopt.backend.data.load import load
from tfopt.backend.data.raw_inputs import RawInputs, declared, described_by, raw_inputs_of
from tfopt.core.config.data import DataConfig


@described_by(lambda path, scale=1: RawInputs(std=(float(scale),)))
def source(path: str, scale: int = 1) -> str:
    """A source that says what it does."""
    return path * scale


def test_a_source_says_what_it_did_with_its_own_arguments() -> None:
    assert source("a", 2) == "aa"
    assert raw_inputs_of(partial(source, "a"), {"scale": 3}) == RawInputs(std=(3.0,))
    assert raw_inputs_of(len, {}) is None


@pytest.mark.parametrize(("scale", "std"), [("unit", 16.0), ("none", 1.0)])
def test_digits_can_be_turned_back_into_pixels(scale: str, std: float) -> None:
    data = load(DataConfig(source="digits", args={"scale": scale}))
    assert data.raw == RawInputs(std=(std,), high=16.0, images=True)
    assert isinstance(data.test.inputs, np.ndarray)
    pixels = data.raw.undone(data.test.inputs)
    assert pixels.dtype == np.uint8
    assert np.array_equal(pixels / np.float32(std), data.test.inputs)


def test_a_source_that_says_nothing_has_none(tmp_path: Path) -> None:
    np.savez(tmp_path / "own.npz", x=np.random.default_rng(0).normal(size=(30, 3)), y=np.arange(30) % 2)
    data = load(DataConfig(source=str(tmp_path / "own.npz")))
    assert data.raw is None


def test_declared_raw_values_are_pixels_where_all_are_whole_numbers_up_to_255() -> None:
    pixels = np.arange(256, dtype=np.float32).reshape(1, 16, 16, 1)
    found = declared((127.5,), (127.5,), pixels / 127.5 - 1)
    assert (found.dtype, found.high, found.images) == ("uint8", 255.0, True)
    assert np.array_equal(found.undone(pixels / 127.5 - 1), pixels.astype(np.uint8))
    other = declared((0.0,), (2.0,), pixels / 3)
    assert (other.dtype, other.high) == ("float32", None)
    assert np.allclose(other.undone(pixels / 3), pixels * 2 / 3)
