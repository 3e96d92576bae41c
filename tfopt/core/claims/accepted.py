"""Broken claims that the recipe accepts: marked with the reason, not hidden. An acceptance without need is reported."""

from __future__ import annotations

from collections.abc import Sequence

from tfopt.core.config.files.accepted_claims import AcceptedClaim
from tfopt.core.records.report import ExportRecord


def with_accepted(record: ExportRecord, accepted: Sequence[AcceptedClaim]) -> ExportRecord:
    """The record with the reason at each broken claim that is accepted.

    Args:
        record: of a file.
        accepted: what the recipe accepts of that file.
    """
    reasons = {one.claim: one.because for one in accepted}
    claims = [
        claim.model_copy(update={"accepted": reasons[claim.code]})
        if not claim.held and claim.code in reasons
        else claim
        for claim in record.claims
    ]
    return record.model_copy(update={"claims": claims})


def needless(record: ExportRecord, accepted: Sequence[AcceptedClaim]) -> tuple[str, ...]:
    """A sentence for each acceptance that changes nothing.

    Args:
        record: of a file.
        accepted: what the recipe accepts of that file.
    """
    if record.error is not None:
        return ()
    broken = {claim.code for claim in record.claims if not claim.held}
    made = {claim.code for claim in record.claims}
    return tuple(
        f"{record.name}: the recipe accepts that the claim {one.claim} is broken, but "
        f"{'it holds' if one.claim in made else 'nothing of that kind is claimed'}: remove it from accept."
        for one in accepted
        if one.claim not in broken
    )
