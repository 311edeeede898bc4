from __future__ import annotations

from benchmarks.environment import HERE
from benchmarks.workloads import CONTENDERS, WORKLOADS, Role


def test_every_contender_of_a_workload_exists():
    named = {name for workload in WORKLOADS for name in (*workload.lineup(full=True), *workload.goals)}
    assert named <= set(CONTENDERS)


def test_every_contender_has_its_server_file_and_takes_a_port():
    for contender in CONTENDERS.values():
        assert (HERE / "servers" / contender.command[0]).is_file(), contender.name
        assert "PORT" in contender.command, contender.name


def test_every_script_exists():
    assert all((HERE / "scripts" / workload.script).is_file() for workload in WORKLOADS if workload.script)


def test_builds_of_ours_name_their_leg_and_nobody_else_does():
    for contender in CONTENDERS.values():
        assert (contender.leg in ("compiled", "interpreted")) == (contender.role is Role.OURS)


def test_the_quick_set_compares_hello_with_the_limit_and_six_peers():
    quick = {name for workload in WORKLOADS if workload.quick for name in workload.lineup(full=False)}
    assert {
        "limit",
        "gustnado",
        "socketify",
        "granian_wsgi",
        "uvicorn",
        "starlette",
        "aiohttp",
        "tornado",
    } <= quick


def test_the_full_set_adds_peers_to_a_workload():
    hello = WORKLOADS[0]
    assert set(hello.lineup(full=True)) > set(hello.lineup(full=False))


def test_fifty_headers_are_sent_with_the_host():
    (workload,) = [workload for workload in WORKLOADS if workload.name == "headers"]
    assert len(workload.headers) == 49


def test_files_are_compared_with_nginx():
    static = [workload for workload in WORKLOADS if workload.name.startswith("static_")]
    assert [len(workload.expected.body) for workload in static] == [10 * 1024, 10 * 1024 * 1024]
    for workload in static:
        assert workload.limit == "nginx"
        assert workload.lineup(full=True)[0] == "nginx"
        assert workload.goals["gustnado_static"] <= 2
