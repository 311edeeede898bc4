"""The BlackSheep application that uvicorn serves."""

from __future__ import annotations

from typing import Any

from blacksheep import Application, Response, json, text

app = Application()


@app.router.get("/")
async def hello(request: Any) -> Response:
    """Answers the 13 bytes."""
    return text("Hello, world!")


@app.router.get("/json")
async def message(request: Any) -> Response:
    """A dict, written as JSON."""
    return json({"message": "Hello, world!"})
