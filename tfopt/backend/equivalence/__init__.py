"""The one check whether two models have the same outputs: after a conversion, a rewrite, a trace or a wrapping.

| file | question it answers |
|---|---|
| `random_inputs` | Which inputs does a model accept? |
| `model_outputs` | What are the outputs of a model of either library, and do two models have the same? |
| `differences` | Are two arrays the same within a tolerance, and after which layer do two models differ first? |

Callers choose the tolerance and word the error. Two comparisons are not this one, on purpose: `explain/agreement.py`
counts the test examples on which a file and a model agree, as 8-bit outputs are never the same; `tflite/predict.py`
compares one file with itself, per value.
"""

from tfopt.backend.equivalence.differences import Difference, Tolerance, difference, first_difference
from tfopt.backend.equivalence.model_outputs import outputs, same_on, same_outputs
from tfopt.backend.equivalence.random_inputs import random_inputs

__all__ = [
    "Difference",
    "Tolerance",
    "difference",
    "first_difference",
    "outputs",
    "random_inputs",
    "same_on",
    "same_outputs",
]
