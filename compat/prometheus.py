"""The Prometheus client: its figures from a handler of Tornado's, and its WSGI application in Tornado's container.

It ships no handler for Tornado: its own answers are for WSGI, ASGI, aiohttp, Twisted and ``http.server``.
"""

from __future__ import annotations

import re

from compat.environments import APPS
from compat.program import Program
from compat.session import Session

__all__ = ["PROGRAM"]

OPEN_METRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}


def drive(session: Session) -> None:
    """Count, and read what was counted, in both formats."""
    for path, body in (("a", b"x"), ("a", b"x" * 50), ('\xe9 "b"', b"x" * 500)):
        session.http.post(f"/count/{path}", content=body).raise_for_status()
    session.get("/handler/none", 404)
    for path in ("/handler", "/metrics"):
        text = session.get(path).text
        session.expect(f"{path}: counted", figures(text), {"a": "2.0", '\xe9 \\"b\\"': "1.0"})
        session.note(f"{path}: text", without_times(text))
        session.note(f"{path}: in the newer format", without_times(session.http.get(path, headers=OPEN_METRICS).text))
        session.note(f"{path}: type", session.http.get(path, headers=OPEN_METRICS).headers["Content-Type"])
    session.expect("one", figures(session.http.get("/metrics?name[]=asked_total").text)["a"], "2.0")
    session.note("POST", session.http.post("/metrics").status_code)
    session.measure("GET /handler", 300, lambda: session.http.get("/handler").raise_for_status())
    session.measure("GET /metrics", 300, lambda: session.http.get("/metrics").raise_for_status())


def figures(text: str) -> dict[str, str]:
    """What was counted for each path."""
    return dict(re.findall(r'asked_total\{path="((?:[^"\\]|\\.)*)"\} (\S+)', text))


def without_times(text: str) -> list[str]:
    """The lines, but for those that tell when something was created."""
    return [line for line in text.splitlines() if "_created" not in line]


PROGRAM = Program(
    name="prometheus",
    packages=("prometheus_client",),
    arguments=lambda place: [str(APPS / "prometheus_app.py"), str(place.port)],
    drive=drive,
)
