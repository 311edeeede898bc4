"""The command line: ``python -m benchmarks``."""

from __future__ import annotations

import argparse
import datetime
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import broadcast, routing, templates, websockets
from benchmarks.commands import find_nginx, find_wrk, require_cores
from benchmarks.environment import HERE, Environment
from benchmarks.errors import HarnessError
from benchmarks.figures import Results
from benchmarks.interpreters import DEFAULT_VERSION, find_python
from benchmarks.measure import LOAD_CORE, SERVER_CORE, measure_all
from benchmarks.report import render_markdown, write_report
from benchmarks.versions import versions
from benchmarks.workloads import CONTENDERS, WORKLOADS, Workload

__all__ = ["main"]

START_AND_WARM_UP = 2.2
"""Seconds that a measurement takes besides its own length; for the forecast only."""

OTHERS = (templates.main, routing.main, websockets.main, broadcast.main)
"""What ``--full`` measures besides, in ways of its own: what needs no server, and WebSockets."""

DESCRIPTION = """\
Measures CPU microseconds per request of Gustnado, of its peers, and of the limit.

The first run makes an environment of its own in benchmarks/.cache and installs the pinned peers from
benchmarks/requirements.txt into it. The server runs on core 0, the load generator (wrk) on core 1. Every
figure is a median of interleaved rounds and is shown as a ratio to the limit, a C program that answers
fixed bytes, and to the best peer. Absolute figures depend on the machine; compare ratios."""

EPILOG = """\
examples:
  python -m benchmarks --quick                              hello, sync and async; under five minutes
  python -m benchmarks --full                               all workloads, all peers
  python -m benchmarks --only hello --servers limit gustnado    one workload, two servers
  python -m benchmarks --quick --python python3.11          the same on another Python
  python -m benchmarks.soak                                 does memory grow under load?
  python -m benchmarks.streams                              what do streams and callbacks cost?
  python -m benchmarks.templates                            what does a page cost? (part of --full)
  python -m benchmarks.routing                              what does a route cost? (part of --full)
  python -m benchmarks.idle                                 what does a connection cost that waits?
  python -m benchmarks.slow                                 do others notice slow clients?
  python -m benchmarks.uploads                              how much memory do uploads take?
  python -m benchmarks.drain                                do restarts lose requests?

workloads:
"""


def say(line: str) -> None:
    """One line of progress."""
    print(line, file=sys.stderr, flush=True)


def make_parser() -> argparse.ArgumentParser:
    """The options, with a help text that teaches."""
    width = max(len(workload.name) for workload in WORKLOADS)
    listing = "\n".join(f"  {workload.name:<{width}}  {workload.title}" for workload in WORKLOADS)
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=DESCRIPTION,
        epilog=EPILOG + listing + "\n\nservers:\n  " + "\n  ".join(CONTENDERS),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    size = parser.add_mutually_exclusive_group()
    size.add_argument(
        "--quick", action="store_true", help="the quick set, 3 rounds of 2 seconds (the default)"
    )
    size.add_argument("--full", action="store_true", help="everything, 5 rounds of 4 seconds")
    names = [workload.name for workload in WORKLOADS]
    parser.add_argument("--only", metavar="WORKLOAD", nargs="+", choices=names, help="only these workloads")
    parser.add_argument(
        "--servers", metavar="SERVER", nargs="+", choices=list(CONTENDERS), help="only these servers"
    )
    parser.add_argument("--rounds", type=int, help="rounds of each measurement, at least 1")
    parser.add_argument("--seconds", type=int, help="length of each measurement, at least 1")
    parser.add_argument(
        "--python", help=f"interpreter to measure on, name or path (default: CPython {DEFAULT_VERSION})"
    )
    parser.add_argument(
        "--results", type=Path, default=HERE / "results", help="folder for JSON, Markdown and SVG"
    )
    parser.add_argument("--cache", type=Path, default=HERE / ".cache", help="folder for the environment")
    return parser


