"""What can go wrong with a WebSocket, by whose fault it is.

::

    WebSocketError
    |-- WebSocketClosedError      it is closed, or closing, so nothing can be sent (an ``OperationError``)
    |-- WebSocketProtocolError    the peer broke the protocol, or a limit (a ``ProtocolError``)
    `-- WebSocketHandshakeError   the two could not agree to speak it (a ``ProtocolError``)

>>> WebSocketProtocolError("a text that is not UTF-8", CloseCode.INVALID_DATA).close_code
<CloseCode.INVALID_DATA: 1007>
"""

from __future__ import annotations

from gustnado.errors import GustnadoError, OperationError, ProtocolError
from gustnado.http.ws.codes import CloseCode

__all__ = ["WebSocketClosedError", "WebSocketError", "WebSocketHandshakeError", "WebSocketProtocolError"]


class WebSocketError(GustnadoError):
    """The root of all errors of WebSockets."""


class WebSocketClosedError(WebSocketError, OperationError):
    """The connection is closed, or closing: nothing more can be sent on it."""


class WebSocketProtocolError(WebSocketError, ProtocolError):
    """The peer sent what RFC 6455 or RFC 7692 does not allow, or more than a limit does.

    :param close_code: what tells it so.
    """

    def __init__(self, message: str, close_code: int = CloseCode.PROTOCOL_ERROR) -> None:
        super().__init__(message)
        self.close_code = close_code


class WebSocketHandshakeError(WebSocketError, ProtocolError):
    """A request, or its response, is no handshake (RFC 6455 section 4).

    ``status`` is that of the response which refuses a request: 400, 403, 405 or 426.
    """
