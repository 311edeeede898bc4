"""Luigi: the central scheduler, its web page, and a worker that runs tasks."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from compat.environments import APPS
from compat.errors import CompatError
from compat.program import Program
from compat.serving import Place
from compat.session import TIMEOUT, Session

__all__ = ["PROGRAM"]

PAGE = "/static/visualiser/index.html"


@contextlib.contextmanager
def surroundings(place: Place) -> Iterator[Mapping[str, str]]:
    """A scheduler with everything on that has pages of its own: history (SQLite) and figures for Prometheus."""
    file = place.folder / "luigi.cfg"
    file.write_text(
        "[scheduler]\nrecord_task_history = true\nmetrics_collector = prometheus\n"
        f"[task_history]\ndb_connection = sqlite:///{place.folder}/history.sqlite\n"
    )
    yield {"LUIGI_CONFIG_PATH": str(file)}


def arguments(place: Place) -> list[str]:
    """The command ``luigid``."""
    luigid, state = place.python.with_name("luigid"), place.folder / "state.pickle"
    return [str(luigid), f"--state-path={state}", f"--port={place.port}", "--address=127.0.0.1"]


def call(session: Session, method: str, **arguments: Any) -> Any:
    """A call of the scheduler, as workers and the page do it."""
    response = session.http.post(f"/api/{method}", data={"data": json.dumps(arguments)})
    response.raise_for_status()
    return response.json()["response"]


def drive(session: Session) -> None:
    """Pages, calls, and a worker whose tasks are seen in them."""
    session.expect("/", session.http.get("/").headers["Location"], "static/visualiser/index.html")
    session.expect("HEAD /", session.http.head("/").status_code, 204)
    page = session.get(PAGE).text
    session.note("page", page)
    scripts = sorted({*re.findall(r'src="([^"]+\.js)"', page), *re.findall(r'href="([^"]+\.css)"', page)})
    sizes = [len(session.get(f"/static/visualiser/{name}").content) for name in scripts if "//" not in name]
    session.note("sizes of scripts and styles", sizes)
    session.get("/api/nothing", 404)
    session.expect("no tasks", call(session, "task_list", status="DONE", upstream_status=""), {})
    work(session)
    calls(session)
    session.measure("POST /api/get_work", 300, lambda: call(session, "get_work", worker="compat", host="here"))
    session.measure(f"GET {PAGE}", 300, lambda: session.http.get(PAGE).raise_for_status())


def calls(session: Session) -> None:
    """What the page asks for, and the pages of the history."""
    done = call(session, "task_list", status="DONE", upstream_status="")
    session.expect("done", sorted(task["name"] for task in done.values()), ["Number"] * 5 + ["Sum"])
    graph = call(session, "dep_graph", task_id=next(name for name in done if name.startswith("Sum")))
    session.expect("graph", sorted(len(task["deps"]) for task in graph.values()), [0] * 5 + [5])
    failed = call(session, "task_list", status="FAILED", upstream_status="")
    session.expect("failed", [task["name"] for task in failed.values()], ["Failure"])
    error = call(session, "fetch_error", task_id=next(iter(failed)))["error"]
    session.expect("error", "it always fails" in error, True)
    session.expect("menu", "Number" in session.get("/tasklist").text, True)
    session.expect("recent", session.get("/history").text.count("Sum") > 0, True)
    session.expect("by name", "Number" in session.get("/history/by_name/Number").text, True)
    session.expect("chart", "DONE" in session.get("/tasklist/Number").text, True)
    metrics = session.get("/metrics").text
    session.expect("figures", re.findall(r"luigi_task_done_total\{family=\"(\w+)\"\} (\S+)", metrics), FIGURES)


FIGURES = [("Number", "5.0"), ("Sum", "1.0")]
"""What Prometheus would read of the tasks that were done."""


def work(session: Session) -> None:
    """A worker, another process, runs a task that needs five others, and one that fails."""
    place = session.place
    command: list[str | Path] = [place.python, APPS / "luigi_tasks.py", str(place.port), place.folder / "out"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=3 * TIMEOUT, check=False)
    if done.returncode:
        raise CompatError(f"the worker failed: {done.stderr[-3000:]}")
    session.expect("sum", (place.folder / "out" / "sum").read_text(), "10")


PROGRAM = Program(
    name="luigi",
    packages=("luigi",),
    arguments=arguments,
    drive=drive,
    surroundings=surroundings,
)
