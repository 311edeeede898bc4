from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from benchmarks.chart import render_svg
from benchmarks.figures import Figure, Results, Round

SVG = "{http://www.w3.org/2000/svg}"


def figure(contender: str, cpu: float, *problems: str) -> Figure:
    return Figure("hello", contender, (Round(cpu, 1000, 1.0, 1.0, 1.0, problems),))


def chart(*figures: Figure) -> ElementTree.Element:
    results = Results("2030-01-01T00:00:00", "quick", 2, {"Python": "cpython <3.13>"}, figures)
    return ElementTree.fromstring(render_svg(results))


def test_bars_are_in_proportion_to_their_figures():
    small, large = chart(figure("limit", 4.0), figure("tornado", 8.0)).iter(f"{SVG}rect")
    assert float(large.attrib["width"]) == 2 * float(small.attrib["width"])


def test_our_bars_stand_out_and_carry_their_goal():
    root = chart(figure("limit", 4.0), figure("gustnado", 8.0))
    assert [bar.attrib["class"] for bar in root.iter(f"{SVG}rect")] == ["limit", "ours"]
    assert len(list(root.iter(f"{SVG}path"))) == 1


def test_bars_far_beyond_the_limit_are_cut_at_the_same_length_and_keep_their_figure():
    root = chart(figure("limit", 1.0), figure("uvicorn", 20.0), figure("tornado", 35.0))
    _, one, other = root.iter(f"{SVG}rect")
    assert one.attrib["width"] == other.attrib["width"]
    assert [path.attrib["class"] for path in root.iter(f"{SVG}path")] == ["cut", "cut"]
    assert "35.0 us (35.0 x)" in [text.text for text in root.iter(f"{SVG}text")]


def test_figures_that_do_not_count_are_left_out():
    assert len(list(chart(figure("limit", 4.0), figure("uvicorn", 3.0, "wrong")).iter(f"{SVG}rect"))) == 1


def test_texts_are_escaped_and_tell_figure_and_ratio():
    texts = [
        text.text or "" for text in chart(figure("limit", 4.0), figure("tornado", 8.0)).iter(f"{SVG}text")
    ]
    assert "8.0 us (2.0 x)" in texts
    assert any("cpython <3.13>" in text for text in texts)


def test_nothing_measured_is_still_a_chart():
    assert list(chart().iter(f"{SVG}rect")) == []
