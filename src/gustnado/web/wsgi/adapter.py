"""``WSGIAdapter``: a Gustnado application under any WSGI server (PEP 3333).

A WSGI server calls and wants the whole answer back. So handlers are plain methods here: what awaits, or leaves the
request open for a callback, gets an error in the log, and its client a 500. Such an application is served by
``listen()``, or by an ASGI server. Cookies, templates, arguments, uploads and error pages are as ever; the body of a
request, and that of a response, are in memory.

Nothing here needs an event loop or makes one: a greenlet or a thread of the WSGI server is enough.
"""

from __future__ import annotations

import concurrent.futures
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from gustnado.errors import HTTPInputError
from gustnado.http.delegates import HTTPConnection, HTTPMessageDelegate
from gustnado.http.headers import HTTPHeaders
from gustnado.http.limits import Limits
from gustnado.http.messages import HTTPServerRequest, RequestStartLine
from gustnado.log import app_log, gen_log
from gustnado.web.application import Application
from gustnado.web.routing import Router
from gustnado.web.wsgi.environ import headers_of_environ, target_of

if TYPE_CHECKING:
    from asyncio import Future
    from wsgiref.types import StartResponse

    from gustnado.http.messages import ResponseStartLine

__all__ = ["WSGIAdapter", "WSGIApplication"]

_AWAITS = (
    "%s %s: %s is a coroutine, and under WSGI nothing can be awaited: serve the application with listen(), or by an "
    "ASGI server, or make it a plain method that does not wait"
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


class _Connection(HTTPConnection):
    """Keeps the response."""

    def __init__(self, environ: Mapping[str, Any]) -> None:
        self.context = _Context(environ)
        self.stream = None
        self.is_head = environ["REQUEST_METHOD"] == "HEAD"
        self.status = ""
        self.headers = HTTPHeaders()
        self.chunks: list[bytes] = []
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
        done: concurrent.futures.Future[None] = concurrent.futures.Future()
        done.set_result(None)
        return cast("Future[None]", done)  # of no loop, as there is none

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
        return connection.chunks

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
    """The name of a method of the handler that is a coroutine, and would be called for this request."""
    handler_class: Any = getattr(delegate, "handler_class", None)
    for name in ("get_current_user", "prepare", verb.lower()):
        method = getattr(handler_class, name, None)
        if inspect.iscoroutinefunction(method) or getattr(method, "__tornado_coroutine__", False):
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
