from __future__ import annotations

import benchmarks.__main__ as program
import pytest
from benchmarks.errors import HarnessError
from benchmarks.figures import Figure, Results, Round


def planned(*arguments: str) -> dict[str, list[str]]:
    options = program.make_parser().parse_args(arguments)
    return {workload.name: lineup for workload, lineup in program.plan(options)}


def results(*problems: str) -> Results:
    figure = Figure("hello", "limit", (Round(4.0, 1, 1.0, 1.0, 1.0, problems),))
    return Results("2030-01-01T00:00:00", "quick", 2, {"Python": "cpython 3.13.0"}, (figure,))


def test_the_quick_set_is_the_default():
    assert planned() == planned("--quick")
    assert set(planned()) == {"hello", "hello_async"}


def test_the_full_set_has_all_workloads_and_more_peers():
    assert set(planned("--full")) > set(planned())
    assert "fastapi" in planned("--full")["hello"]


def test_one_workload_and_some_servers_can_be_chosen():
    assert planned("--only", "hello", "--servers", "tornado", "limit") == {"hello": ["limit", "tornado"]}


def test_a_server_of_the_full_set_can_be_chosen_by_name():
    assert planned("--only", "hello", "--servers", "fastapi") == {"hello": ["fastapi"]}


def test_a_workload_in_which_no_chosen_server_runs_is_left_out():
    assert planned("--only", "pipelined", "--servers", "tornado") == {}


def test_to_choose_none_of_a_workloads_servers_is_an_error_that_names_them(capsys):
    with pytest.raises(SystemExit) as ended:
        program.main(["--only", "hello", "static_10k", "--servers", "gustnado"])
    assert ended.value.code == 2
    assert "no such server runs static_10k, but: nginx gustnado_static " in capsys.readouterr().err


def test_the_help_names_every_workload_and_server():
    text = program.make_parser().format_help()
    assert all(name in text for name in (*planned("--full"), "granian_rsgi", "python -m benchmarks.soak"))


@pytest.mark.parametrize(
    "arguments", [["--rounds", "0"], ["--seconds", "-1"], ["--only", "nothing"], ["--quick", "--full"]]
)
def test_wrong_options_are_refused(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        program.main(arguments)
    assert stopped.value.code == 2
    assert "error" in capsys.readouterr().err


def test_a_run_prints_the_table_and_writes_three_files(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(program, "run_plan", lambda options: results())
    assert program.main(["--results", str(tmp_path)]) == 0
    assert "| C epoll loop, fixed answer | 4.00 |" in capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == {
        f"quick-cpython3.13.{end}" for end in ("json", "md", "svg")
    }


def test_a_figure_that_does_not_count_fails_the_run(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(program, "run_plan", lambda options: results("status 500"))
    assert program.main(["--results", str(tmp_path)]) == 1
    assert "does not count" in capsys.readouterr().out


def test_what_is_missing_is_said_in_one_line(monkeypatch, capsys):
    def fail(options: object) -> Results:
        raise HarnessError("wrk is not installed")

    monkeypatch.setattr(program, "run_plan", fail)
    assert program.main([]) == 1
    assert capsys.readouterr().err == "benchmarks: wrk is not installed\n"


@pytest.mark.parametrize(("status", "expected"), [(0, 0), (1, 1)])
def test_the_full_set_has_what_needs_no_server_too(monkeypatch, tmp_path, status, expected):
    given = []
    monkeypatch.setattr(program, "run_plan", lambda options: results())
    monkeypatch.setattr(program, "OTHERS", (lambda arguments: given.append(arguments) or status,) * 2)
    chosen = ["--full", "--results", str(tmp_path), "--rounds", "1"]
    assert program.main(chosen) == expected
    assert len(given) == 2
    assert {f"--results={tmp_path}", "--rounds=1"} < set(given[0])


@pytest.mark.parametrize("chosen", [["--quick"], ["--full", "--only", "hello"], ["--full", "--servers", "gustnado"]])
def test_a_selection_has_not(monkeypatch, tmp_path, chosen):
    monkeypatch.setattr(program, "run_plan", lambda options: results())
    monkeypatch.setattr(program, "OTHERS", (lambda arguments: pytest.fail("it is measured"),))
    assert program.main([*chosen, "--results", str(tmp_path)]) == 0
