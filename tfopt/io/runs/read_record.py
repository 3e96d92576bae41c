"""Reading back the records that runs and sweeps leave behind."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from tfopt.errors import StoreError

R = TypeVar("R", bound=BaseModel)


def read_record(path: Path, record: type[R], what: str, hint: str) -> R:
    """A record from its JSON file.

    Args:
        path: the file.
        record: what it should hold.
        what: the same in words: "a report".
        hint: what to do where it does not.

    Raises:
        StoreError: the file cannot be read, or holds something else.
    """
    try:
        return record.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"Cannot read {path}: {error}.", code="cannot_read") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise StoreError(
            f"{path} is not {what} of this version of tfopt: {place}: {first['msg']}.", hint, code="invalid_record"
        ) from error
