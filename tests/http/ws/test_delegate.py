"""Tests for gustnado.http.ws.delegate."""

from __future__ import annotations

import pytest

from gustnado.http.ws.client import WebSocketClientConnection
from gustnado.http.ws.delegate import WebSocketDelegate
from gustnado.web.websocket import WebSocketHandler


@pytest.mark.parametrize("kind", [WebSocketClientConnection, WebSocketHandler])
def test_both_ends_keep_the_contract(kind):
    names = {name for name in vars(WebSocketDelegate) if not name.startswith("_")}
    assert names == {"on_message", "on_ping", "on_pong", "on_ws_connection_close", "log_exception"}
    assert not [name for name in names if not callable(getattr(kind, name, None))]
