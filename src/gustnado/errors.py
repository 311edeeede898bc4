"""Every error that Gustnado raises on purpose, in one tree, ordered by whose fault it is.

::

    GustnadoError
    |-- ProtocolError             the peer broke a protocol; carries the HTTP status that fits
    |   |-- HTTPInputError          what a peer sent is not HTTP, or is over a limit
    |   `-- UnsatisfiableReadError  what a reader waits for can no longer arrive
    |-- UsageError                the program asked for something it must not
    |   `-- HTTPOutputError         it would have put a malformed message on the wire
    `-- OperationError            the world did not cooperate
        |-- StreamClosedError       the connection is gone (also an ``OSError``)
        `-- StreamBufferFullError   a buffer would grow over its limit

Errors that belong to one room only (``web.HTTPError``, ``options.Error``, template ``ParseError``)
are defined there, below one of these roots.

>>> issubclass(StreamClosedError, OSError)
True
>>> HTTPInputError("no colon in header line", status=400).status
400
"""

from __future__ import annotations

__all__ = [
    "GustnadoError",
    "HTTPInputError",
    "HTTPOutputError",
    "OperationError",
    "ProtocolError",
    "StreamBufferFullError",
    "StreamClosedError",
    "UnsatisfiableReadError",
    "UsageError",
]


class GustnadoError(Exception):
    """The root: ``except GustnadoError`` catches what this package raises on purpose."""


class ProtocolError(GustnadoError):
    """The peer sent something that its protocol does not allow.

    :param status: the HTTP status code that answers it best (RFC 9110 section 15).
    """

    status: int

    def __init__(self, *args: object, status: int = 400) -> None:
        super().__init__(*args)
        self.status = status


class HTTPInputError(ProtocolError):
    """A peer's HTTP message is malformed or over a limit.

    The message says what was wrong; it is logged with the peer's address and never sent.
    """


class UnsatisfiableReadError(ProtocolError):
    """A read cannot be fulfilled: ``read_until`` and its kin passed ``max_bytes``."""


class UsageError(GustnadoError):
    """The program called something in a way that its contract does not allow."""


class HTTPOutputError(UsageError):
    """The program would have written a malformed HTTP message (RFC 9112 section 6.3)."""


class OperationError(GustnadoError):
    """The world did not cooperate: a connection, a file, a name, a clock."""


class StreamClosedError(OperationError, OSError):
    """The stream is closed, so it can be neither read nor written.

    :param real_error: the error that closed it, or ``None`` where it was an ordinary close.
    """

    real_error: BaseException | None

    def __init__(self, real_error: BaseException | None = None) -> None:
        super().__init__("Stream is closed")
        self.real_error = real_error


class StreamBufferFullError(OperationError):
    """A buffer would have grown beyond its limit."""
