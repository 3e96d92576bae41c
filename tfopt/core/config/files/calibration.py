"""How the ranges of a calibrated `.tflite` file are computed: the block `calibration` of a variant."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from tfopt.core.language.block import Block, KeyMistake
from tfopt.core.language.quantities import Share, format_share
from tfopt.core.language.references import is_reference
from tfopt.core.language.suggest import closest

RANDOM, BALANCED = "random", "balanced"
RangeRule = Literal["min_max", "percentile", "mse"]
"""How a range is computed from the values of a tensor."""
DEFAULT_PERCENTILE = 0.9999


class Calibration(Block):
    """Which training examples a file is calibrated with, and how its ranges follow from them."""

    examples: Annotated[int, Field(ge=1)] = 256
    """How many examples of the training split; of `select: package.module:function`, the function decides."""
    select: str = RANDOM
    """`random`; `balanced`, the same number of each class (of several outputs, of the first with classes); or a
    function of your own, `package.module:function`, which is called with the inputs and the targets of the training
    split and returns positions in it, or examples."""
    range: RangeRule = "min_max"
    """Range of what each operator computes: `min_max` of all values; `percentile`, without the outermost values; `mse`,
    the range for which rounding and clipping together make the smallest squared error. The inputs and outputs of the
    file always keep their whole range."""
    percentile: Share | None = None
    """For `range: percentile`: share of the values that a range holds (default: 99.99%)."""
    equalize: bool = False
    """Cross-layer equalization (Nagel et al. 2019, arXiv:1906.04721): before the conversion, each channel between two
    convolution or dense layers is scaled, and the next kernel by the inverse, so that one range fits all channels. The
    float model computes the same."""
    smooth: Annotated[float, Field(ge=0, le=1)] | None = None
    """SmoothQuant (Xiao et al. 2023, arXiv:2211.10438): moves the large channels after a LayerNormalization into the
    kernels of the Dense or attention layers that read it. The number says how much of a channel's range is moved: 0.5
    is a good start. The float model computes the same."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Calibration:
        if self.select not in (RANDOM, BALANCED) and not is_reference(self.select):
            guess = closest(self.select, (RANDOM, BALANCED))
            raise KeyMistake(
                ("select",),
                f"must be random, balanced or package.module:function. Got {self.select!r}.{guess}",
                code="not_a_choice",
            )
        if self.percentile is not None and self.range != "percentile":
            message = f"percentile is for range: percentile (got range: {self.range})"
            raise KeyMistake(("percentile",), message, on_key=True, code="conflicting_keys")
        if self.percentile is not None and not 0.5 < self.percentile <= 1:
            message = f"percentile must be above 50% and at most 100%. Got {format_share(self.percentile)}"
            raise KeyMistake(("percentile",), message, code="out_of_range")
        return self

    @property
    def function(self) -> str | None:
        """`package.module:function` where the user's own code selects the examples."""
        return self.select if self.select not in (RANDOM, BALANCED) else None

    @property
    def share(self) -> float:
        """Share of the values that a range holds, for `range: percentile`."""
        return DEFAULT_PERCENTILE if self.percentile is None else self.percentile

    @property
    def rewrites(self) -> bool:
        """Whether the weights are rewritten before the conversion."""
        return self.equalize or self.smooth is not None

    def words(self) -> str:
        """What differs from the default besides the number of examples, for people; empty where nothing does."""
        parts = [] if self.select == RANDOM else [f"select {self.select}"]
        if self.range == "percentile":
            parts.append(f"range percentile {format_share(self.share)}")
        elif self.range != "min_max":
            parts.append(f"range {self.range}")
        parts += ["equalized"] * self.equalize
        return ", ".join([*parts, *([] if self.smooth is None else [f"smoothed {self.smooth:g}"])])
