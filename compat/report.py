"""The table of results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from compat.program import Program
from compat.running import Outcome

__all__ = ["render"]

HEAD = (
    "| program | what | latency: Tornado | Gustnado | ratio | CPU: Tornado | Gustnado | ratio |\n"
    "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |"
)


def render(done: Sequence[tuple[Program, Outcome, Outcome, Mapping[str, str]]]) -> str:
    """Markdown: a row for each kind of request of each program. Milliseconds; ratios to Tornado."""
    rows = [HEAD]
    for _, tornado, gustnado, versions in done:
        label = ", ".join(f"{name} {version}" for name, version in versions.items())
        for theirs, ours in zip(tornado.session.figures, gustnado.session.figures, strict=True):
            cells = [label, f"{ours.name}, {ours.count} times"]
            for left, right in (
                (theirs.milliseconds, ours.milliseconds),
                (theirs.cpu_milliseconds, ours.cpu_milliseconds),
            ):
                cells += [f"{left:.2f}", f"{right:.2f}", f"{right / left:.2f}"]
            rows.append("| " + " | ".join(cells) + " |")
            label = ""
    return "\n".join(rows)
