"""``WSGIContainer``: serves a WSGI application (Django, Flask...), as PEP 3333 wants it.

The application runs on an executor, or, without one, on the loop's own thread, where everything else waits for it.
The rules:

- The head leaves with the first piece of the body that is not empty, each piece when the application has made it. The
  next one is asked for when the client has taken enough of it.
- A body that is a list or a tuple leaves whole, and so with its length.
- What the application raises before its head has left becomes a 500; afterwards the connection is closed, so that the
  client can tell that something is missing. Both are logged. ``close()`` of its iterable is called in any case, by the
  thread that the application runs in.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from gustnado.errors import StreamClosedError
from gustnado.events.futures import dummy_executor
from gustnado.http.access_log import log_access
from gustnado.log import app_log
from gustnado.web.wsgi.environ import make_environ
from gustnado.web.wsgi.response import ResponseWriter

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication as WSGICallable

    from gustnado.http.messages import HTTPServerRequest

__all__ = ["WSGIContainer"]

T = TypeVar("T")
_END = object()


class WSGIContainer:
    """Answers requests by a WSGI application: for :class:`~gustnado.http.HTTPServer`, a rule of a router, or a
    :class:`~gustnado.web.FallbackHandler`.

    ::

        with ThreadPoolExecutor(20) as executor:
            server = HTTPServer(WSGIContainer(application, executor))

    :param wsgi_application: the application.
    :param executor: threads for it; as many as requests are to be worked on at once. The application must be ready for
        that. ``None`` runs it on the loop's thread, one request at a time, and nothing else meanwhile.
    """

    def __init__(
        self, wsgi_application: WSGICallable, executor: concurrent.futures.Executor | None = None
    ) -> None:
        self.wsgi_application = wsgi_application
        self.executor: concurrent.futures.Executor = dummy_executor if executor is None else executor
        self._tasks: set[asyncio.Task[None]] = set()  # held here, since a loop holds tasks only weakly

    def __call__(self, request: HTTPServerRequest) -> None:
        """Begin to answer ``request``, which has arrived whole."""
        task = asyncio.get_running_loop().create_task(self.handle_request(request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def handle_request(self, request: HTTPServerRequest) -> None:
        """Answer ``request``."""
        writer = ResponseWriter(request, asyncio.get_running_loop(), self._is_threaded)
        try:
            await self._respond(request, writer)
        except StreamClosedError:
            pass  # the client is gone: nobody to answer, nothing to report
        except asyncio.CancelledError:
            request.connection.close()
            raise
        except Exception:
            app_log.error("Exception in a WSGI application, %s %s", request.method, request.uri, exc_info=True)
            writer.fail()
        finally:
            log_access(writer.status, request.method, request.uri, request.remote_ip, request.request_time())

    async def _respond(self, request: HTTPServerRequest, writer: ResponseWriter) -> None:
        body = await self._call(self.wsgi_application, self.environ(request), writer.start_response)
        try:
            if isinstance(body, (list, tuple)):
                await writer.write_whole(body)
            else:
                await self._write_pieces(body, writer)
        finally:
            close = getattr(body, "close", None)
            if close is not None:
                await asyncio.shield(self._call(close))

    async def _write_pieces(self, body: Iterable[bytes], writer: ResponseWriter) -> None:
        pieces = iter(body)
        while (piece := await self._call(_next, pieces)) is not _END:
            await writer.write_piece(piece)
        await writer.finish()

    @property
    def _is_threaded(self) -> bool:
        return self.executor is not dummy_executor

    def _call(self, function: Callable[..., T], *args: Any) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self.executor, function, *args)

    def environ(self, request: HTTPServerRequest) -> dict[str, Any]:
        """The environment of ``request``. Override to add to it."""
        return make_environ(request, self._is_threaded)


def _next(pieces: Iterator[Any]) -> Any:
    """The next piece; a :exc:`StopIteration` could not leave a future."""
    return next(pieces, _END)
