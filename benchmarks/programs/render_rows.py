"""Renders a table of 1,000 rows of two cells, and prints what that cost.

Usage: ``render_rows.py gustnado|mako|jinja2|tornado SECONDS``. Prints the number of pages and the CPU time of this
process for all of them in nanoseconds. Each cell holds a character that has to be escaped, and each page is compared.
"""

from __future__ import annotations

import html
import sys
import time
from collections.abc import Callable
from typing import Any

ROWS = [(f"name <{number}>", f"value & {number}") for number in range(1000)]
ROW = "<tr><td>{}</td><td>{}</td></tr>\n"
PAGE = "".join(ROW.format(html.escape(name), html.escape(value)) for name, value in ROWS).encode()
LOOP = "{{% for name, value in rows %}}" + ROW.format("{{{{ name }}}}", "{{{{ value }}}}") + "{{% {} %}}"
WARM_UP = 0.3
"""Seconds."""

Render = Callable[[], bytes]


def gustnado() -> Render:
    from gustnado.web.template import Template

    template = Template(LOOP.format("end"))
    return lambda: template.generate(rows=ROWS)


def mako() -> Render:
    from mako.template import Template  # type: ignore[import-not-found, unused-ignore]

    source = "% for name, value in rows:\n" + ROW.format("${name}", "${value}") + "% endfor\n"
    template: Any = Template(source, default_filters=["h"])
    return lambda: bytes(template.render_unicode(rows=ROWS), "utf-8")


def jinja2() -> Render:
    from jinja2 import Environment  # type: ignore[import-not-found, unused-ignore]

    template: Any = Environment(autoescape=True, keep_trailing_newline=True).from_string(LOOP.format("endfor"))
    return lambda: bytes(template.render(rows=ROWS), "utf-8")


def tornado() -> Render:
    from tornado.template import Template  # type: ignore[import-untyped, unused-ignore]

    template: Any = Template(LOOP.format("end"))
    return lambda: bytes(template.generate(rows=ROWS))


def render_for(seconds: float, render: Render) -> int:
    """How many pages were rendered in that time."""
    end = time.monotonic() + seconds
    count = 0
    while time.monotonic() < end:
        render()
        count += 1
    return count


def main(engine: str, seconds: str) -> None:
    """Checks a page, warms up, measures, prints."""
    render = {"gustnado": gustnado, "mako": mako, "jinja2": jinja2, "tornado": tornado}[engine]()
    if html.unescape(render().decode()) != html.unescape(PAGE.decode()) or b"<0>" in render():
        sys.exit("the page is another one")
    render_for(WARM_UP, render)
    before = time.process_time_ns()
    count = render_for(float(seconds), render)
    print(count, time.process_time_ns() - before)


if __name__ == "__main__":
    main(*sys.argv[1:])
