"""The writing half of a WebSocket connection: frames to the stream, and what becomes of a peer that is slow to read.

Theory of operation. While events are handled, and before there is a stream, frames are gathered, and leave in one
write; else each leaves at once, as long ones always do, which are not copied for it. The stream tells when more waits
for the peer than ``params.write_buffer``: from then on ``params.slow_reader`` says what becomes of messages (where it
is to wait, the futures of writes are pending), and pings are not answered but for the last one, until the peer has
read. One that reads nothing at all for ``params.write_timeout`` seconds is cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gustnado.events.direct_writer import DirectWriter
from gustnado.http.shared import release
from gustnado.http.ws.codes import CloseCode
from gustnado.http.ws.errors import WebSocketClosedError
from gustnado.http.ws.prepared import PreparedMessage, payload_of
from gustnado.http.ws.protocol import WebSocketCodec
from gustnado.log import gen_log

if TYPE_CHECKING:
    import asyncio

    from gustnado.http.ws.params import WebSocketParams

__all__ = ["FrameSender", "offer_to"]

_MAX_GATHERED = 65536  # bytes that are gathered before they are written
_LONG = 32768  # bytes of a message that is not copied behind its head: that would cost as much as a system call


class FrameSender(DirectWriter):
    """Sends on one connection.

    :param is_client: this is the client's end.
    :param params: see :class:`~gustnado.http.ws.params.WebSocketParams`.
    :param loop: the loop of the stream that will come.
    :param done: a future of it that is done, which others may share.
    :ivar stream: the stream, once there is one. Nothing is sent on it before it has been taken over.
    :ivar codec: reads and makes frames.
    :ivar dropped: messages that were not sent because the peer was slow to read.
    """

    __slots__ = (
        "__weakref__", "_begun", "_done", "_first", "_gathering", "_loop", "_more", "_output_size", "_over",
        "_pending_pong", "_progress", "_waiters", "_write_timer", "codec", "dropped", "params",
    )  # fmt: skip

    def __init__(
        self,
        is_client: bool,
        params: WebSocketParams,
        loop: asyncio.AbstractEventLoop,
        done: asyncio.Future[None],
    ) -> None:
        DirectWriter.__init__(self)
        self.params = params
        self.codec = WebSocketCodec(is_client, params.max_message_size, params.max_fragments)
        self.dropped = 0
        self._loop = loop
        self._done = done  # of writes that need not be waited for
        self._over = False  # nothing more can be sent, although no close frame has been
        self._gathering = True
        self._begun = False  # frames may go to the stream
        self._first: bytes | None = None  # of the frames that are gathered, and
        self._more: list[bytes] | None = None  # all of them, where there are more: mostly it is one
        self._output_size = 0
        self._waiters: list[asyncio.Future[None]] | None = None  # of writes, while the peer is slow
        self._pending_pong: bytes | None = None
        self._progress = 0
        self._write_timer: asyncio.TimerHandle | None = None

    def is_closing(self) -> bool:
        """Whether nothing can be sent any more: either side has begun to close, or the stream is gone."""
        return self._is_closing()

    def _is_closing(self) -> bool:
        # Called from here, in C: the public one is looked up each time, since a subclass could have another.
        codec = self.codec
        if self._over or codec.close_sent or codec.close_received:
            return True
        if self._direct_loop is not None:
            return False  # the stream would have said so
        return self.stream is not None and self.stream.transport is None

    def peer(self) -> Any:
        """The peer, for a log line."""
        return None if self.stream is None else self.stream.get_peername()

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Say that nothing more will be sent; the driver knows how to go on."""
        raise NotImplementedError

    def abort(self) -> None:
        """Close the stream now; what was not sent is dropped."""
        if self.stream is not None:
            self.stream.abort()

    def write_message(
        self, message: str | bytes | dict[str, Any] | PreparedMessage, binary: bool = False
    ) -> asyncio.Future[None]:
        """Send a message.

        :param message: a text as ``str`` or in UTF-8; anything, with ``binary``; a ``dict`` is sent as JSON. Or one
            that has been prepared.
        :returns: a future to await, so that a peer that is slow to read slows down the program, unless its messages are
            dropped or it is closed then.
        :raises gustnado.http.ws.errors.WebSocketClosedError: where the connection is closing.
        :raises TypeError: where it is none of these.
        """
        if self._is_closing():
            raise WebSocketClosedError("the connection is closing")
        prepared = isinstance(message, PreparedMessage)
        payload = b"" if prepared else payload_of(message)  # type: ignore[arg-type]
        if self._waiters is not None and not self._may_write():
            return self._done
        if prepared:
            self._send(message.frame_for(self.codec))  # type: ignore[union-attr]
        elif len(payload) < _LONG:
            self._send(self.codec.message(payload, binary))
        else:
            self._send_long(self.codec.message_parts(payload, binary))
        return self._written()

    def offer(self, message: PreparedMessage) -> bool:
        """Send a message if the peer has read those before, and the connection is open; else do not.

        :returns: whether it has been sent.
        """
        return self._offer(message, None)

    def _offer(self, message: PreparedMessage, loop: asyncio.AbstractEventLoop | None) -> bool:
        if self._waiters is not None or self._is_closing():
            return False
        frame = message.frame_for(self.codec)
        if self._gathering:
            self._send(frame)
        else:
            self._write_past(frame, loop)
        return True

    def write_ping(self, data: bytes) -> None:
        """Send a ping.

        :param data: at most 125 bytes.
        :raises ValueError: where it has more.
        :raises gustnado.http.ws.errors.WebSocketClosedError: where the connection is closing.
        """
        if self.is_closing():
            raise WebSocketClosedError("the connection is closing")
        self._send(self.codec.ping(data))

    def _written(self) -> asyncio.Future[None]:
        """The future of what has just been written."""
        if self._waiters is None or self.params.slow_reader != "wait":
            return self._done
        future: asyncio.Future[None] = self._loop.create_future()
        self._waiters.append(future)
        return future

    def _send(self, frame: bytes) -> None:
        """To the stream: now, or with what else is said while events are handled."""
        if self._gathering:
            if self._first is None:
                self._first = frame
            elif self._more is None:
                self._more = [self._first, frame]
            else:
                self._more.append(frame)
            self._output_size += len(frame)
            if self._begun and self._output_size > _MAX_GATHERED:
                self._flush()
            return
        self._write(frame)

    def _send_long(self, parts: tuple[bytes, bytes]) -> None:
        """To the stream, now, and what has been gathered before it."""
        head, payload = parts
        if not self._begun:
            self._send(head + payload)
            return
        self._flush()
        stream = self.stream
        transport = None if stream is None else stream.transport
        if transport is not None:
            self._behind = True
            transport.writelines(parts)

    def _flush(self) -> None:
        first = self._first
        if first is None:
            return
        more = self._more
        if more is not None:
            first = b"".join(more)
            self._more = None
        self._first = None
        self._output_size = 0
        self._write(first)

    # A peer that is slow to read

    def _may_write(self) -> bool:
        """Whether a message is sent although those before it wait.

        :raises gustnado.http.ws.errors.WebSocketClosedError: where the connection is closed for it.
        """
        params = self.params
        if params.slow_reader == "drop":
            self.dropped += 1
            return False
        if params.slow_reader == "wait" and self._unsent() <= params.max_write_buffer:
            return True
        gen_log.info(
            "WebSocket of %s closed with 1013: it does not read, %d bytes wait", self.peer(), self._unsent()
        )
        self.close(CloseCode.TRY_AGAIN_LATER, "too slow to read")
        raise WebSocketClosedError("the peer is too slow to read")

    def pong(self, payload: bytes) -> None:
        """Answer a ping; where the peer does not read, only the last one is answered (RFC 6455 section 5.5.3)."""
        if self._is_closing():
            return
        if self._waiters is not None:
            self._pending_pong = payload
        else:
            self._send(self.codec.pong(payload))

    def _unsent(self) -> int:
        stream = self.stream
        transport = None if stream is None else stream.transport
        return 0 if transport is None else transport.get_write_buffer_size()

    def pause_writing(self) -> None:
        """More bytes wait for the peer than should."""
        self._waiters = []
        self._progress = self.codec.bytes_out - self._unsent()
        self._watch_progress()

    def resume_writing(self) -> None:
        """The peer has read."""
        self._cancel_write_timer()
        self._release_waiters(None)
        pong, self._pending_pong = self._pending_pong, None
        if pong is not None:
            self.pong(pong)

    def _release_waiters(self, error: BaseException | None) -> None:
        waiters, self._waiters = self._waiters, None
        if waiters is not None:
            release(waiters, error)

    def _cancel_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _watch_progress(self) -> None:
        if self.params.write_timeout:
            self._write_timer = self._loop.call_later(self.params.write_timeout, self._check_progress)

    def _check_progress(self) -> None:
        self._write_timer = None
        progress = self.codec.bytes_out - self._unsent()
        if progress == self._progress:
            gen_log.info(
                "WebSocket of %s cut: it has read nothing in %g s", self.peer(), self.params.write_timeout
            )
            self.abort()
            return
        self._progress = progress
        self._watch_progress()


def offer_to(
    message: PreparedMessage, receivers: list[Any], start: int, stop: int, loop: asyncio.AbstractEventLoop | None = None
) -> list[int]:
    """Offer a message to some of many receivers.

    :param receivers: each a :class:`FrameSender`, or something else that has its ``offer``; those from place
        ``start`` up to ``stop`` get it.
    :param loop: the one that runs, so that those on it get it with the fewest steps; see
        :mod:`~gustnado.events.direct_writer`.
    :returns: the places of those that do not; see :meth:`FrameSender.offer`.
    """
    refused = []
    for place in range(start, stop):
        receiver = receivers[place]
        if isinstance(receiver, FrameSender):
            sender = receiver
            taken = sender._offer(message, loop)
        else:
            taken = receiver.offer(message)
        if not taken:
            refused.append(place)
    return refused
