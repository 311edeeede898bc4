"""The FastAPI application that uvicorn serves."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

app = FastAPI()


@app.get("/", response_class=PlainTextResponse)
async def hello() -> str:
    """Answers the 13 bytes."""
    return "Hello, world!"


@app.get("/json")
async def json() -> dict[str, str]:
    """A dict, written as JSON."""
    return {"message": "Hello, world!"}
