"""Whether the trace becomes a file, in which the converter must find the operators that it has patterns of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_in_file: ContextVar[bool] = ContextVar("in_file", default=False)


@contextmanager
def as_operators() -> Iterator[None]:
    """Within the context, what is traced becomes a file: each layer is what the converter makes the operator of."""
    token = _in_file.set(True)
    try:
        yield
    finally:
        _in_file.reset(token)


def in_file() -> bool:
    """Whether what is traced becomes a file."""
    return _in_file.get()
