"""Answers requests without a socket, and prints what that cost.

Usage: ``route_requests.py ROUTES KIND SECONDS``. An application of so many routes gets requests for the last of them;
``KIND`` says how the routes are written: one of ``KINDS``.
Prints the number of requests and the CPU time of this process for all of them in nanoseconds. Each request goes the
way of one that has been parsed: a delegate, the route, a handler, and a response that is given to the connection.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

from gustnado.http.delegates import HTTPConnection
from gustnado.http.headers import HTTPHeaders
from gustnado.log import access_log
from gustnado.web import Application, RequestHandler

KINDS = {
    "literal": ("/item{}/list", "/item{}/list"),
    "pattern": ("/item{}/([0-9]+)", "/item{}/17"),
    "named": ("/item{}/(?P<number>[0-9]+)", "/item{}/17"),
}
"""Kind -> how a route is written, and how a path of it looks."""
WARM_UP = 0.3
"""Seconds."""
ROUND = 500
"""Requests between two looks at the clock."""


class Plain(RequestHandler):
    def get(self, number: str = "17") -> None:
        self.write("item " + number)


class Sink(HTTPConnection):
    """A connection that counts what it is given."""

    stream = context = None

    def __init__(self, done: asyncio.Future[None]) -> None:
        self.done = done
        self.count = 0

    def write_response(self, code: int, reason: str, headers: HTTPHeaders, body: bytes) -> asyncio.Future[None]:
        if code != 200 or body != b"item 17":
            sys.exit(f"answered by {code} and {body!r}")
        self.count += 1
        return self.done


def answer_for(seconds: float, application: Application, path: str, sink: Sink) -> None:
    """Answer requests for that time."""
    connection: Any = sink
    headers = HTTPHeaders({"Host": "localhost"})
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for _ in range(ROUND):
            delegate = application.start_request(None, connection)
            delegate.head_received("GET", path, "HTTP/1.1", headers)
            delegate.finish()


async def main(routes: int, kind: str, seconds: float) -> None:
    """Warms up, measures, prints."""
    access_log.disabled = True
    pattern, path = KINDS[kind]
    application = Application([(pattern.format(number), Plain) for number in range(routes)])
    done = asyncio.get_running_loop().create_future()
    done.set_result(None)
    path = path.format(routes - 1)
    answer_for(WARM_UP, application, path, Sink(done))
    sink = Sink(done)
    before = time.process_time_ns()
    answer_for(seconds, application, path, sink)
    print(sink.count, time.process_time_ns() - before)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], float(sys.argv[3])))
