"""Deviations that a recipe knows of and accepts: `accept: [{claim: runs_on_kernels, because: "..."}]`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from tfopt.core.config.files.claim_codes import CLAIM_CODES, UNACCEPTABLE
from tfopt.core.language.block import SharedBlock

ACCEPTABLE = tuple(code for code in CLAIM_CODES if code not in UNACCEPTABLE)

if TYPE_CHECKING:
    ClaimCode = str
else:  # the table is the only list of codes; mypy cannot read a Literal that is made from it
    ClaimCode = Literal[ACCEPTABLE]


def _describe_claim() -> str:
    return "Which claim: " + "; ".join(f"`{code}`: {CLAIM_CODES[code].removesuffix('.')}" for code in ACCEPTABLE) + "."


class AcceptedClaim(SharedBlock):
    """One claim about a file that may be broken. The report shows it as accepted, with the reason."""

    claim: Annotated[ClaimCode, Field(description=_describe_claim())]
    because: Annotated[str, Field(min_length=1)]
    """Why that is known and acceptable, as a sentence; it is shown in the report."""
