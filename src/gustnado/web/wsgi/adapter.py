"""``WSGIAdapter``: a Gustnado application under any WSGI server (PEP 3333).

A WSGI server calls and wants the whole answer back. So handlers must not wait here: one that does, or leaves the
request open for a callback, gets an error in the log, and its client a 500. Such an application is served by
``listen()``, or by an ASGI server. Cookies, templates, arguments, uploads, error pages and static files are as ever;
the body of a request, and that of a response, are in memory, but for files, which are read as the server sends them.

Nothing here needs an event loop or makes one: a greenlet or a thread of the WSGI server is enough.
"""

from __future__ import annotations

import concurrent.futures
import io
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from gustnado.errors import HTTPInputError
from gustnado.http.delegates import HTTPConnection, HTTPMessageDelegate
from gustnado.http.headers import HTTPHeaders
from gustnado.http.limits import Limits
from gustnado.http.messages import HTTPServerRequest, RequestStartLine
from gustnado.log import app_log, gen_log
from gustnado.web.application import Application
from gustnado.web.handler.files import read_piece
from gustnado.web.routing import Router
from gustnado.web.wsgi.environ import headers_of_environ, target_of

if TYPE_CHECKING:
    from asyncio import Future
    from wsgiref.types import StartResponse

    from gustnado.http.messages import ResponseStartLine

__all__ = ["WSGIAdapter", "WSGIApplication"]

_AWAITS = (
    "%s %s: %s is a generator that waits for futures, and under WSGI nothing can be waited for: serve the application "
    "with listen(), or by an ASGI server, or make it a method that does not wait"
)
_UNFINISHED = (
    "%s %s: the handler has returned without finishing its response. Under WSGI nothing runs after that: "
    "serve an application that waits for something with listen(), or by an ASGI server"
)


class _Server:
    """What stands for the connection of a request: it bears the limits."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits


class _Context:
    """What the WSGI server knows of the client."""

    def __init__(self, environ: Mapping[str, Any]) -> None:
        self.remote_ip = environ.get("REMOTE_ADDR") or "127.0.0.1"
        self.protocol = environ["wsgi.url_scheme"]


class _FilePart:
    """A part of a file, to be read when the server sends it."""

    def __init__(self, file: int, offset: int, count: int) -> None:
        self._file = io.FileIO(os.dup(file), "rb")
        self._offset = offset
        self._left = count

    def close(self) -> None:
        self._file.close()

    def pieces(self) -> Iterator[bytes]:
        """What is left of it.

        :raises gustnado.events.file_sender.FileShrunkError: where the file has become shorter; a server closes the
            connection then.
        """
        while self._left:
            piece = read_piece(self._file, self._offset, self._left)
            self._offset += len(piece)
            self._left -= len(piece)
            yield piece
        self.close()


class _Body:
    """The body of a response that has files in it: an iterable with a ``close``, as PEP 3333 has it."""

    def __init__(self, chunks: list[bytes | _FilePart]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            if isinstance(chunk, bytes):
                yield chunk
            else:
                yield from chunk.pieces()

    def close(self) -> None:
        """Called by the server when it is done, or its client gone."""
        for chunk in self._chunks:
            if not isinstance(chunk, bytes):
                chunk.close()


class _Written(concurrent.futures.Future[None]):
    """What a write returns: a future that is done, of no loop, as there is none. It may be awaited."""

    def __init__(self) -> None:
        super().__init__()
        self.set_result(None)

    def __await__(self) -> Generator[Any, Any, None]:
        return
        yield  # which makes it a generator


class _Connection(HTTPConnection):
    """Keeps the response."""

    may_block = True

    def __init__(self, environ: Mapping[str, Any]) -> None:
        self.context = _Context(environ)
        self.stream = None
        self.is_head = environ["REQUEST_METHOD"] == "HEAD"
        self.status = ""
        self.headers = HTTPHeaders()
        self.chunks: list[bytes | _FilePart] = []
        self.finished = False

    def write_headers(
        self,
        start_line: RequestStartLine | ResponseStartLine,
        headers: HTTPHeaders,
        chunk: bytes | None = None,
    ) -> Future[None]:
        line = cast("ResponseStartLine", start_line)
        self.status, self.headers = f"{line.code} {line.reason}", headers
        return self.write(chunk or b"")

    def write(self, chunk: bytes) -> Future[None]:
        if chunk and not self.is_head:
            self.chunks.append(chunk)
        return cast("Future[None]", _Written())

    def write_file(self, file: int, offset: int, count: int) -> Future[None]:
        if count and not self.is_head:
            self.chunks.append(_FilePart(file, offset, count))
        return cast("Future[None]", _Written())

    def body(self) -> Iterable[bytes]:
        """The body, for the server."""
        if all(isinstance(chunk, bytes) for chunk in self.chunks):
            return cast("list[bytes]", self.chunks)
        return _Body(self.chunks)

    def finish(self) -> None:
        self.finished = True

    def close(self) -> None:
        """The response is cut short: its head has been sent, and then something has failed."""
        self.finished = True

    def has_explicit_max_body_size(self) -> bool:
        """Whether a handler has said how long its body may be. It has arrived already."""
        return False

    def set_max_body_size(self, max_body_size: int | None) -> None:
        """Without effect, for the same reason."""


class WSGIAdapter:
    """Makes a WSGI application of an :class:`~gustnado.web.Application` or another router.

    ::

        application = Application([("/", Home)])
        waitress.serve(WSGIAdapter(application), port=8080)

    :param application: what answers: an application, or another :class:`~gustnado.web.Router`. It may be under any
        other server, too.
    :param limits: of requests; of these ``max_body_size`` and those of arguments, cookies and forms count here.
    """

    def __init__(self, application: Router, limits: Limits | None = None) -> None:
        self.application = application
        self._server = _Server(limits or Limits())

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request, as PEP 3333 says."""
        connection = _Connection(environ)
        request = self._request(environ, connection)
        delegate = self.application.find_handler(request)
        status = 404 if delegate is None else self._answer(environ, request, delegate)
        if status is not None:
            return _plain(start_response, status)
        start_response(connection.status, list(connection.headers.get_all()))
        return connection.body()

    def _request(self, environ: Mapping[str, Any], connection: HTTPConnection) -> HTTPServerRequest:
        version = environ.get("SERVER_PROTOCOL", "HTTP/1.1")
        return HTTPServerRequest(
            start_line=RequestStartLine(environ["REQUEST_METHOD"], target_of(environ), version),
            headers=headers_of_environ(environ),
            connection=connection,
            server_connection=self._server,
        )

    def _answer(
        self, environ: Mapping[str, Any], request: HTTPServerRequest, delegate: HTTPMessageDelegate
    ) -> int | None:
        """Have the delegate answer. Where it cannot, the status that is to be sent instead."""
        awaiting = _awaiting_method(delegate, request.method)
        if awaiting is not None:
            app_log.error(_AWAITS, request.method, request.uri, awaiting)
            return 500
        try:
            self._deliver(environ, request, delegate)
        except HTTPInputError as error:
            gen_log.warning("%s %s: %s", request.method, request.uri, error)
            if not delegate.refused(error):
                return error.status
        if request.connection.finished:
            return None
        app_log.error(_UNFINISHED, request.method, request.uri)
        delegate.on_connection_close()
        return 500

    def _deliver(
        self, environ: Mapping[str, Any], request: HTTPServerRequest, delegate: HTTPMessageDelegate
    ) -> None:
        """Give the request to its delegate."""
        start_line = RequestStartLine(request.method, request.uri or "/", request.version)
        delegate.headers_received(start_line, request.headers)
        body = _read_body(environ, self._server.limits.max_body_size)
        if body:
            delegate.data_received(body)
        delegate.finish()


