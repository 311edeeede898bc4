"""Restarts under load: ``python -m benchmarks.drain``. Is a request lost?

``gustnado run`` with two workers, wrk on 64 keep-alive connections, and SIGHUP, twenty times: each replaces all
workers, one by one. The next restart begins when there are as many workers as before, and none of those of before.
Then wrk is told to end, and must have seen no error: neither a status, nor a connection that was refused, reset, or
closed before its answer was whole. At the end SIGTERM ends it all, with exit status 0.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence

from benchmarks.check import wait_until_served
from benchmarks.commands import find_wrk
from benchmarks.cpu import descendants
from benchmarks.environment import HERE, Environment
from benchmarks.errors import HarnessError
from benchmarks.findings import Finding, load_server, report
from benchmarks.load import Load, parse_wrk, wrk_command
from benchmarks.measure import LOAD_CORE, START_TIMEOUT, free_port, server_environment
from benchmarks.options import make_parser, parse, say

__all__ = ["METHODS", "main", "measure", "restart", "workers"]

RESTARTS = 20
WORKERS = 2
CONNECTIONS = 64
LONGEST = 3600
"""Seconds that all restarts may take."""
LATE = 20
"""Seconds; wrk's own are 2, which a machine that starts Python in another process may take."""
PATIENCE = 120.0
"""Seconds that one may take."""
METHODS = {"fork": "workers that are forked", "spawn": "workers that are started anew"}


def workers(supervisor: int) -> set[int]:
    """The processes that a supervisor has started."""
    return set(descendants(supervisor)) - {supervisor}


def restart(server: subprocess.Popen[bytes], count: int = WORKERS) -> float:
    """Has all workers replaced; returns how many seconds that took.

    :raises HarnessError: if it does not come to an end.
    """
    before, begin = workers(server.pid), time.monotonic()
    server.send_signal(signal.SIGHUP)
    while True:
        now = workers(server.pid)
        if len(now) == count and not now & before:
            return time.monotonic() - begin
        if server.poll() is not None or time.monotonic() > begin + PATIENCE:
            raise HarnessError(f"workers are not replaced in {PATIENCE:g} s: {sorted(before)}, now {sorted(now)}")
        time.sleep(0.02)


@contextlib.contextmanager
def supervised(environment: Environment, method: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Runs ``gustnado run`` for the length of a ``with`` block, which gets the process and its port.

    :raises HarnessError: if it does not serve in time; with what it wrote.
    """
    port = free_port()
    command = [str(environment.interpreter), "-m", "gustnado", "run", "load_server:app", "--port", str(port)]
    command += ["--app-dir", str(HERE / "servers"), "--workers", str(WORKERS), "--worker-method", method]
    command += ["--access-log", "off"]
    with tempfile.TemporaryFile() as output:
        server = subprocess.Popen(
            command,
            env=server_environment(load_server(), environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            if not wait_until_served(port, seconds=START_TIMEOUT):
                raise HarnessError("gustnado run does not serve")
            yield server, port
        except HarnessError as error:
            output.seek(0)
            raise HarnessError(f"{error}\n{output.read().decode(errors='replace')[-3000:]}") from error
        finally:
            if server.poll() is None:
                server.terminate()
            server.wait(PATIENCE)


def wait_for_workers(server: subprocess.Popen[bytes]) -> None:
    """Returns when all workers are there.

    :raises HarnessError: if they do not come.
    """
    end = time.monotonic() + PATIENCE
    while len(workers(server.pid)) < WORKERS:
        if time.monotonic() > end:
            raise HarnessError(f"no {WORKERS} workers in {PATIENCE:g} s")
        time.sleep(0.02)


def load_command(port: int) -> list[str]:
    """The load. What is late is not lost: only who waits for :data:`LATE` seconds is an error."""
    url = f"http://127.0.0.1:{port}/"
    *command, url = wrk_command(url, seconds=LONGEST, connections=CONNECTIONS, core=LOAD_CORE)
    return [*command, "--timeout", f"{LATE}s", url]


def end_wrk(wrk: subprocess.Popen[str]) -> Load:
    """Has wrk print what it saw.

    :raises HarnessError: if it has ended by itself.
    """
    if wrk.poll() is not None:
        raise HarnessError("wrk ended before the restarts did")
    wrk.send_signal(signal.SIGINT)
    output, _ = wrk.communicate(timeout=PATIENCE)
    return parse_wrk(output)


def measure(environment: Environment, method: str, restarts: int = RESTARTS) -> list[Finding]:
    """Restarts one server under load.

    :raises HarnessError: if it does not serve or restart.
    """
    with supervised(environment, method) as (server, port):
        wait_for_workers(server)
        command = load_command(port)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as wrk:
            try:
                times = [restart(server) for _ in range(restarts)]
                load = end_wrk(wrk)
            finally:
                wrk.kill()
        server.terminate()
        status = server.wait(PATIENCE)
    lost = "; ".join(load.problems)
    say(f"{method}: {load.requests:,} requests, {restarts} restarts, {lost or 'no error'}")
    what = METHODS[method]
    return [
        Finding(f"{what}: kinds of errors at the client{f' ({lost})' if lost else ''}", len(load.problems), "", 0),
        Finding(f"{what}: requests answered meanwhile", load.requests, ""),
        Finding(f"{what}: the longest of {restarts} restarts", max(times), "s"),
        Finding(f"{what}: exit status after SIGTERM", status, "", 0),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints the table and writes it; returns the exit status."""
    parser = make_parser("benchmarks.drain", "Do restarts lose requests?", "METHOD", METHODS, rounds=False)
    options = parse(parser, arguments)

    def all_methods(environment: Environment) -> list[Finding]:
        find_wrk(say)
        return [finding for method in options.only for finding in measure(environment, method)]

    title = f"{RESTARTS} restarts of {WORKERS} workers under load"
    return report("drain", title, options, all_methods)


if __name__ == "__main__":
    sys.exit(main())
