"""The page of a run: complete, closed in itself, safe, and usable without eyes."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.support.sample_report import RECIPE_YAML, hostile_report, lying_report, sample_report
from tfopt.core.records.report import Report, RunInfo
from tfopt.report.run.html import write_html

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


Drawn = tuple[Page, str]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Drawn]:
    """Each kind of report as a page and its text; drawn once, for drawing takes its time."""
    empty = Report(run=RunInfo(id="1", recipe="empty", state="failed", seconds=0.0, seed=0, error="No data."))
    reports = {"held": sample_report(), "broken": lying_report(), "hostile": hostile_report(), "empty": empty}
    drawn = {}
    for name, report in reports.items():
        path = write_html(report, RECIPE_YAML, tmp_path_factory.mktemp(name))
        assert path.name == "report.html"
        text = path.read_text(encoding="utf-8")
        drawn[name] = (Page(text), text)
    return drawn


@pytest.mark.parametrize("name", ["held", "broken", "hostile", "empty"])
def test_the_page_is_balanced_and_refers_to_nothing_outside(pages: dict[str, Drawn], name: str) -> None:
    page, text = pages[name]
    assert page.open == []
    for _, attributes in page.tags:
        assert not attributes.keys() & {"src", "srcset", "onclick"}
        assert (attributes.get("href") or "#").startswith("#")
    assert not [tag for tag, _ in page.tags if tag in ("script", "link", "img", "iframe")]
    assert not re.findall(r"@import|url\((?!#)", text)


def test_ids_are_unique_and_references_lead_somewhere(pages: dict[str, Drawn]) -> None:
    page, text = pages["held"]
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', text) + re.findall(r"url\(#([^)]+)\)", text)) <= set(ids)


def test_the_page_can_be_used_without_eyes(pages: dict[str, Drawn]) -> None:
    page, _ = pages["broken"]
    assert ("html", {"lang": "en"}) in page.tags
    assert all("scope" in attributes for tag, attributes in page.tags if tag == "th")
    drawings = [attributes for tag, attributes in page.tags if tag == "svg"]
    assert len(drawings) == 6
    assert all(attributes["role"] == "img" and attributes["aria-label"] for attributes in drawings)


def test_the_page_leads_with_what_did_not_hold(pages: dict[str, Drawn]) -> None:
    page, _ = pages["broken"]
    start = page.text.index("1 of 16 claims broken and 3 of 5 budgets not met.")
    assert start < page.text.index("FULLY_CONNECTED computes in float32") < page.text.index("Every value of a .tflite")
    assert page.text.index("int8 1 of 6 broken") < page.text.index("float32 all 5 held")


def test_recipe_environment_and_command_are_there(pages: dict[str, Drawn]) -> None:
    page, _ = pages["held"]
    for expected in (
        "int8.accuracy_drop: 1%",
        "AMD EPYC 7B13",
        "tfopt run saved_models/digits-prune-qat/",
        "All 16 claims",
    ):
        assert expected in page.text


def test_hostile_names_stay_text(pages: dict[str, Drawn]) -> None:
    page, text = pages["hostile"]
    assert "<script>" not in text
    assert "</td><script>alert('x')</script>[bold]&" in page.text


def test_figures_are_written_beside_the_page(tmp_path: Path) -> None:
    write_html(sample_report(), RECIPE_YAML, tmp_path)
    names = sorted(path.name for path in (tmp_path / "figures").iterdir())
    assert names == ["files.svg", "layers.svg", "loss.svg", "metric.svg", "sizes.svg", "sparsity.svg"]
