from __future__ import annotations

import json

from benchmarks.figures import Figure, Results, Round
from benchmarks.report import render_json, render_markdown, write_report


def figure(workload: str, contender: str, cpu: float, *problems: str) -> Figure:
    return Figure(
        workload, contender, tuple(Round(cpu + n, 1000, 5e4, 600.0, 7000.0, problems) for n in (-1, 0, 1))
    )


RESULTS = Results(
    date="2030-01-01T00:00:00+00:00",
    mode="quick",
    seconds=2,
    versions={"Python": "cpython 3.13.0", "tornado": "6.6.1"},
    figures=(
        figure("hello", "limit", 4.0),
        figure("hello", "gustnado", 8.0),
        figure("hello", "gustnado_interpreted", 12.0),
        figure("hello", "socketify", 10.0),
        figure("hello", "uvicorn", 18.0, "status 500 | instead of 200\nmore"),
        figure("headers", "gustnado", 10.45),
        figure("log", "gustnado", 8.0),
        figure("log", "gustnado_log", 10.5),
    ),
)


def row(title: str) -> list[str]:
    (line,) = [line for line in render_markdown(RESULTS).splitlines() if f" {title} " in line][:1]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_row_has_median_extremes_ratios_goal_throughput_and_latency():
    assert row("**Gustnado, compiled**")[1:] == [
        "8.00",
        "7.00 - 9.00",
        "2.00",
        "0.80",
        "2.10 met",
        "50,000",
        "7.00",
    ]


def test_a_goal_that_is_missed_says_so():
    assert row("**Gustnado, interpreted**")[5] == "2.80 missed"


def test_the_best_peer_is_one():
    assert row("socketify")[4] == "1.00"


def test_a_spoilt_figure_has_a_reason_and_no_number():
    cells = row("uvicorn (httptools, uvloop), ASGI raw")
    assert cells[1:3] == ["does not count", "status 500 / instead of 200"]
    assert "18.00" not in cells


def test_rows_are_ordered_best_first():
    text = render_markdown(RESULTS)
    places = [
        text.index(title) for title in ("C epoll loop", "Gustnado, compiled", "socketify", "interpreted**")
    ]
    assert places == sorted(places)


def test_the_growth_for_each_header_is_told_where_both_were_measured():
    assert "- Gustnado, compiled: 0.050 us for each further header field" in render_markdown(RESULTS)
    assert "Gustnado, interpreted: " not in render_markdown(RESULTS)


def test_the_cost_of_the_access_log_is_told():
    assert "- The access log: 2.50 us a request (goal: 3)" in render_markdown(RESULTS)


def test_versions_and_date_are_in_the_table():
    text = render_markdown(RESULTS)
    assert "Python cpython 3.13.0, tornado 6.6.1" in text
    assert "2030-01-01" in text


def test_the_json_holds_every_round():
    data = json.loads(render_json(RESULTS))
    assert [one["cpu"] for one in data["figures"][0]["rounds"]] == [3.0, 4.0, 5.0]
    assert data["versions"]["tornado"] == "6.6.1"


def test_three_files_are_written(tmp_path):
    paths = write_report(RESULTS, tmp_path / "new", "quick")
    assert [path.name for path in paths] == ["quick.json", "quick.md", "quick.svg"]
    assert all(path.stat().st_size > 0 for path in paths)
