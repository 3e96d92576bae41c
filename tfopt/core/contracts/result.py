"""The return value of a stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tfopt.core.config.clustering import Sharing
from tfopt.core.contracts.types import Model


@dataclass(frozen=True)
class StageResult:
    """The model that a stage made, and its report.

    Args:
        model: a `tf_keras.Model` free of wrappers, or, of a stage that adds the trait `quantized`, a
            `tfopt.backend.quantization.Quantized`.
        skipped: why a layer was left alone, by layer name.
        sharing: how the weights of clustered layers share values, by layer name.
        details: plain values for `StageRecord.details`.
    """

    model: Model
    skipped: Mapping[str, str] = field(default_factory=dict)
    sharing: Mapping[str, Sharing] = field(default_factory=dict)
    details: Mapping[str, object] = field(default_factory=dict)
