"""Where accuracy went, as a page."""

from __future__ import annotations

from pathlib import Path

from tests.support.sample_explanation import sample_explanation
from tfopt.report.files.html import render, write_page


def test_the_page_has_pictures_and_escapes_names(tmp_path: Path) -> None:
    page = render(sample_explanation(), "<int8>")
    assert 'src="data:image/png;base64,AAAA"' in page
    assert "&lt;int8&gt;" in page
    assert "<pre>layers:\n  - {match: logits, quantize: none}</pre>" in page
    assert write_page(sample_explanation(), "int8", tmp_path / "where.html").read_text(encoding="utf-8")
