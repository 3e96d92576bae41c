"""Every claim has a code of the table, and every code of the table is used."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.support.root import REPOSITORY
from tfopt.core.config.files.claim_codes import CLAIM_CODES
from tfopt.core.records.report import ClaimRecord

MAKERS = {"ClaimRecord", "broken_claim"}
PASSES_ITS_ARGUMENT_ON = "broken_claim"


def test_every_claim_has_a_code_of_the_table() -> None:
    found = {site: code for path in sorted((REPOSITORY / "tfopt").rglob("*.py")) for site, code in codes(path)}
    assert {site: code for site, code in found.items() if code not in CLAIM_CODES} == {}
    assert set(found.values()) == set(CLAIM_CODES)


def codes(path: Path) -> Iterator[tuple[str, str | None]]:
    """Each place that makes a claim, with its literal code."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    inside = {id(node) for f in functions if f.name == PASSES_ITS_ARGUMENT_ON for node in ast.walk(f)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MAKERS:
            if id(node) in inside:
                continue
            given = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
            code = given[0].value if given and isinstance(given[0], ast.Constant) else None
            yield f"{path.relative_to(REPOSITORY)}:{node.lineno}", str(code) if code else None


def test_a_report_of_0_1_0_has_claims_without_codes() -> None:
    assert ClaimRecord.model_validate({"claim": "int8 only", "held": True, "found": "no float"}).code == ""
