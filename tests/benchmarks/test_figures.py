from __future__ import annotations

from benchmarks.figures import Figure, Results, Round


def rounds(*cpus: float, problem: str | None = None) -> tuple[Round, ...]:
    problems = (problem,) if problem else ()
    return tuple(Round(cpu, 1000, 500.0, 1.0, cpu * 2, problems) for cpu in cpus)


def results(*figures: Figure) -> Results:
    return Results("2030-01-01T00:00:00+00:00", "quick", 2, {}, figures)


def test_the_figure_is_the_median_with_its_extremes_beside_it():
    figure = Figure("hello", "limit", rounds(5.0, 4.0, 9.0))
    assert (figure.median, figure.least, figure.most, figure.rate, figure.p99) == (5.0, 4.0, 9.0, 500.0, 10.0)


def test_one_wrong_round_spoils_the_figure():
    figure = Figure("hello", "limit", rounds(5.0) + rounds(4.0, 4.0, problem="status 500"))
    assert not figure.counts
    assert figure.problems == ("status 500",)


def test_figures_are_ordered_best_first_and_spoilt_ones_last():
    spoilt = Figure("hello", "uvicorn", rounds(1.0, problem="x"))
    slow, fast = Figure("hello", "tornado", rounds(9.0)), Figure("hello", "limit", rounds(2.0))
    other = Figure("json", "limit", rounds(1.0))
    assert results(spoilt, slow, other, fast).of("hello") == (fast, slow, spoilt)


def test_the_best_peer_is_a_server_that_people_use_and_whose_figure_counts():
    found = results(
        Figure("hello", "limit", rounds(1.0)),
        Figure("hello", "bare_asyncio", rounds(2.0)),
        Figure("hello", "gustnado", rounds(3.0)),
        Figure("hello", "granian_wsgi", rounds(4.0, problem="x")),
        Figure("hello", "socketify", rounds(5.0)),
        Figure("hello", "tornado", rounds(6.0)),
    )
    best = found.best_peer("hello")
    assert best is not None
    assert best.contender == "socketify"


def test_a_workload_without_a_limit_of_its_own_is_compared_with_that_of_hello():
    hello, json = Figure("hello", "limit", rounds(1.0)), Figure("json", "limit", rounds(2.0))
    assert results(hello, json).limit("json") is json
    assert results(hello).limit("pipelined") is hello
    assert results().limit("hello") is None


def test_the_limit_of_a_workload_may_be_another():
    hello, nginx = Figure("hello", "limit", rounds(1.0)), Figure("static_10k", "nginx", rounds(10.0))
    assert results(hello, nginx).limit("static_10k") is nginx
    assert results(hello).limit("static_10k") is None


def test_a_spoilt_limit_is_no_limit():
    assert results(Figure("hello", "limit", rounds(1.0, problem="x"))).limit("hello") is None
