"""The page of a run: complete, closed in itself, safe, and usable without eyes."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.sample_report import RECIPE_YAML, hostile_report, lying_report, sample_report
from tfopt.core.records import Report, RunInfo
from tfopt.report.html import write_html

VOID = {"meta", "link", "br", "img", "input", "hr", "use", "path", "rect"}


class Page(HTMLParser):
    """Collects tags and checks that they nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def page_of(report: Report, folder: Path) -> tuple[Page, str]:
    text = write_html(report, RECIPE_YAML, folder).read_text(encoding="utf-8")
    return Page(text), text


@pytest.fixture(params=["held", "broken", "hostile", "empty"])
def report(request: pytest.FixtureRequest) -> Report:
    empty = Report(run=RunInfo(id="1", recipe="empty", state="failed", seconds=0.0, seed=0, error="No data."))
    made = {"held": sample_report(), "broken": lying_report(), "hostile": hostile_report(), "empty": empty}
    return made[request.param]


def test_the_page_is_balanced_and_refers_to_nothing_outside(report: Report, tmp_path: Path) -> None:
    page, text = page_of(report, tmp_path)
    assert page.open == []
    for _, attributes in page.tags:
        assert not attributes.keys() & {"src", "srcset", "onclick"}
        assert (attributes.get("href") or "#").startswith("#")
    assert not [tag for tag, _ in page.tags if tag in ("script", "link", "img", "iframe")]
    assert not re.findall(r"@import|url\((?!#)", text)


def test_ids_are_unique_and_references_lead_somewhere(tmp_path: Path) -> None:
    page, text = page_of(sample_report(), tmp_path)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', text) + re.findall(r"url\(#([^)]+)\)", text)) <= set(ids)


def test_the_page_can_be_used_without_eyes(tmp_path: Path) -> None:
    page, _ = page_of(lying_report(), tmp_path)
    assert ("html", {"lang": "en"}) in page.tags
    assert all("scope" in attributes for tag, attributes in page.tags if tag == "th")
    drawings = [attributes for tag, attributes in page.tags if tag == "svg"]
    assert len(drawings) == 6
    assert all(attributes["role"] == "img" and attributes["aria-label"] for attributes in drawings)


def test_the_page_leads_with_what_did_not_hold(tmp_path: Path) -> None:
    page, _ = page_of(lying_report(), tmp_path)
    start = page.text.index("1 of 16 claims broken and 3 of 5 budgets not met.")
    assert start < page.text.index("FULLY_CONNECTED computes in float32") < page.text.index("What came out")
    assert page.text.index("int8 1 of 6 broken") < page.text.index("float32 all 5 held")


def test_recipe_environment_and_command_are_there(tmp_path: Path) -> None:
    page, _ = page_of(sample_report(), tmp_path)
    for expected in (
        "int8.accuracy_drop: 1%",
        "AMD EPYC 7B13",
        "tfopt run saved_models/digits-prune-qat/",
        "All 16 claims",
    ):
        assert expected in page.text


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    page, text = page_of(hostile_report(), tmp_path)
    assert "<script>" not in text
    assert "</td><script>alert('x')</script>[bold]&" in page.text


def test_figures_are_written_beside_the_page(tmp_path: Path) -> None:
    page_of(sample_report(), tmp_path)
    names = sorted(path.name for path in (tmp_path / "figures").iterdir())
    assert names == ["files.svg", "layers.svg", "loss.svg", "metric.svg", "sizes.svg", "sparsity.svg"]
