"""How samples of a recording become the features of a model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from tfopt.errors import StageError

Kind = Literal["log_mel", "mfcc"]


@dataclass(frozen=True)
class FeatureSettings:
    """Windows of a recording, and what is computed of each.

    Args:
        kind: `log_mel`, the logarithm of the energy in each band; `mfcc`, the cosine transform of that (Davis,
            Mermelstein 1980).
        sample_rate: samples per second.
        samples: length of a recording; what is longer is cut, what is shorter ends in silence.
        window: samples of a window, which is weighted with a periodic Hann window.
        hop: samples from the beginning of a window to that of the next.
        bands: triangles between `low` and `high`, evenly spaced on the mel scale of HTK.
        coefficients: of an MFCC, the first ones; the number of bands for `log_mel`.
        low: Hz, where the first band begins.
        high: Hz, where the last band ends.
        floor: added to the energy of a band before the logarithm.
    """

    kind: Kind
    sample_rate: int
    samples: int
    window: int
    hop: int
    bands: int = 40
    coefficients: int = 40
    low: float = 20.0
    high: float = 4000.0
    floor: float = 1e-6

    def __post_init__(self) -> None:
        for name in ("sample_rate", "samples", "window", "hop", "bands", "coefficients"):
            value = getattr(self, name)
            if value < 1:
                raise _wrong(name, value, "at least 1")
        if self.kind not in ("log_mel", "mfcc"):
            raise StageError(f"features must be log_mel or mfcc. Got {self.kind!r}.", code="invalid_argument")
        if self.window > self.samples:
            raise _wrong("window", self.window, f"at most the {self.samples} samples of a recording")
        if self.coefficients > self.bands:
            raise _wrong("coefficients", self.coefficients, f"at most the number of bands, {self.bands}")
        if not 0 <= self.low < self.high <= self.sample_rate / 2:
            raise StageError(
                f"Bands must lie between 0 and half the sample rate, {self.sample_rate / 2:g} Hz. Got {self.low:g} to "
                f"{self.high:g}.",
                code="invalid_argument",
            )
        if not self.floor > 0:
            raise _wrong("floor", self.floor, "above 0")

    @property
    def transform_length(self) -> int:
        """Samples of the Fourier transform: the next power of two, which TFLite needs; a window ends in zeros."""
        return 1 << (self.window - 1).bit_length()

    @property
    def frames(self) -> int:
        """Windows of a recording; samples after the last whole window are not used."""
        return 1 + (self.samples - self.window) // self.hop

    @property
    def width(self) -> int:
        """Numbers of a window."""
        return self.coefficients if self.kind == "mfcc" else self.bands

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the features of a recording: (frames, bands or coefficients)."""
        return self.frames, self.width

    def described(self) -> str:
        """One line for people."""
        what = f"{self.bands} log-mel bands" if self.kind == "log_mel" else f"{self.coefficients} MFCCs"
        return (
            f"{what} of {self.frames} windows of {self.window} samples every {self.hop}, of {self.samples} samples at "
            f"{self.sample_rate} Hz"
        )

    def to_json(self, mean: tuple[float, ...] = (0.0,), std: tuple[float, ...] = (1.0,)) -> bytes:
        """Everything that is needed to compute the inputs of a model elsewhere, as text."""
        steps = [
            "samples: mono, between -1 and 1 (16-bit values / 32768), cut or filled with zeros to `samples`",
            "frames: `window` samples every `hop`, times a periodic Hann window, zeros up to `transform_length`",
            "power: squared magnitude of the real Fourier transform",
            "mel: triangles from `low` to `high`, evenly spaced in 2595 * log10(1 + Hz / 700)",
            "log: natural logarithm of (power @ mel + `floor`)",
        ]
        if self.kind == "mfcc":
            steps.append("mfcc: orthonormal DCT-II of the bands, the first `coefficients`")
        steps.append("input: (features - `mean`) / `std`")
        content = {**asdict(self), "transform_length": self.transform_length, "frames": self.frames}
        return (json.dumps({**content, "mean": mean, "std": std, "steps": steps}, indent=2) + "\n").encode()

    @classmethod
    def of_milliseconds(
        cls, kind: Kind, sample_rate: int, samples: int, window_ms: float, hop_ms: float, bands: int, coefficients: int
    ) -> FeatureSettings:
        """Settings whose windows are given in milliseconds; bands reach up to 8 kHz, or half the sample rate.

        Args:
            kind: `log_mel` or `mfcc`.
            sample_rate: samples per second.
            samples: length of a recording.
            window_ms: length of a window.
            hop_ms: from the beginning of a window to that of the next.
            bands: mel bands.
            coefficients: of an MFCC; ignored for `log_mel`.
        """
        return cls(
            kind,
            sample_rate,
            samples,
            round(sample_rate * window_ms / 1000),
            round(sample_rate * hop_ms / 1000),
            bands,
            coefficients if kind == "mfcc" else bands,
            high=min(sample_rate / 2, 8000.0),
        )

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> FeatureSettings:
        """The inverse of `asdict`, and of `to_json` after reading; other keys are ignored."""
        return cls(**{name: config[name] for name in cls.__dataclass_fields__})


def _wrong(name: str, value: object, expected: str) -> StageError:
    return StageError(f"{name} must be {expected}. Got {value}.", code="invalid_argument")
