"""A broken claim that the recipe accepts is shown with the reason, and an acceptance without need is told."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tfopt.core.claims.accepted import needless, with_accepted
from tfopt.core.config.files.accepted_claims import AcceptedClaim
from tfopt.core.config.files.tflite_variant import Variant
from tfopt.core.records.report import ClaimRecord, ExportRecord, Report, RunInfo
from tfopt.report.run.sentences import verdict

BROKEN = ClaimRecord(claim="the same on all kernels", held=False, found="SUM differs", code="runs_on_kernels")
HELD = ClaimRecord(claim="int8 only", held=True, found="no float operators", code="integer_only")
RECORD = ExportRecord(name="int8", format="tflite", path="", bytes=9, gzip_bytes=9, measures={}, claims=[BROKEN, HELD])


def accepted(claim: str) -> AcceptedClaim:
    return AcceptedClaim(claim=claim, because="it is a fault of LiteRT")


def report(record: ExportRecord) -> Report:
    run = RunInfo(id="1", recipe="r", state="done", seconds=1, seed=0)
    return Report(run=run, exports=[record])


def test_an_accepted_claim_does_not_fail_the_run_and_is_shown_with_the_reason() -> None:
    assert not report(RECORD).held
    done = report(with_accepted(RECORD, [accepted("runs_on_kernels")]))
    assert done.held
    broken, held = done.exports[0].claims
    assert (broken.held, broken.passes, broken.accepted) == (False, True, "it is a fault of LiteRT")
    assert held.accepted is None
    said = verdict(done)
    assert said.good
    assert said.headline == "Both claims held or accepted (1)."
    (sentence,) = said.concerns
    assert "int8 does not hold 'the same on all kernels': SUM differs" in sentence
    assert "The recipe accepts that: it is a fault of LiteRT" in sentence


def test_an_acceptance_without_need_is_told() -> None:
    assert needless(RECORD, [accepted("runs_on_kernels")]) == ()
    (holds,) = needless(RECORD, [accepted("integer_only")])
    assert "int8: the recipe accepts that the claim integer_only is broken, but it holds" in holds
    (unmade,) = needless(RECORD, [accepted("sparsity_kept")])
    assert "nothing of that kind is claimed" in unmade


def test_a_file_that_is_not_there_cannot_be_accepted() -> None:
    with pytest.raises(ValidationError, match="converted"):
        accepted("converted")
    with pytest.raises(ValidationError, match="because"):
        Variant(accept=({"claim": "same_outputs"},))
    assert "accept" not in Variant().model_dump(mode="json")
