"""HTML pages from templates, and figures as a part of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tfopt.report.shared import style

if TYPE_CHECKING:
    from jinja2 import Template

_TEMPLATES = "templates"
_THEMED = {
    style.INK: "var(--muted)",
    style.BLUE: "var(--blue)",
    style.ORANGE: "var(--orange)",
    style.GREEN: "var(--green)",
    style.SKY: "var(--sky)",
    style.PINK: "var(--pink)",
    style.TEXT: "var(--text)",
}


def template(name: str) -> Template:
    """A page template; what is put into it is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("tfopt.report", _TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def inline_svg(chart: style.Chart) -> str:
    """A figure as part of the page: its colours follow the page's, its ids are its own, its text is described."""
    from markupsafe import Markup, escape

    svg = chart.svg[chart.svg.index("<svg") :]
    opening, rest = svg.split(">", 1)
    box = re.search(r'viewBox="([^"]*)"', opening)
    rest = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{chart.name}-", rest)
    rest = rest.replace("xlink:href", "href")
    for colour, variable in _THEMED.items():
        rest = rest.replace(colour, variable)
    label = escape(chart.description)
    return Markup(f'<svg viewBox="{box[1] if box else ""}" role="img" aria-label="{label}">{rest}')
