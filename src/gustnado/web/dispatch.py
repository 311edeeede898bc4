"""From a request to its handler: the delegates that an application gives to a server.

:class:`RequestDelegate` receives a request's head, finds its route, and, where that leads to a handler class of
this application, is also what receives the body and runs the handler: one object a request.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from gustnado.errors import HTTPInputError, StreamClosedError
from gustnado.http.access_log import log_access
from gustnado.http.body_stream import BodyStream
from gustnado.http.delegates import HTTPMessageDelegate
from gustnado.http.messages import RequestStartLine, has_body, is_like_tornado, request_of
from gustnado.http.spooled_form import spooled_form_for
from gustnado.web.handler import RequestHandler
from gustnado.web.handler.tasks import and_then, body_futures, fail_body, guard, start, start_task

if TYPE_CHECKING:
    import asyncio

    from gustnado.http.delegates import HTTPConnection
    from gustnado.http.headers import HTTPHeaders
    from gustnado.http.messages import HTTPServerRequest, ResponseStartLine
    from gustnado.http.spooled_form import SpooledForm
    from gustnado.web.application import Application

__all__ = ["Dispatcher", "HandlerDelegate", "RequestDelegate", "pull_request_body", "stream_request_body"]

_EXECUTE = RequestHandler._execute  # before anybody wraps it
_NEVER = 1 << 62


def pull_request_body(cls: type[RequestHandler]) -> type[RequestHandler]:
    """Class decorator: the method of the verb runs as soon as the head is there, and reads the body itself.

    ::

        @pull_request_body
        class Upload(RequestHandler):
            async def post(self):
                async for part in self.request.parts():
                    async for chunk in part:
                        ...

    See :attr:`HTTPServerRequest.body_stream <gustnado.http.HTTPServerRequest>` and the methods beside it.
    Nothing is read before it is asked for; a client that waits for ``100 Continue`` gets it then. The bound of buffered
    bodies does not hold, as with :func:`stream_request_body`.

    :raises TypeError: where ``cls`` is not a handler class.
    """
    if not (isinstance(cls, type) and issubclass(cls, RequestHandler)):
        raise TypeError(f"expected subclass of RequestHandler, got {cls!r}")
    cls._pulls_request_body = cls._acts_on_head = True
    return cls


def stream_request_body(cls: type[RequestHandler]) -> type[RequestHandler]:
    """Class decorator: the handler gets the body in pieces, through ``data_received``.

    ``prepare`` runs before the body is read, the method of the verb when it has arrived whole. The bound
    of buffered bodies does not hold: count in ``data_received``, or call
    ``self.request.connection.set_max_body_size`` in ``prepare``. ``request.body`` stays empty.

    :raises TypeError: where ``cls`` is not a handler class.
    """
    if not (isinstance(cls, type) and issubclass(cls, RequestHandler)):
        raise TypeError(f"expected subclass of RequestHandler, got {cls!r}")
    cls._stream_request_body = cls._acts_on_head = True
    return cls


class HandlerDelegate(HTTPMessageDelegate):
    """Collects or passes on a request's body, and runs the handler."""

    def __init__(
        self,
        application: Application,
        request: HTTPServerRequest | None,
        handler_class: type[RequestHandler] | None,
        handler_kwargs: dict[str, Any] | None,
        path_args: list[Any] | None = None,
        path_kwargs: dict[str, Any] | None = None,
    ) -> None:
        self._set_up(application, request, handler_class, handler_kwargs, path_args, path_kwargs)

    def _set_up(
        self,
        application: Application,
        request: HTTPServerRequest | None,
        handler_class: type[RequestHandler] | None,
        handler_kwargs: dict[str, Any] | None,
        path_args: list[Any] | None,
        path_kwargs: dict[str, Any] | None,
    ) -> None:
        self.application = application
        self.request = request
        self.handler_class = handler_class
        self.handler_kwargs = handler_kwargs
        self.path_args = path_args
        self.path_kwargs = path_kwargs
        self._chunks: list[bytes] | None = None
        self._handler: RequestHandler | None = None
        self._task: asyncio.Future[None] | None = None  # held here, since a loop holds tasks only weakly
        self._failed = False
        self._stream: BodyStream | None = None  # of a handler that reads its body itself
        self._body_future: asyncio.Future[None] | None = None  # of a wrapped handler that streams its body
        self._form: SpooledForm | None = None  # of a large one that is collected on disk
        self._size = 0  # of what has been collected
        self._spool_size = 0  # upon which it is to be looked whether it belongs on disk

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        if self.handler_class is not None and self.handler_class._acts_on_head:
            return self._act_on_head()
        return None

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        if self._stream is not None:
            return self._stream.push(chunk)
        if self.handler_class is not None and self.handler_class._stream_request_body:
            return self._pass_on(chunk)
        if self._chunks is None:
            self._chunks = [chunk]
            self._size = len(chunk)
            return None
        self._chunks.append(chunk)
        self._size += len(chunk)
        return self._collect() if self._form is not None or self._size > self._spool_size else None

    def trailers_received(self, trailers: HTTPHeaders) -> None:
        if self.request is not None:
            self.request.trailers = trailers

    def finish(self) -> None:
        request = self.request
        if request is None:
            return
        if self._stream is not None:
            self._stream.end()
            return
        if self._handler is not None:
            if self.handler_class is None or self.handler_class._stream_request_body:
                self._finish_streaming(self._handler)
                return
            if self._failed or self._handler._finished:
                return
        if self._chunks is not None and not self._take_body(request, self._chunks):
            return
        self.execute()

    def _take_body(self, request: HTTPServerRequest, chunks: list[bytes]) -> bool:
        """Give the request its body, and what is in it. False: it cannot be read, and that has been answered."""
        form, self._form = self._form, None
        self._chunks = None
        try:
            if form is not None:
                form.give_to(request)
            else:
                request.body = b"".join(chunks)
                request._parse_body()
        except HTTPInputError as error:
            if is_like_tornado(request):
                error.status = 400
            self._this_handler()._handle_request_exception(error)
            return False
        return True

    def _collect(self) -> Awaitable[None] | None:
        """Hand on to the form, if it is a large one, what has come since."""
        if self._failed or self._chunks is None:
            return None
        try:
            form = self._form if self._form is not None else self._begin_form()
            if form is None:
                return None
            chunks, self._chunks = self._chunks, []
            pending = form.push(b"".join(chunks))
        except OSError as error:
            self._fail(error)
            return None
        return None if pending is None else self._guarded(pending)

    def _begin_form(self) -> SpooledForm | None:
        """Look whether what has come of the body is the beginning of a large form."""
        request = self.request
        if request is None:
            return None
        self._spool_size = request.limits.spool_size or _NEVER
        if self._size > self._spool_size:
            self._form = spooled_form_for(request)
            self._spool_size = _NEVER
        return self._form

    def on_connection_close(self) -> None:
        self._chunks = self._form = None
        if self._handler is not None and not self._handler._finished:
            handler: Any = self._handler
            try:
                handler.on_connection_close()
            finally:
                if self._task is not None and (handler.cancel_on_disconnect or handler.shutting_down.expired):
                    self._task.cancel()
        if self._body_future is not None:
            fail_body(self._body_future, StreamClosedError())
        if self._stream is not None:
            self._stream.fail(StreamClosedError())

    def refused(self, error: HTTPInputError) -> bool:
        """Answer by the handler's error page; where the body was to be collected it has not been prepared then."""
        self._chunks = self._form = None
        if self.request is None or self.handler_class is None:
            return False
        handler = self._this_handler()
        if self._stream is not None and not handler._finished:
            self._stream.fail(error)  # the handler hears of it where it reads, and answers
        elif self._body_future is not None:
            fail_body(self._body_future, error)
        else:
            self._failed = True
            handler._send_error_for(error)  # the connection has logged it
        return True

    def execute(self) -> asyncio.Future[None] | None:
        """Make the handler and run it; the task in which it goes on running, if it does."""
        handler = self._this_handler()
        if type(handler)._execute is _EXECUTE:
            self._task = handler._run(self.path_args, self.path_kwargs)
        else:
            self._execute_wrapped(handler)
        return self._task

    def _execute_wrapped(self, handler: RequestHandler) -> None:
        transforms = self.application.make_transforms(handler.request)
        wrapped = handler._execute(transforms, *(self.path_args or ()), **(self.path_kwargs or {}))
        self._task = start(wrapped)  # of any kind: a coroutine of Tornado's has begun already

    def _this_handler(self) -> RequestHandler:
        """The handler, which is made if there is none yet."""
        return self._make_handler() if self._handler is None else self._handler

    def _make_handler(self) -> RequestHandler:
        application, request = self.application, self.request
        if self.handler_class is None or request is None:
            raise RuntimeError("a delegate without a route has no handler")
        kwargs = self.handler_kwargs
        cls = self.handler_class
        handler = self._handler = cls(application, request, **kwargs) if kwargs else cls(application, request)
        if application.transforms:
            handler._transforms = application.make_transforms(request)
        return handler

    def _act_on_head(self) -> Awaitable[None] | None:
        """Do what is to be done before the body, for handlers that ask for it."""
        cls, request = self.handler_class, self.request
        if cls is None or request is None:
            return None
        if cls.body_limits is not None:
            cls.body_limits.apply(request)
        if cls._looks_before_body and has_body(request.headers):
            return self._look_before_body()
        return self._begin_body()

    def _look_before_body(self) -> Awaitable[None] | None:
        """Let the handler see the head, and refuse, before any of the body is asked for."""
        handler = self._make_handler()
        try:
            pending = handler.before_body()
        except Exception as error:
            self._fail(error)
            return None
        return self._begin_body() if pending is None else self._guarded(and_then(pending, self._begin_body))

    def _begin_body(self) -> Awaitable[None] | None:
        cls, request = self.handler_class, self.request
        if cls is None or request is None or (self._handler is not None and self._handler._finished):
            return None
        if cls._pulls_request_body:
            connection = request.connection
            if not connection.has_explicit_max_body_size() and cls.body_limits is None:
                connection.set_max_body_size(None)
            request.body_stream = self._stream = BodyStream(
                request.headers.get("Content-Type", ""), request.limits
            )
            wanted = self._stream.open()
            self.execute()
            return None if self._handler is None or self._handler._finished else wanted
        return self._begin_streaming() if cls._stream_request_body else None

    # A handler that streams its body is prepared before it, and called after it.

    def _begin_streaming(self) -> Awaitable[None] | None:
        handler = self._this_handler()
        connection = handler.request.connection
        if not connection.has_explicit_max_body_size() and type(handler).body_limits is None:
            connection.set_max_body_size(None)
        if type(handler)._execute is not _EXECUTE:
            return self._begin_wrapped(handler)
        try:
            pending = handler._begin(self.path_args, self.path_kwargs)
        except Exception as error:
            self._fail(error)
            return None
        return None if pending is None else self._guarded(pending)

    def _guarded(self, pending: Awaitable[None]) -> Awaitable[None]:
        self._task = start_task(guard(pending, self._fail))
        return self._task

    def _begin_wrapped(self, handler: RequestHandler) -> Awaitable[None]:
        """All of the request runs in what was wrapped; it says when it is prepared, and is told when the body ends."""
        handler._prepared_future, self._body_future = body_futures()
        handler.request._body_future = self._body_future
        self._execute_wrapped(handler)
        return handler._prepared_future

    def _pass_on(self, chunk: bytes) -> Awaitable[None] | None:
        handler = self._handler
        if handler is None or self._failed or handler._finished:
            return None
        try:
            pending = handler.data_received(chunk)
        except Exception as error:
            self._fail(error)
            return None
        return None if pending is None else self._guarded(pending)

    def _finish_streaming(self, handler: RequestHandler) -> None:
        if self._body_future is not None:
            if not self._body_future.done():
                self._body_future.set_result(None)
            return
        if self._failed or handler._finished:
            return
        try:
            result = handler._invoke()
            if result is not None:
                self._task = handler._take_result(result)
            elif handler._auto_finish and not handler._finished:
                handler.finish()
        except Exception as error:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        self._failed = True
        self._this_handler()._handle_request_exception(error)