def plan(options: argparse.Namespace) -> list[tuple[Workload, list[str]]]:
    """The workloads to run, each with the names of its contenders."""
    chosen = []
    for workload in WORKLOADS:
        if workload.name in options.only if options.only else workload.quick or options.full:
            lineup = workload.lineup(full=options.full)
            if options.servers:
                lineup = tuple(name for name in (*lineup, *workload.extras) if name in options.servers)
            chosen.append((workload, list(dict.fromkeys(lineup))))
    return [(workload, lineup) for workload, lineup in chosen if lineup]


def without_servers(options: argparse.Namespace) -> str | None:
    """What is wrong with a selection: a workload was asked for by name, and none of the servers asked for runs it."""
    planned = {workload.name for workload, _ in plan(options)}
    for workload in WORKLOADS:
        if workload.name in (options.only or ()) and workload.name not in planned:
            return f"no such server runs {workload.name}, but: {' '.join(workload.lineup(full=True))}"
    return None


def run_plan(options: argparse.Namespace) -> Results:
    """Prepares what is needed and measures.

    :raises HarnessError: if something is missing on this machine.
    """
    rounds, seconds = (
        options.rounds or (5 if options.full else 3),
        options.seconds or (4 if options.full else 2),
    )
    chosen = plan(options)
    require_cores(SERVER_CORE, LOAD_CORE)
    find_wrk(say)
    if any("nginx" in lineup for _, lineup in chosen):
        find_nginx(say)
    environment = Environment(find_python(options.python), options.cache.resolve(), say)
    used = {name for _, lineup in chosen for name in lineup}
    environment.prepare(sorted({leg for name in used if (leg := CONTENDERS[name].leg)}))
    count = rounds * sum(len(lineup) for _, lineup in chosen)
    minutes = count * (seconds + START_AND_WARM_UP) / 60
    say(f"{count} measurements on {environment.python.label}, about {minutes:.0f} minutes")
    figures = [
        figure
        for workload, lineup in chosen
        for figure in measure_all(workload, lineup, environment, rounds=rounds, seconds=seconds, echo=say)
    ]
    return Results(
        date=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        mode=_mode(options),
        seconds=seconds,
        versions=versions(environment),
        figures=tuple(figures),
    )


def run_others(options: argparse.Namespace) -> bool:
    """Measures what has a result file of its own; whether all of it could be run."""
    arguments = [f"--results={options.results}", f"--cache={options.cache}"]
    arguments += [f"--{name}={value}" for name in ("rounds", "seconds", "python") if (value := getattr(options, name))]
    statuses = [measure(arguments) for measure in OTHERS]
    return not any(statuses)


def _mode(options: argparse.Namespace) -> str:
    """What this run is called in its results."""
    size = "full" if options.full else "quick"
    return "-".join([size, *(options.only or ()), *(["selection"] if options.servers else [])])


def _name(results: Results) -> str:
    """The name of the result files: set and Python."""
    implementation, version = results.versions["Python"].split(" ")
    return f"{results.mode}-{implementation}{'.'.join(version.split('.')[:2])}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmarks; returns the exit status: 1 if a figure does not count or nothing could run."""
    parser = make_parser()
    options = parser.parse_args(arguments)
    for name in ("rounds", "seconds"):
        if getattr(options, name) is not None and getattr(options, name) < 1:
            parser.error(f"--{name} must be at least 1")
    problem = without_servers(options)
    if problem is not None:
        parser.error(problem)
    started = time.monotonic()
    try:
        results = run_plan(options)
    except HarnessError as error:
        say(f"benchmarks: {error}")
        return 1
    print(render_markdown(results))
    for path in write_report(results, options.results, _name(results)):
        say(f"wrote {path}")
    complete = not options.full or options.only or options.servers or run_others(options)
    say(f"took {time.monotonic() - started:.0f} s")
    return 0 if complete and all(figure.counts for figure in results.figures) else 1


if __name__ == "__main__":
    sys.exit(main())
