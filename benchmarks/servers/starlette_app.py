"""The Starlette application that uvicorn and Granian serve."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route


async def hello(request: Request) -> PlainTextResponse:
    """Answers the 13 bytes."""
    return PlainTextResponse("Hello, world!")


async def json(request: Request) -> JSONResponse:
    """A dict, written as JSON."""
    return JSONResponse({"message": "Hello, world!"})


app = Starlette(routes=[Route("/", hello), Route("/json", json)])
