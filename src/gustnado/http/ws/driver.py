"""A WebSocket connection on a stream: what arrives goes to the program, what the program says to the stream.

Theory of operation. The driver is the *consumer* of its stream: each chunk goes to the codec, and
:meth:`WebSocketDriver._advance` goes from event to event.

- A message goes to ``on_message`` at once where the program waits for one, else into the inbox. Where that is
  full, reading pauses, and TCP tells the peer. After a number of events the loop gets its turn, however many more
  have arrived.
- Pings and the peer's close frame are answered at once, whatever the program is at.
- A peer that breaks the protocol gets a close frame that says why, after the program has dealt with the messages
  before; then we stop sending, and drop what still comes until it has closed, too, so that it can read that frame
  (RFC 6455 section 7.1.7).

It ends when both sides have said that they are done, or the stream has closed, and the messages before that have
been handled: ``on_ws_connection_close``. The stream of a client may be open for a moment longer.
What is written, and to whom, is the business of :mod:`~gustnado.http.ws.sending`.
"""

from __future__ import annotations

import contextvars
from typing import TYPE_CHECKING, Any

from gustnado.errors import StreamClosedError
from gustnado.events.tasks import start
from gustnado.http.ws.codes import CloseCode
from gustnado.http.ws.errors import WebSocketClosedError, WebSocketProtocolError
from gustnado.http.ws.inbox import Inbox
from gustnado.http.ws.sending import FrameSender
from gustnado.log import gen_log

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable

    from gustnado.events.stream import IOStream
    from gustnado.http.ws.delegate import WebSocketDelegate
    from gustnado.http.ws.params import WebSocketParams

__all__ = ["WebSocketDriver"]

_CLOSE, _PING = 8, 9
_TURN = 64  # events before the loop gets its turn
_OPEN, _FAILED, _LOST, _FINISHED = range(4)


