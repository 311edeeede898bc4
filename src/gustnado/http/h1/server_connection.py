"""A server's side of one HTTP/1 connection: from the stream's bytes to delegates, and back.

Theory of operation. The connection is the *consumer* of its stream. It is made of five parts, each with a file
of its own, and each a class upon the one before:

- :mod:`~gustnado.http.h1.server_output`: what is written, collected and sent;
- :mod:`~gustnado.http.h1.server_files`: files that are sent as they are;
- :mod:`~gustnado.http.h1.server_life`: how the connection ends;
- :mod:`~gustnado.http.h1.server_messages`: what arrives, and who gets it;
- here: its beginning, and its deadlines. No request costs a timer: a sweep looks at all connections (see
  :mod:`gustnado.http.sweeper`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gustnado.errors import HTTPInputError
from gustnado.http.delegates import HTTPServerConnectionDelegate
from gustnado.http.h1.parameters import HTTP1ConnectionParameters
from gustnado.http.h1.server_messages import ServerMessages
from gustnado.http.h1.states import BODY, DRAIN, HEAD, LINGER, REFUSED, RESPOND, TURNED_AWAY
from gustnado.http.message_decoding import DecodingServer
from gustnado.http.refusals import RefusalLog
from gustnado.http.sweeper import Sweeper

if TYPE_CHECKING:
    from gustnado.events.stream import IOStream

__all__ = ["HTTP1ServerConnection"]

_RATE_AFTER = 10.0  # seconds that a body takes before its average rate counts: the first packets tell nothing


class HTTP1ServerConnection(ServerMessages):
    """Serves the requests of one connection, one after the other.

    :param stream: a connected :class:`~gustnado.events.stream.IOStream`.
    :param params: how to behave; see :class:`HTTP1ConnectionParameters`.
    :param context: anything; requests find it as ``connection.context``.
    :param sweeper: the one of the server; a connection without a server has its own.
    """

    __slots__ = ("__weakref__",)

    def __init__(
        self, stream: IOStream, params: HTTP1ConnectionParameters | None = None, context: object | None = None,
        sweeper: Sweeper | None = None,
    ) -> None:  # fmt: skip
        params = params or HTTP1ConnectionParameters()
        if sweeper is None:
            loop = stream.io_loop.asyncio_loop
            sweeper = Sweeper(loop, refusals=RefusalLog(loop, params.limits.max_refusals_logged))
        ServerMessages.__init__(self, stream, params, context, sweeper)

    def start_serving(self, delegate: HTTPServerConnectionDelegate) -> None:
        """Begin to read requests, for ``delegate``."""
        if self.params.decompress:
            delegate = DecodingServer(delegate, self.params.chunk_size)
        self._delegate = delegate
        self.sweeper.add(self)
        self._born = self._since = self.sweeper.now
        self.stream.consumer_high_water = self.limits.max_write_buffer
        self.stream.attach_consumer(self)

    def turn_away(self, delegate: HTTPServerConnectionDelegate) -> None:
        """Answer whatever arrives with 503, and close; ``delegate`` is told only that it has closed."""
        self._state = TURNED_AWAY
        self.start_serving(delegate)

    # Bytes in

    def data_received(self, data: bytes) -> None:
        """Take bytes from the stream."""
        if self._state >= LINGER:
            if self._state == TURNED_AWAY:
                self._refuse(HTTPInputError("more connections than one address may have", status=503))
            return
        self._parser.feed(data)
        if self._waiting is not None or self._state == RESPOND or self._advancing:
            self._pause()
            return
        self._advance()

    def eof_received(self) -> bool:
        """The peer will send no more; it may still read."""
        self.eof = True
        if self._state == BODY and self._waiting is not None:
            return True  # the rest of the body may be here already
        if self._state == REFUSED:
            return True
        if self._state != RESPOND or (self.params.like_tornado and not self._parser.pending()):
            self._end_early()
            return False
        self._since = self.sweeper.now
        request = self._request
        if request is not None:
            request.keep_alive = request.keep_alive and self._parser.pending() > 0
            self._tell_closed(request)
        return True

    def sweep(self, now: float) -> None:
        """Look whether the peer has been waited for too long."""
        waited = now - self._since
        limits = self.limits
        if self._waiters is not None or self._state == LINGER:
            self._sweep_writing(now, waited)
        elif self._state == HEAD:
            if self._parser.pending():
                if 0 < limits.header_timeout < waited:
                    self._refuse(HTTPInputError(f"no complete head in {limits.header_timeout:g} s", status=408))
            else:
                bound = limits.idle_timeout if self._requests else limits.header_timeout
                if 0 < bound < waited:
                    self.stream.close()
        elif self._state == BODY and self._waiting is None:
            self._sweep_body(now, waited)
        elif self._state == DRAIN and 0 < limits.linger_timeout < waited:
            self._linger()
        elif self._state == TURNED_AWAY and 0 < limits.linger_timeout < waited:
            self.stream.close()
        elif self._state == RESPOND and self.eof and 0 < limits.body_timeout < waited:
            self.stream.abort()

    def _sweep_body(self, now: float, waited: float) -> None:
        if 0 < self._body_timeout < waited:
            self._refuse(HTTPInputError(f"Timeout reading body: no byte in {self._body_timeout:g} s", status=408))
            return
        taken = now - self._body_since
        if 0 < self._max_body_time < taken and self._parser.max_body_size >= 0:
            message = f"Timeout reading body: not whole in {self._max_body_time:g} s"
            self._refuse(HTTPInputError(message, status=408))
            return
        read = self._parser.body_read()
        if taken > _RATE_AFTER and read < self._min_body_rate * taken:
            self._refuse(HTTPInputError(f"{read} bytes of a body in {taken:.0f} s: too slow", status=408))

    def _sweep_writing(self, now: float, waited: float) -> None:
        transport = self.stream.transport
        if transport is None:
            return  # closed already; the stream bounds how long that takes
        unsent = transport.get_write_buffer_size()
        sender = self._sender
        progress = unsent if sender is None else sender.sent
        if progress != self._write_size:
            self._write_size = progress
            self._since = now
        elif unsent or sender is not None:
            if 0 < self.limits.write_timeout < waited:
                self.sweeper.refusals.info("%s does not read its response; aborted after %g s", self.peer(), waited)
                self._since = now  # it may have to wait for its turn, and is not to be told of twice
                self.sweeper.cut_off(self.stream)
        elif self._state == LINGER and (self.eof or waited > self.limits.linger_timeout):
            self.stream.abort()
