"""The seam between a WebSocket connection and a program: what the program is told, in which order.

Messages come one at a time: the next one waits until what ``on_message`` returned is done. Pings, pongs and the end
do not wait for that. ``on_ws_connection_close`` comes last, once, after the last message.
"""

from __future__ import annotations

from collections.abc import Awaitable
from types import TracebackType
from typing import Protocol

__all__ = ["WebSocketDelegate"]


class WebSocketDelegate(Protocol):
    """What a connection calls, on the loop."""

    def on_message(self, message: str | bytes) -> Awaitable[None] | None:
        """A message: ``str`` where it is a text, else ``bytes``."""

    def on_ping(self, data: bytes) -> Awaitable[None] | None:
        """A ping, which is answered already."""

    def on_pong(self, data: bytes) -> Awaitable[None] | None:
        """A pong."""

    def on_ws_connection_close(self, close_code: int | None = None, close_reason: str | None = None) -> None:
        """The connection is gone; code and reason are what the peer's close frame said, if there was one."""

    def log_exception(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        """One of these methods raised; the connection closes."""
