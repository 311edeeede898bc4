"""A bar chart of the results as SVG: one block a workload, one bar a contender, least CPU time on top.

The colours come from the reader's light or dark setting. A bar whose goal is set carries a tick at it. The
slowest would leave the others no room, so a bar ends, and is cut open, at :data:`LONGEST` times the limit.
"""

from __future__ import annotations

from html import escape

from benchmarks.figures import Figure, Results
from benchmarks.workloads import CONTENDERS, WORKLOADS, Workload

__all__ = ["render_svg"]

WIDTH, LABELS, NUMBERS = 900, 360, 140
"""Pixels: of the whole, of the column of names, of the column of figures."""
ROW, BAR, HEAD = 24, 14, 44
"""Pixels: height of a row, of its bar, of a block's heading."""
LONGEST = 8.0
"""Times the limit: where long bars are cut."""

STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #1f2430 }
  .title { font-weight: 600; font-size: 15px } .note { fill: #667085 }
  .limit, .bare { fill: #98a2b3 } .peer { fill: #7aa2d6 } .ours { fill: #e8590c }
  .goal { stroke: #1f2430; stroke-width: 2 } .cut { stroke: #ffffff; stroke-width: 3 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6e8ee } .note { fill: #98a2b3 } .limit, .bare { fill: #667085 }
    .goal { stroke: #e6e8ee } .cut { stroke: #0d1117 }
  }
"""


ROOM = WIDTH - LABELS - NUMBERS
"""Pixels: of the longest bar."""


def _bar(figure: Figure, top: int, end: float, limit: Figure | None, goal: float | None) -> str:
    """One contender: its name, its bar, its figure. ``end``: microseconds at the right end."""
    contender = CONTENDERS[figure.contender]
    width, baseline = min(figure.median / end, 1.0) * ROOM, top + BAR - 2
    ratio = f" ({figure.median / limit.median:.1f} x)" if limit else ""
    size = f'x="{LABELS}" y="{top}" width="{width:.1f}" height="{BAR}"'
    parts = [
        f'<text x="{LABELS - 10}" y="{baseline}" text-anchor="end">{escape(contender.title)}</text>',
        f'<rect class="{contender.role.value}" {size} rx="2"/>',
        f'<text x="{LABELS + width + 8:.1f}" y="{baseline}">{figure.median:.1f} us{ratio}</text>',
    ]
    if figure.median > end:
        parts.append(f'<path class="cut" d="M{LABELS + ROOM - 18} {top + BAR + 2}l8 -{BAR + 4}"/>')
    if limit and goal:
        at = LABELS + goal * limit.median / end * ROOM
        parts.append(f'<path class="goal" d="M{at:.1f} {top - 3}v{BAR + 6}"/>')
    return "\n".join(parts)


def _block(results: Results, workload: Workload, top: int) -> tuple[list[str], int]:
    """One workload: its elements, and where the next block begins."""
    figures = [figure for figure in results.of(workload.name) if figure.counts]
    if not figures:
        return [], top
    limit = results.limit(workload.name)
    end = figures[-1].median if limit is None else min(figures[-1].median, LONGEST * limit.median)
    parts = [f'<text class="title" x="16" y="{top + 26}">{escape(workload.title)}</text>']
    for number, figure in enumerate(figures):
        goal = workload.goals.get(figure.contender)
        parts.append(_bar(figure, top + HEAD + number * ROW, end, limit, goal))
    return parts, top + HEAD + len(figures) * ROW + 8


def render_svg(results: Results) -> str:
    """The chart. Figures that do not count are left out."""
    parts: list[str] = []
    top = 0
    for workload in WORKLOADS:
        block, top = _block(results, workload, top)
        parts += block
    python = escape(results.versions.get("Python", ""))
    note = f"CPU microseconds per request on one core, lower is better. {python}, {results.date[:10]}."
    parts.append(f'<text class="note" x="16" y="{top + 18}">{note}</text>')
    size = f'width="{WIDTH}" height="{top + 32}" viewBox="0 0 {WIDTH} {top + 32}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">'
    return "\n".join([head, f"<style>{STYLE}</style>", *parts, "</svg>", ""])
