"""``tornado.iostream``: streams of bytes over sockets and pipes."""

from __future__ import annotations

from gustnado.errors import StreamBufferFullError, StreamClosedError, UnsatisfiableReadError
from gustnado.events.pipes import PipeIOStream
from gustnado.events.stream import BaseIOStream, IOStream, SSLIOStream

__all__ = [
    "BaseIOStream",
    "IOStream",
    "PipeIOStream",
    "SSLIOStream",
    "StreamBufferFullError",
    "StreamClosedError",
    "UnsatisfiableReadError",
]
