"""How one HTTP/1 connection of a server ends: closed, cut, given away, or left to linger.

What it is up to until then is in :mod:`gustnado.http.h1.states`.
"""

from __future__ import annotations

import contextvars
from typing import TYPE_CHECKING

from gustnado.errors import StreamClosedError
from gustnado.http.delegates import HTTPServerConnectionDelegate
from gustnado.http.h1.parser import RequestParser
from gustnado.http.h1.request_connection import RequestConnection, tell_closed
from gustnado.http.h1.server_files import ServerFiles
from gustnado.http.h1.states import BODY, CLOSED, HEAD, LINGER, TURNED_AWAY
from gustnado.log import app_log, gen_log

if TYPE_CHECKING:
    import asyncio

    from gustnado.events.stream import IOStream
    from gustnado.http.h1.parameters import HTTP1ConnectionParameters
    from gustnado.http.sweeper import Sweeper

__all__ = ["ServerLife"]


class ServerLife(ServerFiles):
    """A connection that can be ended in any state.

    :ivar closing: what is in flight is answered, then the connection closes.
    :ivar eof: the peer will send no more.
    """

    __slots__ = (
        "_delegate", "_parser", "_paused", "_request", "_request_context", "_state", "closing", "eof",
    )  # fmt: skip

    def __init__(
        self, stream: IOStream, params: HTTP1ConnectionParameters, context: object | None, sweeper: Sweeper
    ) -> None:
        ServerFiles.__init__(self, stream, params, context, sweeper)
        self.closing = False
        self.eof = False
        self._parser = RequestParser(self.limits, params.like_tornado)
        self._delegate: HTTPServerConnectionDelegate | None = None
        self._request: RequestConnection | None = None
        self._request_context: contextvars.Context | None = None
        self._state = HEAD
        self._paused = False  # reading is

    def close(self) -> asyncio.Future[None]:
        """Close the connection: at once where it is idle, after its response where it is not.

        :returns: a future to await; it does not wait for the response.
        """
        self.closing = True
        if self._state == HEAD or self._state == TURNED_AWAY:
            self.flush()
            self.stream.close()
        return self.sweeper.done

    def idle_since(self) -> float:
        """Since when, on the sweeper's clock, no request is in flight nor a byte of one here; else -1."""
        return self._since if self._state == HEAD and not self._parser.pending() else -1.0

    def is_closed(self) -> bool:
        """Whether the stream has closed, or has been given away."""
        return self._state == CLOSED

    def abort(self) -> None:
        """Close the connection now."""
        self.flush()
        self._state = LINGER
        self.stream.close()

    def detach(self, request: RequestConnection) -> IOStream:
        """Give the stream away; see :meth:`RequestConnection.detach`."""
        self.flush()
        self._leave()
        request.release()
        self.stream.detach_consumer(self._parser.take_rest())
        self._resume()
        return self.stream

    def give_back(self) -> bool:
        """Let go of the stream between two requests; false where it is not, or cannot be, ready for another."""
        if self._state != HEAD or self.closing or self.eof:
            self.closing = True
            return False
        self.flush()
        self._leave()
        self.stream.detach_consumer(self._parser.take_rest())
        self._resume()
        return True

    def _leave(self) -> None:
        self._state = CLOSED
        self._request = None
        self.sweeper.discard(self)
        self._drop_file()
        if self._waiters is not None:
            self._release_waiters(StreamClosedError())
        delegate, self._delegate = self._delegate, None
        if delegate is not None:
            delegate.on_close(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        """The stream has closed."""
        request = self._request
        self._output.clear()
        self._leave()
        if request is not None:
            self._tell_closed(request)
            request.release()
        self._request_context = None

    def _end_early(self) -> None:
        """No more will come of what is being read."""
        if self._state == BODY or (self._state == HEAD and self._parser.pending()):
            gen_log.debug("%s closed the connection within a request", self.peer())
        self.flush()
        self.stream.close()

    def _close_after_output(self) -> None:
        self.flush()
        transport = self.stream.transport
        if transport is not None and transport.get_write_buffer_size():
            self._linger()  # for a slow client it takes as long as it takes
            return
        self._state = LINGER
        self.stream.close()

    def _linger(self) -> None:
        """Send the end of what we say, and let the peer finish."""
        self.flush()
        self._state = LINGER
        self._since = self.sweeper.now
        self._parser.take_rest()
        transport = self.stream.transport
        if transport is None or (self.eof and not transport.get_write_buffer_size()):
            self.stream.close()
            return
        if transport.can_write_eof():
            try:
                transport.write_eof()
            except OSError:
                return  # the peer has gone: connection_lost is on its way
        self._resume()

    def _pause(self) -> None:
        if not self._paused:
            self._paused = True
            self.stream.pause_reading()

    def _resume(self) -> None:
        if self._paused:
            self._paused = False
            self.stream.resume_reading()

    def _read_on(self) -> None:
        """Nothing more can be done with what has arrived."""
        if self.eof:
            self._end_early()
        else:
            self._resume()

    def _tell_closed(self, request: RequestConnection) -> None:
        """Tell the program, in the context of its request, that its client has gone; log what it raises."""
        context = self._request_context
        try:
            if context is None:
                request.tell_closed()
            else:
                context.run(tell_closed, request)
        except Exception:
            app_log.error("Uncaught exception in a close callback, %s", self.peer(), exc_info=True)
