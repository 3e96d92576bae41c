"""The block `data.augment.tokens`: random changes of training texts."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from tfopt.core.language.block import Block
from tfopt.core.language.quantities import Share, format_share


class TokenChanges(Block):
    """Random changes of the tokens of training texts, each token by itself; padding and special tokens stay."""

    mask: Share = 0.0
    """Share of the tokens that become `[MASK]`, or `[UNK]` where the tokenizer has none (Devlin et al. 2018,
    arXiv:1810.04805)."""
    replace: Share = 0.0
    """Share of the tokens in whose place another is drawn, as often as the training split has it (Xie et al. 2017,
    arXiv:1703.02573)."""
    drop: Share = 0.0
    """Share of the tokens that are left out; the others move together (Wei, Zou 2019, arXiv:1901.11196). A text keeps
    at least one."""
    variants: Annotated[int, Field(ge=1)] | None = None
    """Changed copies of each text, one for each epoch in turn, so that a teacher's outputs can be computed once
    (`teacher.cache`; Jiao et al. 2020, arXiv:1909.10351). If absent, texts are changed anew in every epoch."""

    @model_validator(mode="after")
    def _changes_something(self) -> TokenChanges:
        total = self.mask + self.replace + self.drop
        if total == 0:
            raise ValueError("needs mask, replace or drop above 0%")
        if total >= 1:
            raise ValueError(
                f"mask, replace and drop together must be less than 100% of the tokens. Got {format_share(total)}"
            )
        return self
