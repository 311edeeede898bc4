"""What a handler answers: status, header fields, body, and the moment when they leave.

What is written is kept until :meth:`OutputMixin.flush` or :meth:`OutputMixin.finish`, so that a response which
fits in memory leaves whole: with its length, with an ``ETag``, in one write.
"""

from __future__ import annotations

import datetime
import numbers
import urllib.parse
from typing import TYPE_CHECKING, Any

from gustnado.errors import HTTPOutputError, UsageError
from gustnado.escape import json_encode_bytes, to_unicode, utf8
from gustnado.http.dates import format_timestamp
from gustnado.http.h1.writer import REASONS, check_reason, is_reason
from gustnado.http.headers import headers_of
from gustnado.http.messages import ResponseStartLine
from gustnado.web.handler.caching import give_etag
from gustnado.web.handler.callbacks import deliver_flush
from gustnado.web.handler.state import HandlerState

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Callable

    from gustnado.events.stream import IOStream

__all__ = ["OutputMixin"]

_DEFAULT_FIELDS: dict[str, str | list[str]] = {
    "Server": "Gustnado",
    "Content-Type": "text/html; charset=UTF-8",
}
_WITH_ETAG = frozenset(("GET", "HEAD"))
_JSON_TYPE = "application/json; charset=UTF-8"
# What describes a body that is not sent with a 304 (RFC 9110 section 15.4.5).
_REPRESENTATION = ("Content-Encoding", "Content-Language", "Content-Length", "Content-MD5",
                   "Content-Range", "Content-Type", "Last-Modified")  # fmt: skip


def _is_harmless(reason: str) -> bool:
    """Whether a reason phrase can stand in a status line, and in a page that does not escape it."""
    return reason != "" and "<" not in reason and is_reason(reason)


