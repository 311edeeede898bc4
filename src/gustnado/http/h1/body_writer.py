"""Framing the body of one HTTP/1 message (RFC 9112 section 6): pieces in, bytes out. No I/O.

No more and no less of it can leave than its ``Content-Length`` says, and none where none may be.
"""

from __future__ import annotations

import re

from gustnado.errors import HTTPOutputError
from gustnado.http.headers import HeaderMap

__all__ = ["BodyWriter"]

_LENGTH = re.compile(r"[0-9]{1,18}")


class BodyWriter:
    """What the writers of requests and of responses share.

    :ivar keep_alive: the connection can be kept after this message.
    :ivar head_written: the head has been written; there is no way back.
    :ivar ended: the message is complete.
    :ivar body_sent: bytes of the body so far, without its framing.
    """

    __slots__ = ("_chunked", "_is_head", "_left", "_no_body", "body_sent", "ended", "head_written", "keep_alive")

    def __init__(self) -> None:
        self._is_head = False
        self._chunked = False
        self._no_body = False
        self._left = -1  # of the Content-Length; -1 where there is none
        self.body_sent = 0
        self.keep_alive = False
        self.head_written = False
        self.ended = False

    def _restart(self, keep_alive: bool) -> None:
        self._chunked = False
        self._no_body = False
        self._left = -1
        self.body_sent = 0
        self.keep_alive = keep_alive
        self.head_written = False
        self.ended = False

    def _read_length(self, length: str | list[str]) -> int:
        if isinstance(length, list) or _LENGTH.fullmatch(length) is None:
            raise HTTPOutputError(f"malformed Content-Length {length!r}")
        return int(length)

    def data(self, chunk: bytes) -> bytes:
        """A piece of the body, framed.

        :raises gustnado.errors.HTTPOutputError: where the message may not have it.
        """
        size = len(chunk)
        if not self._take(size):
            return b""
        if self._chunked:
            return b"%x\r\n%b\r\n" % (size, chunk) if size else b""
        return chunk

    def frame(self, size: int) -> tuple[bytes, bytes] | None:
        """What comes before and behind a piece of the body that is sent by somebody else; ``None``: it must not be.

        :param size: of the piece, in bytes; more than 0.
        :raises gustnado.errors.HTTPOutputError: as :meth:`data` does.
        """
        if not self._take(size):
            return None
        return (b"%x\r\n" % size, b"\r\n") if self._chunked else (b"", b"")

    def _take(self, size: int) -> bool:
        """Count a piece of the body; false where it is not sent."""
        if not self.head_written or self.ended:
            raise HTTPOutputError("a body is written between head and end of a message")
        if self._no_body:
            if size and not self._is_head:
                raise HTTPOutputError("this message has no body (RFC 9110 section 6.4.1)")
            return False
        if self._left >= 0:
            if size > self._left:
                raise HTTPOutputError("Tried to write more data than Content-Length")
            self._left -= size
        self.body_sent += size
        return True

    def end(self, trailers: HeaderMap | None = None) -> bytes:
        """The end of the message.

        :raises gustnado.errors.HTTPOutputError: where the body is shorter than its ``Content-Length``. The
            connection cannot be used any more then.
        """
        if not self.head_written:
            raise HTTPOutputError("a message ends after its head has been written")
        if self.ended:
            raise HTTPOutputError("this message has ended already")
        self.ended = True
        if self._left > 0 and not self._no_body:
            self.keep_alive = False
            raise HTTPOutputError(f"Tried to write {self._left} bytes less than Content-Length")
        if not self._chunked:
            return b""
        return b"0\r\n\r\n" if trailers is None else b"0\r\n" + trailers.to_wire().encode("latin-1") + b"\r\n"
