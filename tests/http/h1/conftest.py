"""What the tests of HTTP/1 share: a server's connection over a stream that is not there.

``connect(...)`` gives a :class:`Peer`, the client's end of such a connection. Everything is driven from the
test: bytes arrive when it sends them, time passes when it says so, and after each step the event loop has
nothing left to do. So a test of a deadline takes no time, and gives the same result on every machine.
"""

from __future__ import annotations

import asyncio
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gustnado.http.delegates import HTTPMessageDelegate, HTTPServerConnectionDelegate
from gustnado.http.h1.parameters import HTTP1ConnectionParameters
from gustnado.http.h1.server_connection import HTTP1ServerConnection
from gustnado.http.headers import HTTPHeaders
from gustnado.http.limits import Limits
from gustnado.http.messages import ResponseStartLine
from gustnado.http.sweeper import Sweeper

TURNS = 30  # of the event loop, after which nothing is left to do in these tests


class ClockLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock is set by the test."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self._timers: list[asyncio.TimerHandle] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, *args: Any, **options: Any) -> asyncio.TimerHandle:  # type: ignore[override]
        timer = super().call_at(when, *args, **options)
        self._timers.append(timer)
        return timer

    def armed(self) -> int:
        """How many calls are to come."""
        return sum(timer.when() > self.now and not timer.cancelled() for timer in self._timers)


class FakeTransport:
    """Keeps what is written. ``unsent`` bytes of it are said to wait for the peer."""

    def __init__(self, half_close: bool = True) -> None:
        self.sent = bytearray()
        self.writes = 0
        self.unsent = 0
        self.eof_written = False
        self.half_close = half_close
        self.high = 65536

    def write(self, data: bytes) -> None:
        assert data, "nothing is written"
        assert not self.eof_written, "written after the end"
        self.sent += data
        self.writes += 1

    def writelines(self, pieces: list[bytes]) -> None:
        self.write(b"".join(pieces))

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.high = 65536 if high is None else high

    def can_write_eof(self) -> bool:
        return self.half_close

    def write_eof(self) -> None:
        self.eof_written = True

    def is_closing(self) -> bool:
        return False


class FakeStream:
    """An ``IOStream`` as a consumer sees it. What arrives while reading is paused waits in ``kernel``."""

    def __init__(self, loop: asyncio.AbstractEventLoop, half_close: bool = True) -> None:
        self.io_loop = types.SimpleNamespace(asyncio_loop=loop)
        self.socket = None
        self.wire = FakeTransport(half_close)
        self.transport: FakeTransport | None = self.wire
        self.consumer: Any = None
        self.reading = True
        self.kernel = bytearray()
        self.unread: bytes | None = None  # after detach_consumer
        self.aborted = False
        self._loop = loop
        self._at_end = False

    def attach_consumer(self, consumer: Any) -> None:
        self.consumer = consumer

    def detach_consumer(self, unread: bytes = b"") -> None:
        self.consumer, self.unread = None, unread

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True
        self._loop.call_soon(self.deliver)

    def deliver(self) -> None:
        """Give to the consumer what has arrived, as a transport does."""
        if self.consumer is None or self.transport is None or not self.reading:
            return
        if self.kernel:
            data, self.kernel = bytes(self.kernel), bytearray()
            self.consumer.data_received(data)
        if self._at_end and self.reading and self.transport is not None:
            self._at_end = False
            if not self.consumer.eof_received():
                self.close()

    def half_close(self) -> None:
        self._at_end = True
        self.deliver()

    def close(self) -> None:
        self._end(None)

    def abort(self) -> None:
        self.aborted = True
        self._end(None)

    def break_off(self, error: BaseException | None) -> None:
        self._end(error)

    def _end(self, error: BaseException | None) -> None:
        if self.transport is not None:
            self.transport = None
            consumer, self.consumer = self.consumer, None
            self._loop.call_soon(consumer.connection_lost, error)

    def closed(self) -> bool:
        return self.transport is None

    def get_peername(self) -> Any:
        return None if self.closed() else ("192.0.2.7", 4711)


class Message(HTTPMessageDelegate):
    """One request as the program got it."""

    def __init__(self, program: Program, connection: Any) -> None:
        self.program = program
        self.connection = connection
        self.method = self.path = self.version = ""
        self.headers = HTTPHeaders()
        self.body = b""

    def headers_received(self, start_line, headers):
        self.method, self.path, self.version = start_line
        self.headers = headers
        self.program.note(f"head {self.method} {self.path}")
        return self.program.on_head(self)

    def data_received(self, chunk):
        self.body += chunk
        self.program.note(f"data {len(chunk)}")
        return self.program.on_data(self)

    def finish(self):
        self.program.note("finish")
        self.program.on_finish(self)

    def trailers_received(self, trailers):
        self.program.note(f"trailers {dict(trailers)}")

    def refused(self, error):
        self.program.note(f"refused {error.status}")
        return self.program.on_refused(self, error)

    def on_connection_close(self):
        self.program.note("gone")

    def head(self, code: int = 200, **fields: str) -> Any:
        """Write the head of the response."""
        headers = HTTPHeaders({name.replace("_", "-"): value for name, value in fields.items()})
        return self.connection.write_headers(ResponseStartLine("", code, ""), headers)

    def reply(self, body: bytes | str = b"ok", code: int = 200, **fields: str) -> None:
        """Write the whole response."""
        data = body.encode() if isinstance(body, str) else body
        self.head(code, Content_Length=str(len(data)), **fields)
        if data:
            self.connection.write(data)
        self.connection.finish()


