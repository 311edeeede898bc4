"""Bounds of one request's body."""

from __future__ import annotations

import types
from typing import Any

from gustnado.http.body_limits import BodyLimits
from gustnado.http.limits import Limits


class Connection:
    def __init__(self) -> None:
        self.calls: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        return lambda value: self.calls.update({name: value})


def test_they_win_over_those_of_the_server() -> None:
    server = Limits(max_parts=7, max_form_fields=8)
    assert BodyLimits(max_parts=9).limits_of(server) == Limits(max_parts=9, max_form_fields=8)
    assert BodyLimits().limits_of(server) == server


def test_the_connection_is_told() -> None:
    request: Any = types.SimpleNamespace(connection=Connection(), limits=Limits())
    BodyLimits(max_body_size=1, body_timeout=2.0, min_body_rate=3.0, max_body_time=5.0, max_parts=4).apply(request)
    assert request.connection.calls == {
        "set_max_body_size": 1, "set_body_timeout": 2.0, "set_min_body_rate": 3.0, "set_max_body_time": 5.0
    }  # fmt: skip
    assert request.limits.max_parts == 4
    quiet: Any = types.SimpleNamespace(connection=Connection(), limits=Limits())
    BodyLimits(max_parts=4).apply(quiet)
    assert quiet.connection.calls == {}
