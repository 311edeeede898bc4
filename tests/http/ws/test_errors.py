"""Tests for gustnado.http.ws.errors."""

from __future__ import annotations

import pytest

from gustnado import errors
from gustnado.http.ws.errors import (
    WebSocketClosedError,
    WebSocketError,
    WebSocketHandshakeError,
    WebSocketProtocolError,
)


@pytest.mark.parametrize(
    ("kind", "blame"),
    [
        (WebSocketClosedError, errors.OperationError),
        (WebSocketProtocolError, errors.ProtocolError),
        (WebSocketHandshakeError, errors.ProtocolError),
    ],
)
def test_each_is_in_the_tree_by_whose_fault_it_is(kind, blame):
    assert issubclass(kind, blame)
    assert issubclass(kind, WebSocketError)
    assert issubclass(kind, errors.GustnadoError)


def test_a_breach_of_the_protocol_knows_its_close_code():
    assert WebSocketProtocolError("x").close_code == 1002
    assert WebSocketProtocolError("x", 1009).close_code == 1009
    assert str(WebSocketProtocolError("too big", 1009)) == "too big"


def test_a_handshake_that_is_refused_knows_its_status():
    assert WebSocketHandshakeError("x").status == 400
    assert WebSocketHandshakeError("x", status=426).status == 426