def _awaiting_method(delegate: HTTPMessageDelegate, verb: str) -> str | None:
    """The name of a method of the handler that is a generator, and would be called for this request."""
    handler_class: Any = getattr(delegate, "handler_class", None)
    for name in ("get_current_user", "prepare", verb.lower()):
        method = getattr(handler_class, name, None)
        if getattr(method, "__tornado_coroutine__", False):
            return f"{handler_class.__name__}.{name}"
    return None


def _read_body(environ: Mapping[str, Any], limit: int) -> bytes:
    """:raises HTTPInputError: where it is too long, or shorter than announced."""
    announced = environ.get("CONTENT_LENGTH") or "0"
    if not (announced.isascii() and announced.isdigit()):
        raise HTTPInputError(f"malformed Content-Length {announced[:40]!r}")
    length = int(announced) if len(announced) < 20 else limit + 1
    if length > limit:
        raise HTTPInputError(f"the body has {announced[:40]} bytes; {limit} are taken", status=413)
    body: bytes = environ["wsgi.input"].read(length) if length else b""
    if len(body) != length:
        raise HTTPInputError(f"the body ended after {len(body)} of {length} bytes")
    return body


def _plain(start_response: StartResponse, status: int) -> list[bytes]:
    from http import HTTPStatus

    phrase = HTTPStatus(status).phrase
    body = f"{status}: {phrase}\n".encode()
    fields = [("Content-Type", "text/plain; charset=UTF-8"), ("Content-Length", str(len(body)))]
    start_response(f"{status} {phrase}", fields)
    return [body]


class WSGIApplication(Application):
    """An :class:`~gustnado.web.Application` that is a WSGI application, for servers such as gevent's::

        app = WSGIApplication([("/", Home)])
        gevent.pywsgi.WSGIServer(("", 8080), app).serve_forever()

    Parameters and settings are the same, but nothing is reloaded in debug mode: that is the server's affair.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("autoreload", False)
        super().__init__(*args, **kwargs)
        self._adapter = WSGIAdapter(self)

    def __call__(  # type: ignore[override]  # another protocol's
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer a request, as PEP 3333 says."""
        return self._adapter(environ, start_response)
