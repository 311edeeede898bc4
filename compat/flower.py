"""Flower: the monitor of Celery, over a Redis and a worker of its own."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from compat.environments import APPS
from compat.errors import CompatError
from compat.program import Program
from compat.serving import Place, free_port, wait_until_served
from compat.session import TIMEOUT, Session

__all__ = ["PROGRAM"]

WORKER = "worker@compat"
AUTH = ("someone", "secret")
FIGURES = re.compile(r'flower_events_total\{task="flower_tasks\.(\w+)",type="task-(succeeded|failed)",[^}]*\} (\S+)')


@contextlib.contextmanager
def child(command: list[str], place: Place, name: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Something that runs beside Flower."""
    with (place.folder / f"{name}.txt").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=place.folder, env={**os.environ, **environment}, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def surroundings(place: Place) -> Iterator[Mapping[str, str]]:
    """A Redis, and a worker of Celery's, which has nothing to do with Tornado.

    :raises CompatError: if there is no Redis on this machine.
    """
    redis = shutil.which("redis-server")
    if redis is None:
        raise CompatError("there is no redis-server on this machine (apt install redis-server)")
    port = free_port()
    options = {"--port": port, "--bind": "127.0.0.1", "--save": "", "--appendonly": "no"}
    command = [redis, *(str(part) for option in options.items() for part in option)]
    environment = {"COMPAT_REDIS": f"redis://127.0.0.1:{port}/0", "PYTHONPATH": str(APPS)}
    celery = [str(place.python), "-m", "celery", "-A", "flower_tasks"]
    worker = [*celery, "worker", "--pool=solo", "-n", WORKER, "--without-gossip", "--without-mingle"]
    with child(command, place, "redis") as process:
        if not wait_until_served(port, process):
            raise CompatError("redis-server does not serve")
        with child(worker, place, "worker", **environment):
            yield {**environment, "FLOWER_UNAUTHENTICATED_API": "false"}


def until(what: str, question: Callable[[], Any]) -> Any:
    """Ask until the answer is true: events take their time from the worker to Flower.

    :raises CompatError: if it does not become true.
    """
    deadline = time.monotonic() + 2 * TIMEOUT
    while not (answer := question()):
        if time.monotonic() > deadline:
            raise CompatError(f"{what} does not come")
        time.sleep(0.2)
    return answer


def drive(session: Session) -> None:
    """Pages, tasks that are run through the API, and what is told of them."""
    session.expect("without a password", session.http.get("/api/workers").status_code, 401)
    session.expect("with a wrong one", session.http.get("/workers", auth=("someone", "wrong")).status_code, 401)
    session.http.auth = AUTH
    session.get("/healthcheck")
    until("the worker", lambda: WORKER in session.http.get("/api/workers", params={"refresh": "1"}).json())
    pages(session)
    tasks(session)
    metrics(session)
    session.measure("GET /tasks", 200, lambda: session.http.get("/tasks").raise_for_status())
    session.measure("GET /api/tasks", 200, lambda: session.http.get("/api/tasks").raise_for_status())
    session.measure("a task applied and waited for", 50, lambda: apply(session, "add", 1, 1))


def pages(session: Session) -> None:
    """The pages that people look at, and what they load."""
    until("the worker's row", lambda: WORKER in session.http.get("/workers").text)
    page = session.get("/workers").text
    found = sorted({*re.findall(r'(?:src|href)="(/static/[^"?]+)', page)})
    session.expect("scripts and styles", len(found) > 4, True)
    session.note("sizes", [(name, len(session.get(name).content)) for name in found])
    for path in ("/tasks", "/broker", f"/worker/{WORKER}"):
        session.get(path)
    session.get("/nothing", 404)
    session.get("/task/nothing", 404)


def apply(session: Session, name: str, *arguments: int) -> Any:
    """Run a task through the API; what became of it."""
    response = session.http.post(f"/api/task/apply/flower_tasks.{name}", json={"args": arguments})
    response.raise_for_status()
    return response.json()


def tasks(session: Session) -> None:
    """Tasks that end well and badly; both are seen later in lists and on pages of their own."""
    done = apply(session, "add", 40, 2)
    session.expect("add", (done["state"], done["result"]), ("SUCCESS", 42))
    failed = apply(session, "fail")
    session.expect("fail", failed["state"], "FAILURE")
    sent = session.http.post("/api/task/async-apply/flower_tasks.add", json={"args": [2, 3]}).json()
    result = until("the result", lambda: ended(session, f"/api/task/result/{sent['task-id']}"))
    session.expect("async-apply", result["result"], 5)
    session.expect("unknown task", session.http.post("/api/task/apply/nothing", json={}).status_code, 404)
    session.expect("no JSON", session.http.post("/api/task/apply/flower_tasks.add", content=b"{").status_code, 400)
    info = until("the event", lambda: ended(session, f"/api/task/info/{failed['task-id']}"))
    session.expect("exception", "it always fails" in info["exception"], True)
    page = session.http.get(f"/task/{done['task-id']}").text
    session.expect("the task's page", (done["task-id"] in page, "flower_tasks.add" in page), (True, True))
    names = until("three tasks", lambda: listed(session, 3))
    session.expect("list", sorted(names), ["flower_tasks.add", "flower_tasks.add", "flower_tasks.fail"])
    table = {"draw": "1", "start": "0", "length": "10", "search[value]": "", "columns[0][data]": "name"}
    order = {"order[0][column]": "0", "order[0][dir]": "asc"}
    rows = session.http.get("/tasks/datatable", params=table | order).json()
    session.expect("rows of the table", [row["name"] for row in rows["data"]], sorted(names))


def ended(session: Session, path: str) -> Any:
    """What is told of a task, once it has ended."""
    response = session.http.get(path)
    return response.status_code == 200 and response.json().get("state") in ("SUCCESS", "FAILURE") and response.json()


def listed(session: Session, count: int) -> list[str]:
    """The names of all tasks that have ended, once there are so many."""
    found = session.http.get("/api/tasks").json().values()
    names = [task["name"] for task in found if task["state"] in ("SUCCESS", "FAILURE")]
    return names if len(names) == count else []


def metrics(session: Session) -> None:
    """What Prometheus would read, from the Prometheus client in a handler of Tornado's."""
    figures = sorted(FIGURES.findall(session.get("/metrics").text))
    session.expect("figures", figures, [("add", "succeeded", "2.0"), ("fail", "failed", "1.0")])


PROGRAM = Program(
    name="flower",
    packages=("flower", "celery"),
    arguments=lambda place: [
        *("-m", "celery", "-A", "flower_tasks", "flower", f"--port={place.port}", "--address=127.0.0.1"),
        f"--basic-auth={':'.join(AUTH)}",
    ],
    drive=drive,
    surroundings=surroundings,
)
