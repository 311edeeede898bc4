"""What a request of the HTTP client costs: ``python -m benchmarks.client``.

GET over kept connections, 16 in flight, of the bare epoll server that answers fixed bytes; all clients on uvloop. The
method is that of :mod:`benchmarks.measure`, the other way round: the server on core 0, the client on core 1, CPU
time of the client divided by requests, interleaved rounds, medians.

>>> parse_output("1000 20000000\\n", 2)
Round(cpu=20.0, requests=1000, rate=500.0, p50=0.0, p99=0.0, problems=(), threads_ended=0)
"""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Sequence

from benchmarks.commands import Echo, run
from benchmarks.environment import HERE, Environment
from benchmarks.errors import HarnessError
from benchmarks.figures import Figure, Round, interleave
from benchmarks.measure import LOAD_CORE, SERVER_CORE, running, server_environment
from benchmarks.options import make_parser, parse, report_table, say
from benchmarks.workloads import CONTENDERS, Contender

__all__ = ["CLIENTS", "GOAL", "main", "measure_program", "parse_output", "render"]

CLIENTS = {
    "gustnado": "Gustnado",
    "aiohttp": "aiohttp",
    "tornado_curl": "Tornado with libcurl",
    "httpx": "httpx",
}
"""Manner of ``client_get.py`` -> title."""

GOAL = 0.4
"""What ours may cost, as a part of what aiohttp does."""


def parse_output(output: str, seconds: int) -> Round:
    """Reads what ``client_get.py`` prints.

    :raises HarnessError: if the text is not its, or there was no response.
    """
    found = re.fullmatch(r"(\d+) (\d+)\s*", output)
    if found is None or found[1] == "0":
        raise HarnessError(f"client_get.py printed {output!r}")
    requests = int(found[1])
    cpu = int(found[2]) / 1000 / requests
    return Round(cpu=cpu, requests=requests, rate=requests / seconds, p50=0.0, p99=0.0)


def measure_program(
    given: Sequence[str],
    contender: Contender,
    environment: Environment,
    seconds: int,
    core: int = SERVER_CORE,
) -> Round:
    """One measurement in a process of its own, which reads its own clock, and prints what :func:`parse_output` reads.

    :param given: the program, one of ``programs/``, and its arguments; the last one, ``seconds``, is added.
    :raises HarnessError: if it cannot be run, or finds something wrong.
    """
    program, *arguments = given
    command = ["taskset", "-c", str(core), str(environment.interpreter), str(HERE / "programs" / program)]
    output = run([*command, *arguments, str(seconds)], contender.title, **server_environment(contender, environment))
    return parse_output(output.splitlines()[-1] if output else "", seconds)


def measure(client: str, environment: Environment, seconds: int) -> Round:
    """One measurement, in a process and on a server of its own.

    :raises HarnessError: if one of them cannot be run, or a response is wrong.
    """
    with running(CONTENDERS["limit"], environment) as (_, port):
        contender = dataclasses.replace(
            CONTENDERS["limit"], title=CLIENTS[client], leg="compiled" if client == "gustnado" else None
        )
        given = ("client_get.py", client, f"http://127.0.0.1:{port}/")
        return measure_program(given, contender, environment, seconds, LOAD_CORE)


def measure_all(
    clients: Sequence[str], environment: Environment, rounds: int, seconds: int, echo: Echo
) -> list[Figure]:
    """All clients, in interleaved rounds."""
    return interleave(
        "client_get",
        clients,
        rounds,
        lambda client: measure(client, environment, seconds),
        lambda client, one: f"{CLIENTS[client]:<24}{one.cpu:8.1f} us",
        echo,
    )


def render(figures: Sequence[Figure]) -> str:
    """The table, as Markdown, and whether the goal was met."""
    medians = {figure.contender: figure.median for figure in figures}
    lines = ["| client | CPU us each | min - max | x aiohttp |", "| --- | ---: | ---: | ---: |"]
    for figure in figures:
        ratio = f"{figure.median / medians['aiohttp']:.2f}" if "aiohttp" in medians else ""
        cells = (CLIENTS[figure.contender], f"{figure.median:.1f}", f"{figure.least:.1f} - {figure.most:.1f}", ratio)
        lines.append("| " + " | ".join(cells) + " |")
    if {"gustnado", "aiohttp"} <= medians.keys():
        ratio_of_ours = medians["gustnado"] / medians["aiohttp"]
        met = "met" if ratio_of_ours <= GOAL else "missed"
        lines += ["", f"Goal: at most {GOAL} x aiohttp. {ratio_of_ours:.2f}: {met}."]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints the table and writes it; returns the exit status."""
    options = parse(make_parser("benchmarks.client", "What does a request cost?", "CLIENT", CLIENTS), arguments)

    def measure(environment: Environment) -> tuple[str, None]:
        return render(measure_all(options.only, environment, options.rounds, options.seconds, say)), None

    title = "HTTP client: GET over kept connections, 16 in flight"
    return report_table("client", title, options, (SERVER_CORE, LOAD_CORE), measure)


if __name__ == "__main__":
    sys.exit(main())
