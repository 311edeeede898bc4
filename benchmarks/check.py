"""Is what the server answers right? Looked at before and after each measurement.

``wrk`` counts responses and looks at their status only. So each measurement stands between two checks which
read whole responses on one connection and compare status, body and headers. A figure that fails either is
not a figure.

>>> hello = Expectation(b"Hello, world!")
>>> judge(200, [("Content-Type", "text/plain"), ("Content-Length", "13")], b"Hello, world!", hello)
[]
>>> judge(404, [("Content-Type", "text/plain"), ("Content-Length", "13")], b"Hello, world!", hello)
['status 404 instead of 200']
"""

from __future__ import annotations

import dataclasses
import http.client
import json
import socket
import time
from collections.abc import Mapping, Sequence

__all__ = ["Expectation", "check_response", "judge", "wait_until_served"]

CHECK_TIMEOUT = 10.0
"""Seconds for one response of a check."""


@dataclasses.dataclass(frozen=True)
class Expectation:
    """What a correct response looks like."""

    body: bytes
    """The exact body; for JSON, any spelling of the same value."""
    content_type: str = "text/"
    """How the ``Content-Type`` must begin."""
    headers: tuple[str, ...] = ()
    """Names of further header fields that must be there."""
    chunked: bool = False
    """Whether it comes in chunks, without its length."""


def _same_body(body: bytes, expected: Expectation) -> bool:
    if not expected.content_type.startswith("application/json"):
        return body == expected.body
    try:
        return bool(json.loads(body) == json.loads(expected.body))
    except ValueError:
        return False


def judge(status: int, headers: Sequence[tuple[str, str]], body: bytes, expected: Expectation) -> list[str]:
    """All that is wrong with one response, in words; empty if it is correct."""
    fields = {name.lower(): value for name, value in headers}
    problems = []
    if status != 200:
        problems.append(f"status {status} instead of 200")
    if not _same_body(body, expected):
        problems.append(f"body {body[:60]!r} instead of {expected.body[:60]!r}")
    if not fields.get("content-type", "").lower().startswith(expected.content_type):
        problems.append(f"Content-Type {fields.get('content-type')!r} instead of {expected.content_type!r}")
    length = None if expected.chunked else str(len(body))
    if fields.get("content-length") != length:
        problems.append(f"Content-Length {fields.get('content-length')!r} for {len(body)} bytes")
    problems += [f"no {name} header" for name in expected.headers if name.lower() not in fields]
    return problems


def check_response(
    port: int, path: str, expected: Expectation, *, headers: Mapping[str, str] | None = None
) -> list[str]:
    """Asks twice on one connection and returns all that is wrong with the answers, in words."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=CHECK_TIMEOUT)
    problems: list[str] = []
    try:
        for turn in range(2):
            if turn and connection.sock is None:
                problems.append("the connection was not kept alive")
                break
            connection.request("GET", path, headers=dict(headers or {}))
            response = connection.getresponse()
            body = response.read()
            problems += judge(response.status, response.getheaders(), body, expected)
    except (OSError, http.client.HTTPException) as error:
        problems.append(f"no response: {error!r}")
    finally:
        connection.close()
    return list(dict.fromkeys(problems))


def wait_until_served(port: int, *, seconds: float) -> bool:
    """Whether something accepts connections on ``port`` within that time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return True
    return False
