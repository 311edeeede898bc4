"""The answer of a WSGI application: ``start_response``, its ``write``, and what they put on the connection."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeAlias

from gustnado.errors import HTTPOutputError, UsageError
from gustnado.http.headers import HTTPHeaders
from gustnado.http.messages import ResponseStartLine

if TYPE_CHECKING:
    from gustnado.http.messages import HTTPServerRequest

__all__ = ["ResponseWriter", "WSGIError"]

ExcInfo: TypeAlias = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]

_STATUS = re.compile(r"([1-9][0-9][0-9])(?: (.*))?", re.DOTALL)
# The server's own affair, by PEP 3333 ("Other HTTP Features").
_HOP_BY_HOP = frozenset(
    "connection keep-alive proxy-authenticate proxy-authorization te trailer transfer-encoding upgrade".split()
)
_NO_BODY = (204, 304)


class WSGIError(UsageError):
    """A WSGI application does what PEP 3333 does not allow."""


class ResponseWriter:
    """Writes the answer to one request.

    Everything but ``start_response`` and what it returns is to be called on the loop's thread.

    :param request: what is answered.
    :param loop: the loop of its connection.
    :param is_threaded: whether the application runs in another thread than the loop.
    """

    def __init__(
        self, request: HTTPServerRequest, loop: asyncio.AbstractEventLoop, is_threaded: bool
    ) -> None:
        self._request = request
        self._loop = loop
        self._is_threaded = is_threaded
        self._status = ""
        self._headers: Sequence[tuple[str, str]] | None = None
        self._head_sent = False
        self.status = 500
        """The status code, for the log."""

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None, /
    ) -> Callable[[bytes], object]:
        """What the application is called with.

        :raises WSGIError: where it has been called before and there is no ``exc_info``.
        """
        if exc_info is not None:
            error = exc_info[1]
            if self._head_sent and error is not None:
                raise error.with_traceback(exc_info[2])
        elif self._headers is not None:
            raise WSGIError("start_response() was called a second time, without exc_info")
        self._status, self._headers = status, headers
        return self._write_now

    def _write_now(self, piece: bytes) -> None:
        """The old way of writing: the piece is on its way when this returns."""
        if not self._is_threaded:
            self._send(piece)
            return
        asyncio.run_coroutine_threadsafe(self.write_piece(piece), self._loop).result()

    async def write_piece(self, piece: bytes) -> None:
        """Send a piece of the body; waits while the client is slow."""
        future = self._send(piece)
        if future is not None:
            await future

    async def write_whole(self, pieces: Iterable[bytes]) -> None:
        """Send a body that is there whole."""
        body = b"".join(map(_checked, pieces))
        if self._head_sent:
            await self.write_piece(body)
            await self.finish()
            return
        self._send_head(body, len(body))
        self._request.connection.finish()

    async def finish(self) -> None:
        """End the answer."""
        if not self._head_sent:
            self._send_head(b"", 0)
        self._request.connection.finish()

    def fail(self) -> None:
        """End the answer after an exception."""
        connection = self._request.connection
        if self._head_sent:
            connection.close()
            return
        self.status = 500
        headers = HTTPHeaders({"Content-Type": "text/plain; charset=UTF-8"})
        body = b"" if self._request.method == "HEAD" else b"Internal Server Error\n"
        try:
            connection.write_headers(ResponseStartLine("", 500, "Internal Server Error"), headers, body)
            connection.finish()
        except HTTPOutputError:  # a head had been begun, and could not be framed
            connection.close()

    def _send(self, piece: bytes) -> asyncio.Future[None] | None:
        if not _checked(piece):
            return None
        if not self._head_sent:
            return self._send_head(piece, None)
        if self._has_no_body():
            return None
        future: asyncio.Future[None] = self._request.connection.write(piece)
        return future

    def _has_no_body(self) -> bool:
        return self._request.method == "HEAD" or self.status in _NO_BODY

    def _send_head(self, piece: bytes, length: int | None) -> asyncio.Future[None]:
        """Send the head and ``piece``.

        :param length: of the body, where it is known.
        """
        if self._headers is None:
            raise WSGIError("the application has not called start_response()")
        code, reason = _parse_status(self._status)
        headers = _parse_headers(self._headers)
        is_head = self._request.method == "HEAD"
        if length is not None and code not in _NO_BODY and (length or not is_head):
            announced = headers.setdefault("Content-Length", str(length))
            if announced != str(length) and not is_head:
                raise WSGIError(f"the application announced {announced} bytes, and its body has {length}")
        if code not in _NO_BODY and "Content-Type" not in headers:
            headers["Content-Type"] = "text/html; charset=UTF-8"
        if "Server" not in headers:
            headers["Server"] = "Gustnado"
        self.status = code
        chunk = b"" if self._has_no_body() else piece
        future: asyncio.Future[None] = self._request.connection.write_headers(
            ResponseStartLine("", code, reason), headers, chunk
        )
        self._head_sent = True
        return future


def _checked(piece: Any) -> bytes:
    if not isinstance(piece, bytes):
        raise WSGIError(f"a WSGI application's body is of bytes, not of {type(piece).__name__}")
    return piece


def _parse_status(status: Any) -> tuple[int, str]:
    match = _STATUS.fullmatch(status) if isinstance(status, str) else None
    if match is None:
        raise WSGIError(f"start_response() was called with the status {status!r:.80}; one like '200 OK' is wanted")
    return int(match[1]), match[2] or ""


def _parse_headers(fields: Iterable[tuple[str, str]]) -> HTTPHeaders:
    headers = HTTPHeaders()
    for name, value in fields:
        if not isinstance(name, str) or not isinstance(value, str):
            raise WSGIError(f"names and values of header fields are strings, not {name!r:.80}: {value!r:.80}")
        if name.lower() in _HOP_BY_HOP:
            raise WSGIError(f"the header field {name} is between the server and the client, not the application's")
        headers.add(name, value)
    return headers