class OutputMixin(HandlerState):
    """Status, header fields and body of the response."""

    encodes_locations = True
    """Whether :meth:`redirect` percent-encodes what is not ASCII. Otherwise it is sent as UTF-8."""
    refuses_reasons = True
    """Whether a reason phrase that would break the status line is an error. Otherwise it is replaced by ``Unknown``, as
    is one with a ``<`` in it."""
    _flush_is_overridden = False  # set for each handler class

    def clear(self) -> None:
        """Start the response anew: default header fields, status 200, nothing written."""
        self._headers = headers_of(_DEFAULT_FIELDS.copy())
        self._write_buffer = []
        self.set_default_headers()
        self._status_code = 200
        self._reason = "OK"

    def set_default_headers(self) -> None:
        """Override to set header fields at the start of each response; errors get them, too."""

    def set_status(self, status_code: int, reason: str | None = None) -> None:
        """Set the status of the response.

        :param reason: the reason phrase; ``None`` is the usual one of the status.
        :raises ValueError: where ``reason`` would break the status line; see :attr:`refuses_reasons`.
        """
        self._status_code = status_code
        if reason is None:
            self._reason = REASONS.get(status_code, "Unknown")
        elif self.refuses_reasons:
            check_reason(reason)
            self._reason = reason
        else:
            self._reason = reason if _is_harmless(reason) else "Unknown"

    def get_status(self) -> int:
        """The status of the response."""
        return self._status_code

    def set_header(self, name: str, value: str | bytes | int | numbers.Integral | datetime.datetime) -> None:
        """Set a header field, in place of what it had. A ``datetime`` is written as HTTP writes dates.

        :raises ValueError: where name or value may not stand in a header (RFC 9110 section 5).
        :raises TypeError: where the value is of none of these types.
        """
        self._headers[name] = value if type(value) is str else self._convert_header_value(value)

    def add_header(self, name: str, value: str | bytes | int | numbers.Integral | datetime.datetime) -> None:
        """Add a value to a header field; otherwise as :meth:`set_header`."""
        self._headers.add(name, self._convert_header_value(value))

    def clear_header(self, name: str) -> None:
        """Undo :meth:`set_header`; values of :meth:`add_header` go, too."""
        if name in self._headers:
            del self._headers[name]

    def _convert_header_value(self, value: object) -> str:
        if isinstance(value, str):
            return value
        if isinstance(value, bytes):
            return value.decode("latin-1")
        if isinstance(value, numbers.Integral):
            return str(value)
        if isinstance(value, datetime.datetime):
            return format_timestamp(value)
        raise TypeError(
            f"a header value is str, bytes, int or datetime, not {type(value).__name__}: {value!r}"
        )

    def write(self, chunk: str | bytes | dict[Any, Any]) -> None:
        """Add to the body. A ``dict`` is written as JSON, and makes that the content type.

        The setting ``json_encoder`` is a function that makes JSON (text or UTF-8) of a value, in place of
        :func:`~gustnado.escape.json_encode`.

        A list is refused: as the whole of a JSON body it was readable by other sites in older browsers.
        Return it from the method instead, wrap it in a dict, or write ``json_encode(items)`` and set the
        content type yourself.

        :raises RuntimeError: after :meth:`finish`.
        :raises TypeError: for other types.
        """
        if self._finished:
            raise RuntimeError("Cannot write() after finish()")
        if type(chunk) is str:
            self._write_buffer.append(chunk.encode())
        elif type(chunk) is bytes:
            self._write_buffer.append(chunk)
        elif isinstance(chunk, dict):
            self._write_json(chunk)
        elif isinstance(chunk, (str, bytes)):
            self._write_buffer.append(bytes(utf8(chunk)))
        else:
            message = "write() only accepts bytes, unicode, and dict objects"
            if isinstance(chunk, list):
                message += (
                    ". Lists not accepted for security reasons; see the documentation of RequestHandler.write"
                )
            raise TypeError(message)

    def _write_json(self, value: Any) -> None:
        encoder = self.application.settings.get("json_encoder")
        self._write_buffer.append(json_encode_bytes(value) if encoder is None else bytes(utf8(encoder(value))))
        self._headers._fields["Content-Type"] = _JSON_TYPE

    def flush(self, include_footers: bool = False, callback: Callable[[], object] | None = None) -> Future[None]:
        """Send what has been written so far; the first time with the head.

        :param include_footers: this is the end of the body: for output transforms.
        :param callback: called without arguments when it has been written; not where that fails.
        :returns: a future to await, so that a slow client slows down its handler.
        """
        chunk = b"".join(self._write_buffer)
        self._write_buffer = []
        connection = self.request.connection
        if not self._headers_written:
            for transform in self._transforms or ():
                status, self._headers, chunk = transform.transform_first_chunk(
                    self._status_code, self._headers, chunk, include_footers
                )
                if status != self._status_code:
                    self.set_status(status)
            self._headers_written = True
            self._add_cookies()
            if self.request.method == "HEAD":
                chunk = b""
            start_line = ResponseStartLine("", self._status_code, self._reason)
            future: Future[None] = connection.write_headers(start_line, self._headers, chunk)
            return future if callback is None else deliver_flush(future, callback)
        for transform in self._transforms or ():
            chunk = transform.transform_chunk(chunk, include_footers)
        if self.request.method == "HEAD":
            chunk = b""
        written: Future[None] = connection.write(chunk)
        return written if callback is None else deliver_flush(written, callback)

    def _add_cookies(self) -> None:
        if self._new_cookie is not None:
            for cookie in self._new_cookie.values():
                self._headers.add("Set-Cookie", cookie)
        if self._cookies_count:
            vary = self._headers.get("Vary", "")
            names = [name.strip().lower() for name in vary.split(",")]
            if "cookie" not in names and "*" not in names:
                self._headers["Vary"] = f"{vary}, Cookie" if vary else "Cookie"

    def finish(self, chunk: str | bytes | dict[Any, Any] | None = None) -> Future[None]:
        """End the response.

        :param chunk: written first, as by :meth:`write`.
        :returns: a future to await where it matters that the client's system took all of it.
        :raises RuntimeError: the second time.
        """
        if self._finished:
            raise RuntimeError("finish() called twice")
        if chunk is not None:
            self.write(chunk)
        if self._headers_written:
            future = self._flush_and_finish()
        else:
            whole = self._transforms is None and not self._flush_is_overridden
            _complete_head(self, whole)
            future = _send_whole(self) if whole else self._flush_and_finish()
        self._finished = True
        self._ended()
        return future

    def _finish_whole(self) -> None:
        """End a response of which nothing has been sent, and whose head is complete but for its length."""
        _send_whole(self)
        self._finished = True
        self._ended()

    def _flush_and_finish(self) -> Future[None]:
        future = self.flush(include_footers=True)
        self.request.connection.finish()
        return future

    def add_trailer(self, name: str, value: str) -> None:
        """Add a trailer field: one that is known only after the body, such as a checksum of it.

        To be called between :meth:`flush` and :meth:`finish`; what was flushed first goes in chunks, which trailers
        need. It is left out for clients of HTTP/1.0. A ``Trailer`` header field may announce it.

        :raises gustnado.errors.UsageError: before the head was sent.
        :raises gustnado.errors.HTTPOutputError: for fields that may not come as trailers (RFC 9110 section 6.5.1).
        """
        if not self._headers_written:
            raise UsageError("add_trailer() comes after flush(): a body that is sent at once has no trailers")
        self.request.connection.add_trailer(name, value)

    def send_early_hints(self, *links: str) -> None:
        """Tell the client what the response will need, while it is still being made: ``103`` (RFC 8297).

        ::

            self.send_early_hints("</style.css>; rel=preload; as=style")

        :param links: values of ``Link`` fields.
        :raises gustnado.errors.HTTPOutputError: after the head was sent.
        """
        hints = headers_of({})
        for link in links:
            hints.add("Link", link)
        self.request.connection.write_informational(103, hints)

    def redirect(self, url: str, permanent: bool = False, status: int | None = None) -> None:
        """Send the client to ``url``, which may be relative, and finish.

        :param permanent: 301 instead of 302.
        :param status: a status between 300 and 399 instead of both.
        :raises gustnado.errors.UsageError: after the head has been sent.
        :raises ValueError: where ``status`` is not a redirection's, or ``url`` holds control characters.
        """
        if self._headers_written:
            raise UsageError("Cannot redirect after headers have been written")
        if status is None:
            status = 301 if permanent else 302
        elif not (isinstance(status, int) and 300 <= status <= 399):
            raise ValueError(f"{status!r} is not the status of a redirection: 300 to 399")
        self.set_status(status)
        self.set_header("Location", _location(url) if self.encodes_locations else utf8(url))
        self.finish()

    def _clear_representation_headers(self) -> None:
        """Drop the fields that describe a body; programs for Tornado override it under this name."""
        for name in _REPRESENTATION:
            self._headers._fields.pop(name, None)

    def detach(self) -> IOStream:
        """Take the stream for another protocol, as after an upgrade; the handler is finished then."""
        self._finished = True
        stream: IOStream = self.request.connection.detach()
        return stream