class RequestDelegate(HandlerDelegate):
    """What an application gives to a server for each request: finds the route when the head is there."""

    def _open(self, application: Application, server_conn: object, request_conn: HTTPConnection) -> None:
        self._set_up(application, None, None, None, None, None)
        self._inner: HTTPMessageDelegate | None = None
        self._server_connection = server_conn
        self._connection = request_conn

    def head_received(
        self, method: str, target: str, version: str, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        self.request = request = request_of(
            method, target, version, headers, self._connection, self._server_connection
        )
        path = request.path
        rules = self.application.wildcard_router._rules
        route = rules.decided.get(path)
        if route is None:
            route = (rules.direct or self.application.direct_routes()).find(path)
        if route is not None:
            self.handler_class, self.handler_kwargs, self.path_args, self.path_kwargs = route
            if self.handler_class._acts_on_head:
                return self._act_on_head()
            return None
        self._inner = inner = self.application.find_handler(request)
        return inner.headers_received(RequestStartLine(method, target, version), headers)

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        method, target, version = start_line
        return self.head_received(method, target, version, headers)  # type: ignore[arg-type]

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        if self._inner is not None:
            return self._inner.data_received(chunk)
        return HandlerDelegate.data_received(self, chunk)

    def trailers_received(self, trailers: HTTPHeaders) -> None:
        if self._inner is None:
            HandlerDelegate.trailers_received(self, trailers)
        elif isinstance(self._inner, HTTPMessageDelegate):
            self._inner.trailers_received(trailers)

    def refused(self, error: HTTPInputError) -> bool:
        if self._inner is None:
            return HandlerDelegate.refused(self, error)
        return isinstance(self._inner, HTTPMessageDelegate) and self._inner.refused(error)

    def finish(self) -> None:
        if self._inner is not None:
            self._inner.finish()
        else:
            HandlerDelegate.finish(self)

    def on_connection_close(self) -> None:
        if self._inner is not None:
            self._inner.on_connection_close()
        else:
            HandlerDelegate.on_connection_close(self)


def _open_delegate(
    application: Application, server_conn: object, request_conn: HTTPConnection
) -> RequestDelegate:
    delegate: RequestDelegate = RequestDelegate.__new__(RequestDelegate)
    delegate._open(application, server_conn, request_conn)
    return delegate


class Dispatcher:
    """The part of an application that each request goes through."""

    if TYPE_CHECKING:  # set by Application
        settings: dict[str, Any]

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """See :meth:`HTTPServerConnectionDelegate.start_request`."""
        return _open_delegate(self, server_conn, request_conn)  # type: ignore[arg-type]

    def log_request(self, handler: RequestHandler) -> None:
        """Log a request that has been answered; see the setting ``log_function``."""
        settings = self.settings
        if "log_function" in settings:
            function = settings["log_function"]
            if function is not None:
                function(handler)
            return
        request = handler.request
        log_access(
            handler._status_code, request.method, request.uri, request.remote_ip, request.request_time()
        )
