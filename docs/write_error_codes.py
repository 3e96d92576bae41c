"""Writes docs/errors.md from the table of error codes: `python docs/write_error_codes.py`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tfopt.core.language import error_codes

HEAD = """\
# Error codes

Made from `tfopt/core/language/error_codes.py` by `python docs/write_error_codes.py`.

Each mistake in a recipe and each error has a code. Codes do not change; the wording of messages does. With `--json`,
`tfopt validate` lists the problems of each recipe with their codes, and a command that fails prints one document with
the code of its error. In Python: `error.code`, and `problem.code` for each of `RecipeError.problems`
([classes and exit codes](api/errors.md)).
"""


def sections() -> Iterator[tuple[str, list[str]]]:
    """Titles and codes, in the order of the source: a comment in the table begins a section."""
    title, codes = "", []
    source = Path(str(error_codes.__file__)).read_text(encoding="utf-8").split("CODES = {")[1]
    for comment, code in re.findall(r"^    (?:# (.+)\.|\"(\w+)\": ErrorCode\()", source, re.MULTILINE):
        if comment and codes:
            yield title, codes
            codes = []
        title = comment or title
        codes += [code] if code else []
    yield title, codes


def page() -> str:
    """All of docs/errors.md."""
    lines = [HEAD]
    for title, codes in sections():
        lines += [f"## {title}\n", "| code | meaning | what to do |", "|---|---|---|"]
        for code in codes:
            row = error_codes.CODES[code]
            lines.append(f"| `{code}` | {row.meaning} | {row.fix} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("errors.md").write_text(page(), encoding="utf-8")