def _complete_head(handler: OutputMixin, whole: bool) -> None:
    """Set the header fields that can be told now that all of the body is known.

    :param whole: the connection gets the response whole, so that the length can be left to it.
    """
    status = handler._status_code
    request = handler.request
    if status == 200 and request.method in _WITH_ETAG:
        if "Etag" not in handler._headers._fields:
            give_etag(handler)  # type: ignore[arg-type]
        if "If-None-Match" in request.headers._fields and handler.check_etag_header():
            handler._write_buffer = []
            handler.set_status(304)
            status = 304
    if status == 204 or status == 304 or 100 <= status < 200:
        if handler._write_buffer:
            raise RuntimeError(f"Cannot send body with {status}")
        handler._clear_representation_headers()
    elif not whole and "Content-Length" not in handler._headers._fields:
        handler._headers._fields["Content-Length"] = str(sum([len(part) for part in handler._write_buffer]))


def _send_whole(handler: OutputMixin) -> Future[None]:
    """Send a response of which nothing has been sent yet."""
    if handler._new_cookie is not None or handler._cookies_count:
        handler._add_cookies()
    buffer = handler._write_buffer
    body = buffer[0] if len(buffer) == 1 else b"".join(buffer)
    handler._write_buffer = []
    connection = handler.request.connection
    try:
        written: Future[None] = connection.write_response(
            handler._status_code, handler._reason, handler._headers, body
        )
    except HTTPOutputError:
        handler._headers_written = getattr(connection, "head_written", False)
        raise
    handler._headers_written = True  # where that raised, there can still be an error page
    return written


def _location(url: str | bytes) -> str:
    """A URL as a ``Location`` field holds it: what is not ASCII percent-encoded, the rest as it is."""
    text = to_unicode(url)
    return text if text.isascii() else urllib.parse.quote(text, safe="!#$%&'()*+,/:;=?@[]~")