class WebSocketDriver(FrameSender):
    """Drives one connection.

    :param handler: the program's side, see :class:`~gustnado.http.ws.delegate.WebSocketDelegate`.

    The other parameters are those of :class:`~gustnado.http.ws.sending.FrameSender`.

    :ivar pong_received: a pong has come since somebody made this false.
    """

    __slots__ = (
        "_busy", "_close_timer", "_context", "_dropping", "_handed", "_held", "_inbox", "_paused", "_pulling",
        "_refusal", "_state", "_task", "handler", "pong_received",
    )  # fmt: skip

    def __init__(
        self,
        handler: WebSocketDelegate,
        is_client: bool,
        params: WebSocketParams,
        loop: asyncio.AbstractEventLoop,
        done: asyncio.Future[None],
    ) -> None:
        FrameSender.__init__(self, is_client, params, loop, done)
        self.handler = handler
        self.pong_received = False
        self._context = contextvars.copy_context()
        self._inbox = Inbox(params.max_queue, params.max_queue_size)
        self._state = _OPEN
        self._busy = True  # the program is at a message, or not ready for one
        self._handed = False  # who has asked for messages has got one, and has not asked again
        self._held = False  # reading is
        self._refusal: WebSocketProtocolError | None = None  # what the peer is to be told when the program is idle
        self._paused = False  # events stand still: those before them first
        self._pulling = False  # the program asks for messages instead of being called
        self._dropping = False  # it will not ask any more
        self._task: asyncio.Future[Any] | None = None  # held here, since a loop holds tasks only weakly
        self._close_timer: asyncio.TimerHandle | None = None

    # Life

    def begin(self, stream: IOStream, unread: bytes = b"") -> None:
        """Take over ``stream``, and send what has been written before. Messages wait until :meth:`release`.

        :param unread: what the peer has sent before that which the stream holds.
        """
        self.stream = stream
        self._begun = True
        self._context = contextvars.copy_context()
        self._gathering = False
        self._flush()
        if unread:
            self.codec.feed(unread)
        stream.attach_consumer(self)
        if unread and not self._paused:
            self._advance()
        transport = stream.transport
        if transport is not None:
            transport.set_write_buffer_limits(high=self.params.write_buffer)
            self.pass_by(transport, self._loop)
        if self.codec.close_sent:
            self._give_up_after(self.params.close_timeout)

    def release(self) -> None:
        """The program is ready for messages: it gets them in the context of the caller."""
        self._context = contextvars.copy_context()
        self._busy = False
        self._drain()

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Say that nothing more will be sent, and close when the peer has said so, too.

        Closing again does nothing.

        :raises ValueError: see :meth:`WebSocketCodec.close <gustnado.http.ws.protocol.WebSocketCodec.close>`.
        """
        codec = self.codec
        if self._state != _OPEN:
            return
        if not codec.close_sent:
            self._send(codec.close(code, reason))
        if codec.close_received:
            self._end()
        else:
            self._give_up_after(self.params.close_timeout)

    def _end(self) -> None:
        """Both sides have said that they are done. The server closes the stream (section 7.1.1), a client waits for it.

        The program is told at once: what else happens in this turn of the loop must not find it in the belief that
        the connection is open.
        """
        self._flush()
        is_client = self.codec.is_client
        if not is_client and self.stream is not None:
            self.stream.close()
        self.connection_lost(None)
        if is_client:
            self._give_up_after(self.params.close_timeout)

    def _give_up_after(self, seconds: float) -> None:
        if self._close_timer is None:
            self._close_timer = self._loop.call_later(seconds, self.abort)

    def _cancel_timers(self) -> None:
        if self._close_timer is not None:
            self._close_timer.cancel()
            self._close_timer = None
        self._cancel_write_timer()

    def fail(self, error: BaseException) -> None:
        """The program could not get ready, because of ``error``: log it, and close with 1011."""
        self._broken(error)
        self._fail(CloseCode.INTERNAL_ERROR, "internal error")
        self._busy = False
        self._drain()

    def _fail(self, code: int, why: str) -> None:
        """The peer broke the protocol, or the program cannot go on: say so, and listen no more."""
        if self._state != _OPEN:
            return
        codec = self.codec
        if not codec.close_sent:
            self._send(codec.close(code, why))
        self._flush()
        self._state = _FAILED
        self._over = True
        self._paused = False
        self._inbox.clear()
        self._inbox.end()
        codec.drop_rest()
        stream = self.stream
        transport = None if stream is None else stream.transport
        if transport is None:
            return
        if transport.can_write_eof():
            try:
                transport.write_eof()
            except OSError:
                return  # it is gone: connection_lost is on its way
        self._resume()
        self._give_up_after(self.params.linger_timeout)

    # Bytes in

    def data_received(self, data: bytes) -> None:
        """Take bytes from the stream."""
        if self._state != _OPEN:
            return
        self.codec.feed(data)
        if not (self._gathering or self._paused):
            self._advance()

    def eof_received(self) -> bool:
        """The peer will send no more: without a close frame that is the end as well."""
        return False

    def connection_lost(self, exc: BaseException | None) -> None:
        """The stream has closed, or is left to itself."""
        self._cancel_timers()
        if self._state == _LOST or self._state == _FINISHED:
            return
        self._state = _LOST
        self._refusal = None
        self._over = True
        self._pending_pong = None
        self._release_waiters(WebSocketClosedError("the connection is closed"))
        if self._pulling or not self._busy:
            self._drain()

    def _advance(self) -> None:
        """Go from event to event, as far as the bytes that have arrived allow."""
        codec = self.codec
        left = _TURN
        self._paused = self._gathering = True
        try:
            while self._state != _FAILED:
                if self._is_full():
                    self._pause()
                    break
                if left == 0:
                    self._pause()
                    self._loop.call_soon(self._go_on)
                    break
                left -= 1
                kind = codec.next_event()
                if kind == 0:
                    self._paused = False
                    self._resume()
                    break
                if kind < _CLOSE:
                    self._take_message(codec.take_payload())
                else:
                    self._control(kind)
        except WebSocketProtocolError as error:
            self._refuse(error)
        finally:
            self._gathering = False
        if self._output_size:
            self._flush()
        if self._state == _LOST:
            self._come_to_end()

    def _go_on(self) -> None:
        """Where :meth:`_advance` has left off, unless somebody else has gone on meanwhile."""
        if self._paused and not self._gathering:
            self._advance()

    def _refuse(self, error: WebSocketProtocolError) -> None:
        """The peer has broken the protocol: the codec drops all that comes behind that."""
        self._paused = False
        gen_log.debug("WebSocket of %s closed with %d: %s", self.peer(), error.close_code, error)
        self._refusal = error
        if self._close_timer is None:
            self._close_timer = self._loop.call_later(self.params.close_timeout, self._refuse_now)
        self._refuse_when_idle()

    def _refuse_when_idle(self) -> None:
        """Tell the peer what it did wrong, unless the program is still at a message from before."""
        if self._handed or (self._busy and not self._pulling) or len(self._inbox):
            return
        self._refuse_now()

    def _refuse_now(self) -> None:
        refusal, self._refusal = self._refusal, None
        if refusal is not None:
            if self._close_timer is not None and not self.codec.close_sent:
                self._close_timer.cancel()
                self._close_timer = None
            self._fail(refusal.close_code, str(refusal))

    def _pause(self) -> None:
        if not self._held and self.stream is not None and self._state == _OPEN:
            self._held = True
            self.stream.pause_reading()

    def _resume(self) -> None:
        if self._held and self.stream is not None:
            self._held = False
            self.stream.resume_reading()

    def _control(self, kind: int) -> None:
        """A control frame has come."""
        payload: bytes = self.codec.take_payload()  # type: ignore[assignment]  # no str: it is no message
        if kind == _CLOSE:
            self._answer_close()
        elif kind == _PING:
            self.pong(payload)
            self._tell(self.handler.on_ping, payload)
        else:
            self.pong_received = True
            self._tell(self.handler.on_pong, payload)

    def _answer_close(self) -> None:
        codec = self.codec
        if self._state == _OPEN and not codec.close_sent:
            self._send(codec.close(codec.close_code))
        self._end()

    # Messages in

    def _is_full(self) -> bool:
        if self._pulling and self._state == _LOST:
            return False  # the last that has arrived is known before the program is told that it is over
        return self._inbox.is_full()

    def _take_message(self, message: str | bytes) -> None:
        if self._dropping:
            return
        if self._busy or self._pulling:
            if self._inbox.put(message):
                self._handed = True
        else:
            self._deliver(message)

    def _deliver(self, message: str | bytes) -> None:
        """Call ``on_message``; what it returns has to be done before the next message."""
        try:
            result = self._context.run(self.handler.on_message, message)
            if result is None:
                return
            task = self._context.run(start, result)
        except BaseException as error:
            self._broken(error)
            return
        if task.done():
            self._check(task)
        else:
            self._busy = True
            self._task = task
            task.add_done_callback(self._done_with)

    def _done_with(self, task: asyncio.Future[Any]) -> None:
        """What ``on_message`` returned is done."""
        self._task = None
        self._busy = False
        self._check(task)
        self._drain()

    def _drain(self) -> None:
        """Deliver what has been waiting; then go on reading, or come to the end."""
        inbox = self._inbox
        while not self._busy and not self._pulling and len(inbox):
            self._deliver(inbox.take())
        if self._paused and not self._gathering and (self._pulling or not self._busy):
            self._advance()
        if self._refusal is not None:
            self._refuse_when_idle()
        if self._state == _LOST:
            self._come_to_end()

    def _come_to_end(self) -> None:
        """The stream has closed: once nothing is left to be handled, tell the program that it is over."""
        if self._paused or (self._busy and not self._pulling):
            return
        self._state = _FINISHED
        self._inbox.end()
        codec = self.codec
        try:
            self._context.run(self.handler.on_ws_connection_close, codec.close_code, codec.close_reason)
        except Exception as error:
            self._log(error)

    def _tell(self, callback: Callable[[bytes], Awaitable[None] | None], payload: bytes) -> None:
        """Tell the program of a ping or a pong; what it returns runs beside everything else."""
        try:
            result = self._context.run(callback, payload)
            if result is not None:
                self._context.run(start, result).add_done_callback(self._check)
        except BaseException as error:
            self._broken(error)

    def _check(self, task: asyncio.Future[Any]) -> None:
        """Look whether a coroutine of the program has failed, or was cancelled."""
        try:
            task.result()
        except BaseException as error:
            self._broken(error)

    def _broken(self, error: BaseException) -> None:
        """The program has failed at a message: log it, and close.

        A write that failed because the connection is gone is no failure of the program's, nor is that it was
        cancelled then.
        """
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise error
        is_program = isinstance(error, Exception) and not isinstance(error, (WebSocketClosedError, StreamClosedError))
        if not is_program and self.is_closing():
            return
        self._log(error)
        self._fail(CloseCode.INTERNAL_ERROR, "internal error")

    def _log(self, error: BaseException) -> None:
        try:
            self.handler.log_exception(type(error), error, error.__traceback__)
        except Exception:
            gen_log.error("Error in exception logger", exc_info=True)

    # Messages that the program asks for

    def receive(self) -> asyncio.Future[str | bytes | None]:
        """The next message; ``None`` where there will be none any more.

        From the first call on, ``on_message`` is not called any more.
        """
        self.pull()
        future: asyncio.Future[str | bytes | None] = self._loop.create_future()
        inbox = self._inbox
        self._handed = len(inbox) > 0
        if self._refusal is not None:
            self._refuse_when_idle()
        if len(inbox):
            future.set_result(inbox.take())
            if self._paused and not self._is_full():
                self._loop.call_soon(self._go_on)
        elif self._state == _FAILED or self._state == _FINISHED:
            future.set_result(None)
        else:
            inbox.wait(future)
        return future

    def pull(self) -> None:
        """Keep messages until :meth:`receive` asks for them."""
        self._pulling = True

    def drop_messages(self) -> None:
        """The program will not ask for messages any more: they are dropped, those that wait and those to come.

        Otherwise they would keep us from reading on to the peer's close frame, when there are many.
        """
        self._dropping = True
        self._handed = False
        self._inbox.clear()
        self._drain()

    def is_pulling(self) -> bool:
        """Whether the program asks for messages."""
        return self._pulling
