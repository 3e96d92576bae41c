"""What outputs are worth on given examples: metric, agreement and error against the model's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfopt.backend.explain.agreement import compare
from tfopt.backend.explain.rewritten_files import Ran
from tfopt.backend.training.measure import measure
from tfopt.backend.types import Array
from tfopt.core.config.training.compile import Compile
from tfopt.core.records.explanation import EffectRecord


@dataclass(frozen=True)
class Judge:
    """Examples that outputs are judged on.

    Args:
        expected: outputs of the Keras model, (examples, ...).
        targets: what the outputs should be.
        compile: whose first metric counts.
        weights: of the examples; those of weight 0 are not judged. None where all count the same.
    """

    expected: Array
    targets: Array
    compile: Compile
    weights: Array | None = None

    def metric(self, outputs: Array) -> float:
        """The recipe's first metric.

        Raises:
            StageError: the targets do not fit the outputs.
        """
        return measure(outputs, self.targets, self.compile, self.weights)[self.compile.metric]

    def effect(self, ran: Ran) -> EffectRecord:
        """What a file that ran comes to."""
        outputs = ran.outputs.reshape(self.expected.shape)
        compared = compare(outputs, self.expected, self.compile)
        error = compared.relative_error
        if error is None:
            error = _relative_error(outputs, self.expected)
        return EffectRecord(metric=self.metric(outputs), agreement=compared.share, error=float(error), bytes=ran.bytes)


def _relative_error(found: Array, expected: Array) -> float:
    """Root of the mean square of the difference over the standard deviation of what was expected."""
    difference = np.sqrt(np.mean(np.square(found.astype(np.float64) - expected)))
    spread = float(expected.std())
    return float(difference / spread) if spread else float(difference)
