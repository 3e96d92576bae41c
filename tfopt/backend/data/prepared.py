"""What a source returns that turned raw examples into inputs in a way that a model must have with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from tfopt.backend.data.raw_inputs import RawInputs
from tfopt.backend.data.splits import Preprocessing
from tfopt.backend.types import Array
from tfopt.backend.vision.anchors import AnchorGrid


class RawExamples(NamedTuple):
    """Examples as a source returned them, unchecked.

    Args:
        inputs: in any form.
        targets: in any form; None where there are none.
        weights: how much each counts in the loss; None where all count the same.
        keys: what each belongs to, (n,) text; None where the source does not know.
    """

    inputs: Any
    targets: Any
    weights: Any = None
    keys: Any = None


@dataclass(frozen=True, eq=False)
class Prepared:
    """Examples of a source, with what was done to them.

    Args:
        examples: in any form that a source may return.
        preprocessing: what must travel with a model; None where nothing must.
        raw: what was done to raw examples, so that files can do it themselves; None where the source does not say.
        anomalies: which examples of the test split are anomalies, (n,) bool; None where that is not
            known, or all of them are alike.
        label_names: names of the classes, in the order of the labels; None where the source has none.
        anchors: what the targets of a detector are relative to; None for other data.
        is_cut: whether the source has set validation and test aside itself, as data.splits says.
    """

    examples: object
    preprocessing: Preprocessing | None = None
    raw: RawInputs | None = None
    anomalies: Array | None = None
    label_names: tuple[str, ...] | None = None
    anchors: AnchorGrid | None = None
    is_cut: bool = False
