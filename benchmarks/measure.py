"""The method: one server on one core, one load on another, CPU time divided by correct responses.

Wall-clock figures of shared machines drift by a factor of two; CPU time per operation holds within a few
percent. For each contender, in each round:

1. start the server afresh, pinned to core 0 with all its children;
2. check its answers: status, body, headers, keep-alive;
3. warm it up for a second, with the load that follows;
4. read the CPU time of its whole process tree, load it from core 1, read the CPU time again;
5. check its answers once more, and stop it.

Rounds are interleaved (A B C, A B C, ...), so that a slow minute of the machine strikes all alike.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from benchmarks.check import Expectation, check_response, wait_until_served
from benchmarks.commands import Echo
from benchmarks.cpu import descendants, lost_between, read_tree, spent_between
from benchmarks.environment import HERE, Environment
from benchmarks.errors import HarnessError
from benchmarks.figures import Figure, Round
from benchmarks.load import Load, run_wrk, wrk_command
from benchmarks.workloads import CONTENDERS, WORKLOADS, Contender, Workload

__all__ = ["LOAD_CORE", "SERVER_CORE", "measure_all", "measure_load", "running"]

SERVER_CORE = 0
LOAD_CORE = 1
WARM_UP = 1
"""Seconds of load before the measurement."""
START_TIMEOUT = 20.0
"""Seconds in which a server must accept its first connection."""
STOP_TIMEOUT = 5.0
"""Seconds between asking a server to end and killing it."""
HELLO = next(workload for workload in WORKLOADS if workload.name == "hello")


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def server_command(contender: Contender, environment: Environment, port: int, log: Path) -> list[str]:
    """The command line that serves ``contender`` on ``port``, pinned to its core."""
    values = {"PORT": str(port), "LOG": str(log), "FILES": str(environment.files)}
    file, *arguments = (values.get(word, word) for word in contender.command)
    if file.endswith(".conf"):
        return ["taskset", "-c", str(SERVER_CORE), *nginx_command(HERE / "servers" / file, values, log.parent)]
    if file.endswith(".c"):
        program = [str(environment.folder / Path(file).stem)]
    else:
        program = [str(environment.interpreter), str(HERE / "servers" / file)]
    return ["taskset", "-c", str(SERVER_CORE), *program, *arguments]


def nginx_command(template: Path, values: Mapping[str, str], folder: Path) -> list[str]:
    """The command line of nginx, with a configuration made in ``folder`` from ``template``."""
    text = template.read_text()
    for word, value in values.items():
        text = text.replace(word, value)
    configuration = folder / template.name
    configuration.write_text(text)
    return ["nginx", "-p", str(folder), "-c", str(configuration)]


def server_environment(contender: Contender, environment: Environment) -> Mapping[str, str]:
    """The environment variables of a server: this process's, and the build of Gustnado that it needs."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    variables["PYTHONDONTWRITEBYTECODE"] = "1"
    if contender.leg is not None:
        variables["PYTHONPATH"] = str(environment.build(contender.leg))
    return variables


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Ends a server and all that it started."""
    tree = descendants(server.pid)
    server.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.wait(STOP_TIMEOUT)
    for pid in tree:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    server.wait()


def _tail(output: IO[bytes]) -> str:
    """The last lines that a server wrote."""
    output.seek(0)
    return "\n".join(output.read().decode(errors="replace").splitlines()[-15:])


@contextlib.contextmanager
def running(contender: Contender, environment: Environment) -> Iterator[tuple[int, int]]:
    """Runs a server for the length of a ``with`` block, which gets its process id and port.

    :raises HarnessError: if it does not serve in time; with the last lines of its output.
    """
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as output:
        server = subprocess.Popen(
            server_command(contender, environment, port, Path(folder, "access.log")),
            env=server_environment(contender, environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            if not wait_until_served(port, seconds=START_TIMEOUT):
                raise HarnessError(f"{contender.title} does not serve:\n{_tail(output)}")
            yield server.pid, port
        finally:
            _stop(server)


def _load(workload: Workload, port: int, seconds: int) -> Load:
    """Loads the server for that long."""
    script = HERE / "scripts" / workload.script if workload.script else None
    command = wrk_command(
        f"http://127.0.0.1:{port}{workload.path}",
        seconds=seconds,
        connections=workload.connections,
        core=LOAD_CORE,
        headers=workload.headers,
        script=script,
    )
    return run_wrk(command, seconds=seconds)


def expectation(workload: Workload, contender: Contender) -> Expectation:
    """What a correct response of this contender to this workload is."""
    base = HELLO.expected if contender.fixed else workload.expected
    return dataclasses.replace(base, headers=contender.headers, chunked=contender.chunked)


def measure_once(workload: Workload, contender: Contender, environment: Environment, seconds: int) -> Round:
    """One measurement of one contender, on a server started for it.

    :raises HarnessError: if the server or the load cannot be run at all.
    """
    expected = expectation(workload, contender)
    with running(contender, environment) as (pid, port):
        problems = check_response(port, workload.path, expected, headers=workload.headers)
        _load(workload, port, WARM_UP)
        before = read_tree(pid)
        load = _load(workload, port, seconds)
        after = read_tree(pid)
        problems += check_response(port, workload.path, expected, headers=workload.headers)
    return Round(
        cpu=spent_between(before, after) / 1000 / max(load.requests, 1),
        requests=load.requests,
        rate=load.rate,
        p50=load.p50,
        p99=load.p99,
        problems=tuple(dict.fromkeys([*problems, *load.problems])),
        threads_ended=lost_between(before, after),
    )


def _try_once(workload: Workload, contender: Contender, environment: Environment, seconds: int) -> Round:
    """As :func:`measure_once`, but a server that cannot be run becomes a problem of its own figure."""
    try:
        return measure_once(workload, contender, environment, seconds)
    except (HarnessError, ProcessLookupError) as error:
        return Round(cpu=0.0, requests=0, rate=0.0, p50=0.0, p99=0.0, problems=(str(error),))


def measure_load(pid: int, load: Callable[[int], Load], seconds: int) -> Round:
    """One measurement of a server by a load other than wrk's, after a warm-up.

    :param pid: the server.
    :param load: runs for the seconds that it is given, and says what came back.
    """
    load(WARM_UP)
    before = read_tree(pid)
    done = load(seconds)
    after = read_tree(pid)
    return Round(
        cpu=spent_between(before, after) / 1000 / max(done.requests, 1),
        requests=done.requests,
        rate=done.rate,
        p50=done.p50,
        p99=done.p99,
        problems=() if done.requests else ("nothing came back",),
        threads_ended=lost_between(before, after),
    )


def measure_all(
    workload: Workload,
    contenders: Sequence[str],
    environment: Environment,
    *,
    rounds: int,
    seconds: int,
    echo: Echo,
) -> tuple[Figure, ...]:
    """Measures all contenders at one workload, in interleaved rounds."""
    found: dict[str, list[Round]] = {name: [] for name in contenders}
    for turn in range(rounds):
        for name in contenders:
            one = _try_once(workload, CONTENDERS[name], environment, seconds)
            found[name].append(one)
            verdict = f"  does not count: {one.problems[0]}" if one.problems else ""
            echo(
                f"{workload.name} {turn + 1}/{rounds}  {CONTENDERS[name].title:<54}{one.cpu:8.2f} us{verdict}"
            )
    return tuple(Figure(workload.name, name, tuple(found[name])) for name in contenders)
