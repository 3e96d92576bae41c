"""The commented starter recipe that `tfopt init` writes."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from tfopt.errors import UsageError


def write_starter(target: Path) -> Path:
    """Writes the starter recipe; never overwrites a file.

    Raises:
        UsageError: the file exists, or cannot be written.
    """
    text = (files("tfopt.io.recipes") / "templates" / "starter.yaml").read_text(encoding="utf-8")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(
            f"{target} is there already.", "Choose another name, or remove it first.", code="file_exists"
        ) from None
    except OSError as error:
        raise UsageError(f"Cannot write {target}: {error.strerror or error}.", code="cannot_write") from error
    return target