class Program(HTTPServerConnectionDelegate):
    """Does what the test says; ``log`` tells what it was called with."""

    def __init__(
        self,
        on_finish: Callable[[Message], object] | None = None,
        on_head: Callable[[Message], Any] | None = None,
        on_data: Callable[[Message], Any] | None = None,
        on_refused: Callable[[Message, Exception], Any] | None = None,
    ) -> None:
        self.log: list[str] = []
        self.on_finish = on_finish or (lambda message: message.reply(message.path))
        self.on_head = on_head or (lambda message: None)
        self.on_data = on_data or (lambda message: None)
        self.on_refused = on_refused or (lambda message, error: False)

    def note(self, what: str) -> None:
        self.log.append(what)

    def start_request(self, server_conn, request_conn):
        return Message(self, request_conn)

    def on_close(self, server_conn):
        self.note("closed")


class Peer:
    """The client's end."""

    def __init__(
        self,
        loop: ClockLoop,
        limits: Limits | None = None,
        half_close: bool = True,
        no_keep_alive: bool = False,
        chunk_size: int | None = None,
        max_body_size: int | None = None,
        like_tornado: bool = False,
        **program: Any,
    ) -> None:
        self.loop = loop
        self.program = Program(**program)
        self.stream = FakeStream(loop, half_close)
        self.taken = 0
        params = HTTP1ConnectionParameters(
            no_keep_alive=no_keep_alive,
            chunk_size=chunk_size,
            max_body_size=max_body_size,
            like_tornado=like_tornado,
            limits=limits,
        )
        self.connection: Any = None

        def begin() -> None:
            sweeper = Sweeper(loop, 1.0)
            self.connection = HTTP1ServerConnection(self.stream, params, "192.0.2.7", sweeper)  # type: ignore[arg-type]
            self.connection.start_serving(self.program)

        self.do(begin)

    def do(self, function: Callable[..., object], *args: Any) -> None:
        """Call ``function`` on the loop, and let all happen that follows from it."""

        async def main() -> None:
            function(*args)
            for _ in range(TURNS):
                await asyncio.sleep(0)

        self.loop.run_until_complete(main())

    def send(self, data: bytes) -> None:
        """Bytes arrive, or wait in the kernel where the server does not read."""
        self.stream.kernel += data
        self.do(self.stream.deliver)

    def wait(self, seconds: float) -> None:
        """Let time pass, a second or (where it is long) a hundredth of it at a time."""
        steps = min(100, max(1, int(seconds)))
        for _ in range(steps):
            self.loop.now += seconds / steps
            self.do(lambda: None)

    def half_close(self) -> None:
        """Send no more."""
        self.do(self.stream.half_close)

    def leave(self, error: BaseException | None = None) -> None:
        """Be gone."""
        self.do(self.stream.break_off, error)

    def received(self) -> bytes:
        """What has been sent to us since the last call, without the ``Date``."""
        data = bytes(self.stream.wire.sent[self.taken :])
        self.taken += len(data)
        lines = data.split(b"\r\n")
        return b"\r\n".join([line for line in lines if not line.startswith(b"Date: ")])

    @property
    def log(self) -> list[str]:
        """What the program was called with since the last look."""
        log, self.program.log = self.program.log, []
        return log

    @property
    def closed(self) -> bool:
        """The server has closed the connection."""
        return self.stream.closed()

    @property
    def lingering(self) -> bool:
        """The server has said all that it will say, and waits for us to close."""
        return self.stream.wire.eof_written and not self.closed


@pytest.fixture
def connect() -> Iterator[Callable[..., Peer]]:
    """``connect(limits=None, on_head=None, on_data=None, on_finish=None, ...)`` gives a :class:`Peer`."""
    loop = ClockLoop()
    try:
        yield lambda **options: Peer(loop, **options)
        while tasks := asyncio.all_tasks(loop):
            for task in tasks:
                task.cancel()
            loop.run_until_complete(asyncio.wait(tasks))
    finally:
        loop.close()


class Slow:
    """A program that answers when it is told to."""

    def __init__(self) -> None:
        self.messages: list = []
        self.answered = 0

    def __call__(self, message) -> None:
        self.messages.append(message)

    def answer(self) -> None:
        message = self.messages[self.answered]
        self.answered += 1
        message.reply(message.path)


class Gate:
    """What a program awaits before it takes more of a body."""

    def __init__(self) -> None:
        self.future: asyncio.Future[None] | None = None

    def __call__(self, message) -> asyncio.Future[None]:
        self.future = asyncio.get_running_loop().create_future()
        return self.future

    def open(self) -> None:
        assert self.future is not None
        self.future.set_result(None)


@pytest.fixture
def slow_program() -> type[Slow]:
    """``slow_program()`` makes an ``on_finish`` that keeps requests until ``answer()`` is called."""
    return Slow


@pytest.fixture
def gated() -> type[Gate]:
    """``gated()`` makes an ``on_head`` or ``on_data`` that has to be awaited until ``open()`` is called."""
    return Gate
