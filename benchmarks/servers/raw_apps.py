"""The least that a WSGI, RSGI or ASGI application can do: fixed bytes, no framework."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

BODY = b"Hello, world!"
START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"13")],
}
END = {"type": "http.response.body", "body": BODY, "more_body": False}


def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """WSGI."""
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", "13")])
    return [BODY]


async def rsgi(scope: Any, protocol: Any) -> None:
    """Granian's own RSGI."""
    protocol.response_bytes(
        200, [("content-type", "text/plain; charset=utf-8"), ("content-length", "13")], BODY
    )


async def asgi(scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
    """ASGI; a lifespan is declined by the exception that the specification asks for."""
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    await send(START)
    await send(END)
