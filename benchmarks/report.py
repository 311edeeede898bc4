"""Results as JSON, as a Markdown table and as a bar chart.

Every figure stands as a ratio to the limit and to the best peer; throughput and latency stand beside it,
never alone. A figure with a wrong response in it is named and has no number.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path

from benchmarks.chart import render_svg
from benchmarks.figures import Figure, Results
from benchmarks.workloads import CONTENDERS, WORKLOADS, Role, Workload

__all__ = ["render_json", "render_markdown", "write_report"]

HEADINGS = (
    "server",
    "CPU us/request",
    "min - max",
    "x limit",
    "x best peer",
    "goal (x limit)",
    "requests/s",
    "p99 ms",
)
PER_HEADER = 49
"""Header fields by which the requests of the workloads ``hello`` and ``headers`` differ."""


def render_json(results: Results) -> str:
    """Everything, each round included."""
    return json.dumps(dataclasses.asdict(results), indent=2) + "\n"


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _ratio(figure: Figure, to: Figure | None) -> str:
    return f"{figure.median / to.median:.2f}" if to else ""


def _goal(workload: Workload, figure: Figure, limit: Figure | None) -> str:
    """The goal, and whether it is met; empty where there is none."""
    goal = workload.goals.get(figure.contender)
    if goal is None or limit is None:
        return ""
    return f"{goal:.2f} {'met' if figure.median / limit.median <= goal else 'missed'}"


def _figure_row(results: Results, workload: Workload, figure: Figure) -> str:
    contender = CONTENDERS[figure.contender]
    title = f"**{contender.title}**" if contender.role is Role.OURS else contender.title
    if not figure.counts:
        reason = figure.problems[0].splitlines()[0].replace("|", "/")
        return _row([title, "does not count", reason, "", "", "", "", ""])
    limit = results.limit(workload.name)
    cells = (
        title,
        f"{figure.median:.2f}",
        f"{figure.least:.2f} - {figure.most:.2f}",
        _ratio(figure, limit),
        _ratio(figure, results.best_peer(workload.name)),
        _goal(workload, figure, limit),
        f"{figure.rate:,.0f}",
        f"{figure.p99 / 1000:.2f}",
    )
    return _row(cells)


def _table(results: Results, workload: Workload) -> list[str]:
    """Heading and table of one workload; nothing if it was not measured."""
    figures = results.of(workload.name)
    if not figures:
        return []
    rule = "| --- |" + " ---: |" * (len(HEADINGS) - 1)
    rows = [_figure_row(results, workload, figure) for figure in figures]
    return [f"## {workload.title}", "", _row(HEADINGS), rule, *rows, ""]


def _header_costs(results: Results) -> list[str]:
    """What one more header field costs, where both of its workloads were measured."""
    lines = []
    for name in ("gustnado", "gustnado_interpreted"):
        few, many = results.find("hello", name), results.find("headers", name)
        if few and many:
            each = (many.median - few.median) / PER_HEADER
            lines.append(
                f"- {CONTENDERS[name].title}: {each:.3f} us for each further header field (goal: 0.05)"
            )
    return lines


def _log_cost(results: Results) -> list[str]:
    """What the access log costs, where it was measured with and without."""
    without, with_log = results.find("log", "gustnado"), results.find("log", "gustnado_log")
    if not without or not with_log:
        return []
    return [f"- The access log: {with_log.median - without.median:.2f} us a request (goal: 3)"]


def _differences(results: Results) -> list[str]:
    lines = _header_costs(results) + _log_cost(results)
    return ["## Differences", "", *lines, ""] if lines else []


def _method(results: Results) -> list[str]:
    rounds = max((len(figure.rounds) for figure in results.figures), default=0)
    return [
        f"Set: {results.mode}, {results.date}; {rounds} interleaved rounds of {results.seconds} s, medians.",
        "CPU time of the server's whole process tree, user and kernel; server on core 0, wrk on core 1.",
        "Status, body and headers were checked before and after each measurement.",
    ]


def _versions(results: Results) -> list[str]:
    return ["## Versions", "", ", ".join(f"{name} {value}" for name, value in results.versions.items()), ""]


def render_markdown(results: Results) -> str:
    """The tables, best first, with the method above and all versions below them."""
    lines = ["# Benchmark results", "", *_method(results), ""]
    for workload in WORKLOADS:
        lines += _table(results, workload)
    lines += _differences(results) + _versions(results)
    return "\n".join(lines)


def write_report(results: Results, folder: Path, name: str) -> list[Path]:
    """Writes ``<name>.json``, ``<name>.md`` and ``<name>.svg``; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {"json": render_json(results), "md": render_markdown(results), "svg": render_svg(results)}
    paths = []
    for ending, text in texts.items():
        path = folder / f"{name}.{ending}"
        path.write_text(text)
        paths.append(path)
    return paths
