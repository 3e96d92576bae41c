"""The good recipe, and what a mistake in it is."""

from __future__ import annotations

from dataclasses import dataclass

GOOD = """\
name: digits
seed: 7
data:
  source: digits
  batch_size: 64
model:
  source: small_cnn
  args: {filters: [16, 32]}
compile:
  optimizer: {name: adam, learning_rate: 1e-3}
  loss: sparse_categorical_crossentropy
  metrics: [accuracy]
stages:
  - train: {epochs: 15}
  - prune:
      epochs: 10
      schedule: {kind: polynomial, initial: 30%, final: 80%, begin: 0%, end: 70%}
  - qat: {epochs: 5}
export:
  keras: {}
  tflite:
    float32: {}
    int8: {quantize: int8, io: int8}
budgets:
  int8.bytes: 60 kB
"""


@dataclass(frozen=True)
class Broken:
    """A mistake: what is written instead of a part of the good recipe, and what the user is told.

    Args:
        good: the part.
        bad: what stands there instead.
        code: of the problem.
        place: line and column of the message.
        message: all of it.
    """

    good: str
    bad: str
    code: str
    place: str
    message: str
