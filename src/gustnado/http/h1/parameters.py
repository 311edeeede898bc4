"""How an HTTP/1 connection is to behave, in one object that many connections share."""

from __future__ import annotations

import dataclasses
from typing import Any

from gustnado.http.limits import Limits

__all__ = ["HTTP1ConnectionParameters"]


class HTTP1ConnectionParameters:
    """How a connection is to behave, by Tornado's names; what is ``None`` is as ``limits`` say.

    :param no_keep_alive: answer one request and close.
    :param chunk_size: the most bytes in one :meth:`HTTPMessageDelegate.data_received`.
    :param max_header_size: bytes of a head. Given here, it is also the least bound of each of its lines.
    :param header_timeout: seconds for a head to arrive; also how long an idle connection is kept.
    :param max_body_size: bytes of a body. Given here, it bounds streamed bodies too.
    :param body_timeout: seconds without a byte of a body.
    :param decompress: decode bodies with a ``Content-Encoding``; see :mod:`gustnado.http.message_decoding`.
    :param like_tornado: on the wire as Tornado 6.6 is: what is refused gets a bare 400, or is closed without an
        answer where it was too slow or its head too large; all lines of a head may end with LF alone, which
        RFC 9112 section 2.2 allows to take; a body in HTTP/1.0 may be chunked, and the connection closes after it;
        to HTTP/1.0 ``Connection: close`` is not said, which is what it expects anyhow; a program may set
        ``Transfer-Encoding`` and frame the body itself; a response that does not keep its ``Content-Length``
        closes the connection, in place of an error page; and so does a client that sends no more, in place of
        getting its response.
    :param limits: everything else; see :class:`~gustnado.http.limits.Limits`.
    """

    __slots__ = ("chunk_size", "decompress", "given", "like_tornado", "limits", "no_keep_alive")

    def __init__(
        self,
        no_keep_alive: bool = False,
        chunk_size: int | None = None,
        max_header_size: int | None = None,
        header_timeout: float | None = None,
        max_body_size: int | None = None,
        body_timeout: float | None = None,
        decompress: bool = False,
        *,
        like_tornado: bool = False,
        limits: Limits | None = None,
    ) -> None:
        given: dict[str, Any] = {
            "max_header_size": max_header_size,
            "header_timeout": header_timeout,
            "idle_timeout": header_timeout,
            "max_body_size": max_body_size,
            "body_timeout": body_timeout,
        }
        changes = {name: value for name, value in given.items() if value is not None}
        self.given = frozenset(changes)
        limits = limits or Limits()
        if max_header_size is not None:
            lines = ("max_request_line", "max_field_size")
            changes |= {name: max(getattr(limits, name), max_header_size) for name in lines}
        self.limits = dataclasses.replace(limits, **changes)
        self.no_keep_alive = no_keep_alive
        self.chunk_size = chunk_size or 65536
        self.decompress = decompress
        self.like_tornado = like_tornado

    @property
    def explicit_max_body_size(self) -> bool:
        """Whether ``max_body_size`` was given."""
        return "max_body_size" in self.given

    @property
    def max_header_size(self) -> int:
        """Bytes of a head: ``limits.max_header_size``."""
        return self.limits.max_header_size

    @property
    def header_timeout(self) -> float:
        """Seconds for a head to arrive: ``limits.header_timeout``."""
        return self.limits.header_timeout

    @property
    def max_body_size(self) -> int:
        """Bytes of a body: ``limits.max_body_size``."""
        return self.limits.max_body_size

    @property
    def body_timeout(self) -> float:
        """Seconds without a byte of a body: ``limits.body_timeout``."""
        return self.limits.body_timeout
