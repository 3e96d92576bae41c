"""Hooks of mkdocs: pages that are written for the top of the repository, and links that leave `docs/`.

`ARCHITECTURE.md`, `CONTRIBUTING.md` and `CHANGELOG.md` become pages of the site. A link to any other file of the
repository becomes plain text; a link to a file that does not exist stops the build.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

REPOSITORY = Path(__file__).resolve().parents[1]
PAGES = {"ARCHITECTURE.md": "architecture.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
"""Files at the top of the repository, and the pages that they become."""

_CODE_OR_LINK = re.compile(
    r"^```.*?^```|(?P<image>!?)\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)\)|`[^`\n]+`", re.DOTALL | re.MULTILINE
)
"""What begins first on a page: code, in which nothing is a link, or a link, whose text may be code."""


def on_files(files: Any, config: Any) -> Any:
    """Adds the pages from the top of the repository."""
    for source, page in PAGES.items():
        text = (REPOSITORY / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=site_links(text, source, page)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Rewrites the links of the pages in `docs/`."""
    path = page.file.src_uri
    return markdown if path in PAGES.values() else site_links(markdown, f"docs/{path}", path)


def site_links(markdown: str, source: str, page: str) -> str:
    """Markdown whose links are those of the site.

    Args:
        markdown: text of a page, links relative to its file in the repository.
        source: path of that file in the repository.
        page: path of the page in the site.

    Raises:
        PluginError: a link to a file that does not exist.
    """

    def link(found: re.Match[str]) -> str:
        image, text, target = found["image"], found["text"], found["target"]
        if target is None:
            return found[0]
        path, _, anchor = target.partition("#")
        if not path or "://" in path or target.startswith("mailto:"):
            return found[0]
        in_repository = os.path.normpath(os.path.join(os.path.dirname(source), path))
        if not (REPOSITORY / in_repository).exists():
            raise PluginError(f"{source}: there is no file {in_repository}")
        in_site = PAGES.get(in_repository) or ("index.md" if in_repository == "README.md" else None)
        if in_site is None and in_repository.startswith("docs/") and not in_repository.endswith(".py"):
            in_site = in_repository.removeprefix("docs/")
        if in_site is None or (REPOSITORY / in_repository).is_dir():
            return text
        relative = os.path.relpath(in_site, os.path.dirname(page) or ".")
        return f"{image}[{text}]({relative}{'#' + anchor if anchor else ''})"

    return _CODE_OR_LINK.sub(link, markdown)
