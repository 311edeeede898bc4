"""Writing the body of a request in pieces, at the pace of the network.

Two kinds of bodies are not written at once with their head: one that is long, and one that the program produces
with a ``body_producer``. Either is sent by an object of its own, which the connection tells to pause and to go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from gustnado.errors import StreamClosedError
from gustnado.escape import utf8
from gustnado.events.stream_state import fail_quietly
from gustnado.events.yieldables import convert_yielded
from gustnado.http.h1.request_writer import RequestWriter

if TYPE_CHECKING:
    from gustnado.http.client.connection import ClientConnection

__all__ = ["BodySender", "ProducedBody", "WholeBody"]

_PIECE = 65536


class BodySender(Protocol):
    """Sends one body.

    :ivar finished: all of it has been written.
    """

    finished: bool

    def start(self) -> None:
        """The body may be sent now."""

    def resume(self) -> None:
        """There is room again for what is written."""

    def stop(self) -> None:
        """No more of it is wanted, or the connection is gone."""


class WholeBody:
    """Sends a body that is there, piece by piece.

    :param connection: to write to.
    :param body: not empty.
    """

    def __init__(self, connection: ClientConnection, body: bytes) -> None:
        self._connection = connection
        self._left = memoryview(body)
        self._started = False
        self.finished = False

    def start(self) -> None:
        """Send as much as there is room for."""
        if not self._started:
            self._started = True
            self.resume()

    def resume(self) -> None:
        """Send as much as there is room for."""
        while self._started and not self.finished and not self._connection.is_congested:
            piece, self._left = self._left[:_PIECE], self._left[_PIECE:]
            self.finished = not self._left
            self._connection.write(piece)

    def stop(self) -> None:
        """Send no more."""
        self._started = False


class ProducedBody:
    """Sends what the program's ``body_producer`` writes.

    :param connection: to write to.
    :param producer: called with :meth:`write`; may return an awaitable.
    :param length: of the request's ``Content-Length`` field; ``None`` sends chunks.
    :raises gustnado.errors.HTTPOutputError: where ``length`` is no number.
    """

    def __init__(
        self, connection: ClientConnection, producer: Callable[[Callable[[bytes], Any]], Any], length: str | None
    ) -> None:
        self._connection = connection
        self._producer = producer
        self._writer = RequestWriter(length)
        self._running: asyncio.Future[Any] | None = None
        self._waiters: list[asyncio.Future[None]] = []
        self._stopped = False
        self._started = False
        self.finished = False

    def start(self) -> None:
        """Call the producer."""
        if self._started or self._stopped:
            return
        self._started = True
        try:
            result = self._producer(self.write)
            if result is None:
                self._finish()
                return
            self._running = convert_yielded(result)
        except Exception as error:
            self._connection.fail(error)
            return
        if self._running is not None:
            self._running.add_done_callback(self._produced)

    def write(self, chunk: bytes) -> asyncio.Future[None]:
        """Write a piece of the body.

        :returns: a future that is pending while the network is slow.
        :raises gustnado.errors.HTTPOutputError: beyond the ``Content-Length``.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        if self._stopped:
            fail_quietly(future, StreamClosedError())
            return future
        data = self._writer.data(utf8(chunk))
        if data:
            self._connection.write(data)
        if self._connection.is_congested:
            self._waiters.append(future)
        else:
            future.set_result(None)
        return future

    def _produced(self, future: asyncio.Future[Any]) -> None:
        self._running = None
        if self._stopped:
            if not future.cancelled():
                future.exception()  # nobody is left who could be told
            return
        error = asyncio.CancelledError() if future.cancelled() else future.exception()
        if error is not None:
            self._connection.fail(error)
            return
        try:
            self._finish()
        except Exception as short:
            self._connection.fail(short)

    def _finish(self) -> None:
        data = self._writer.end()
        self.finished = True
        if data and not self._stopped:
            self._connection.write(data)

    def resume(self) -> None:
        """Let those go on who wait for room."""
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def stop(self) -> None:
        """Stop the producer."""
        self._stopped = True
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            fail_quietly(waiter, StreamClosedError())
        if self._running is not None:
            self._running.cancel()
