"""Whether a sparse file is faster than the same file with every zero stored; both are timed in turns."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from tfopt.backend.export.convert import Conversion, convert
from tfopt.backend.tflite import benchmark
from tfopt.core.claims.agreement import broken_claim
from tfopt.core.claims.failures import Failure, attempt
from tfopt.core.claims.sparse import faster_claim
from tfopt.core.records.report import ClaimRecord

_ROUNDS = 120


def sparse_latency_claim(conversion: Conversion, file: Path) -> ClaimRecord:
    """Makes the file once more without the sparse format, and times both.

    Args:
        conversion: how the sparse file was made; its SavedModel is still there.
        file: the sparse file.
    """
    with tempfile.TemporaryDirectory(prefix="tfopt-dense-") as folder:
        target = Path(folder) / "dense.tflite"
        variant = conversion.variant.model_copy(update={"sparse": False})
        failures = convert([replace(conversion, variant=variant, target=target)], lambda name: None)
        refused = next(iter(failures.values()), None)
        found = refused if refused is not None else attempt(benchmark.bench, [file, target], rounds=_ROUNDS)
    if isinstance(found, Failure):
        text = "is faster than the same file with its zeros stored"
        return broken_claim(text, found.reason, code="faster_than_dense")
    sparse, dense = (float(row["latency_ms"]) for row in found)
    return faster_claim(sparse, dense)
