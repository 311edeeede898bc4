"""How a WebSocket connection is to behave: its limits, its pings, and what becomes of a peer that is slow to read.

>>> WebSocketParams(ping_interval=20).ping_timeout is None
True
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from gustnado.errors import UsageError

__all__ = ["DEFAULT_MAX_MESSAGE_SIZE", "SLOW_READER_POLICIES", "ParamsError", "WebSocketParams"]

DEFAULT_MAX_MESSAGE_SIZE = 10 * 1024 * 1024
"""Bytes of a message (Tornado: the same; websockets: 1 MiB, aiohttp: 4 MiB)."""

SLOW_READER_POLICIES = ("wait", "drop", "close")
"""What becomes of a message to a peer that has not read those before."""


class ParamsError(UsageError, ValueError):
    """A setting of a WebSocket has a value that it cannot have."""


@dataclasses.dataclass(slots=True)
class WebSocketParams:
    """Sizes in bytes, times in seconds; ``0`` or ``None`` of a time means never."""

    ping_interval: float | None = None
    """Between two pings that we send; one of over two seconds may come an eighth of a second late."""
    ping_timeout: float | None = None
    """For the answer to each; by default the interval, which is also the most."""
    max_message_size: int = DEFAULT_MAX_MESSAGE_SIZE
    """Of a message of the peer's, fragments together and inflated. Over it: 1009."""
    compression_options: Mapping[str, Any] | None = None
    """See :class:`~gustnado.http.ws.extensions.DeflateOptions`; ``None`` is no compression."""
    max_fragments: int = 1024
    """Of a message, and one more for each 32 bytes of it. Over it: 1008."""
    max_queue: int = 32
    """Messages that wait for the program (aiohttp, websockets: 16 to 32). Then reading pauses."""
    max_queue_size: int = 1024 * 1024
    """Bytes of them, likewise; one message may always wait."""
    write_buffer: int = 1024 * 1024
    """Bytes that wait for the peer before :attr:`slow_reader` counts."""
    max_write_buffer: int = 64 * 1024 * 1024
    """With ``"wait"``: where a program goes on writing without awaiting, the connection closes at this. 1013."""
    slow_reader: str = "wait"
    """What becomes of a message to a peer that does not read: ``"wait"``, the future of the write does; ``"drop"``,
    it is not sent; ``"close"``, the connection closes with 1013."""
    write_timeout: float = 30.0
    """Without progress of what waits for the peer (nginx: 60). Over it: cut."""
    close_timeout: float = 5.0
    """For the peer to answer a close frame, and to close after it (Tornado: 5). Over it: cut."""
    linger_timeout: float = 2.0
    """For a peer that broke the protocol to read the close frame that tells it so. Over it: cut."""

    def __post_init__(self) -> None:
        if self.slow_reader not in SLOW_READER_POLICIES:
            raise ParamsError(f"slow_reader is {self.slow_reader!r}, not one of {', '.join(SLOW_READER_POLICIES)}")
        for name in ("max_message_size", "max_fragments", "max_queue", "write_buffer", "max_write_buffer"):
            if getattr(self, name) <= 0:
                raise ParamsError(f"{name} is {getattr(self, name)!r}, not a number over 0")
