"""Streams over sockets, plain and with TLS.

``IOStream(socket)`` takes a socket in any state: accepted, connected, or to be connected with
:meth:`IOStream.connect`. It can be used at once. What is read and written before there is a transport
waits; the transport is made when it is first needed, so that a stream on which TLS begins right away
never has a plain one.

>>> async def main():
...     ours, theirs = socket.socketpair()
...     stream, echo = IOStream(ours), IOStream(theirs)
...     await stream.write(b"hello\\n")
...     await echo.write(await echo.read_until(b"\\n"))
...     print(await stream.read_bytes(6))
...     echo.close()
...     print(await stream.read_until_close())
>>> asyncio.run(main())
b'hello\\n'
b''
"""

from __future__ import annotations

import asyncio
import enum
import errno
import os
import socket
import ssl
from collections.abc import Callable
from typing import Any, TypeVar, cast

from gustnado.errors import UsageError
from gustnado.events.callbacks import require_callable
from gustnado.events.loop import IOLoop
from gustnado.events.stream_base import BaseIOStream
from gustnado.events.stream_state import fail_quietly, is_connection_reset
from gustnado.events.tls import SSLOptions, ssl_options_to_context
from gustnado.events.tls_handshake import use_words_of_openssl
from gustnado.events.tls_socket import TLSSocket, plain_socket
from gustnado.events.transport import hostname_for, open_transport, start_tls
from gustnado.log import gen_log

__all__ = ["AlreadyWaitingError", "BaseIOStream", "IOStream", "SSLIOStream", "StreamBusyError"]

Self = TypeVar("Self", bound="IOStream")
TLSSelf = TypeVar("TLSSelf", bound="SSLIOStream")


class StreamBusyError(UsageError, ValueError):
    """The stream has begun what this cannot be done after: reading, writing, connecting."""


class AlreadyWaitingError(UsageError, RuntimeError):
    """Somebody waits for the handshake already."""


class Stage(enum.Enum):
    """How far the opening has come: who owns the socket, and what closing it takes."""

    FRESH = "nothing has begun"
    SCHEDULED = "a task will open it; the socket is ours"
    CONNECTING = "the task connects the socket, which is ours"
    OPENING = "the task waits for a transport, which owns the socket"
    OPEN = "the transport is there, or was"


class IOStream(BaseIOStream):
    """A stream over a socket.

    :param socket: a stream socket (TCP, Unix, ...), connected or not; the stream owns it from now on.

    The other parameters are those of :class:`BaseIOStream`.

    :ivar socket: the socket, ``None`` once the stream is closed. Ask it and set its options; reading from
        it, writing to it or closing it are the stream's business.
    """

    __slots__ = ("_address", "_sock", "_stage", "socket")

    def __init__(
        self,
        socket: socket.socket,
        max_buffer_size: int | None = None,
        read_chunk_size: int | None = None,
        max_write_buffer_size: int | None = None,
        io_loop: IOLoop | None = None,
    ) -> None:
        socket.setblocking(False)
        self._sock = socket
        self._address: Any = None
        self._stage = Stage.FRESH
        self.socket: Any = socket
        super().__init__(max_buffer_size, read_chunk_size, max_write_buffer_size, io_loop)

    # -- connecting -----------------------------------------------------------------------------------

    def connect(
        self: Self,
        address: Any,
        callback: Callable[[], object] | str | None = None,
        server_hostname: str | Callable[[], object] | None = None,
    ) -> asyncio.Future[Self]:
        """Connect the socket.

        Reads and writes may begin before this is done.

        :param address: as for :meth:`socket.socket.connect`. A host name is resolved without blocking, but
            :class:`~gustnado.events.tcp_client.TCPClient` tries all of a host's addresses.
        :param callback: called without arguments when connected. (By position it may stand on either side
            of ``server_hostname``.)
        :param server_hostname: the name to check and to send where the stream speaks TLS.
        :returns: a future whose result is the stream itself. It fails with
            :exc:`~gustnado.errors.StreamClosedError`, whose ``real_error`` says why.
        :raises StreamBusyError: where this was called before, or the stream is in use.
        """
        if callable(server_hostname) or isinstance(callback, str):
            callback, server_hostname = server_hostname, callback
        require_callable(callback)
        future = self._connect(address, cast("str | None", server_hostname))
        return self._deliver(future, cast("Callable[[], object] | None", callback), with_result=False)

    def _connect(self: Self, address: Any, server_hostname: str | None) -> asyncio.Future[Self]:
        self._check_closed()
        if self._address is not None or self._stage not in (Stage.FRESH, Stage.SCHEDULED):
            raise StreamBusyError("the stream is connected, or connecting")
        self._address = address
        future = self._open_future = asyncio.Future(loop=self._loop)
        self._start_opening()
        return future

    def _prepare(self) -> None:
        """Nothing: a socket is opened when there is something to do with it."""

    def _notice_close(self) -> None:
        if self._is_connected():
            self._start_opening()

    def _is_connected(self) -> bool:
        try:
            self._sock.getpeername()
        except OSError:
            return False
        return True

    def _start_opening(self) -> None:
        if self._stage is not Stage.FRESH or self._closed:
            return
        self._stage = Stage.SCHEDULED
        if self._loop.is_running():
            self._opening = self._loop.create_task(self._open())
        else:
            # A task for a loop that never runs would complain when it is dropped.
            self._opening = self._loop.call_soon(self._launch)

    def _launch(self) -> None:
        self._opening = self._loop.create_task(self._open())

    async def _open(self) -> None:
        """Connect where that is asked for, then hand the socket to a transport."""
        if self._stage is not Stage.SCHEDULED:
            return  # another stream has taken the socket over
        try:
            if self._closed and not self._write_buffer:
                self._sock.close()
                return
            await self._connect_socket()
            self._stage = Stage.OPENING
            await self._make_transport()
        except UsageError as error:
            self._sock.close()
            self._fail_to_open(error)
        except Exception as error:
            self._fail_to_open(error)
        self._opening = None
        # Not before: some transports begin to read after connection_made, whatever was said until then.
        if self.transport is not None and (self._held or self._paused):
            self.transport.pause_reading()

    async def _connect_socket(self) -> None:
        if self._address is None:
            return
        self._stage = Stage.CONNECTING
        try:
            await self._loop.sock_connect(self._sock, self._address)
        except BaseException as error:
            self._sock.close()
            if isinstance(error, OSError) and not isinstance(error, socket.gaierror) and error.errno:
                # In the system's words, which event loops replace by theirs.
                raise OSError(error.errno, f"{os.strerror(error.errno)}: {self._address!r}") from None
            raise

    async def _make_transport(self) -> None:
        if self._overrides_descriptor():
            self._open_fd()
        else:
            await open_transport(self._loop, self, self._sock)

    def _overrides_descriptor(self) -> bool:
        """Whether a subclass wants to do the reading and writing itself."""
        mine = type(self)
        return mine.read_from_fd is not IOStream.read_from_fd or mine.write_to_fd is not IOStream.write_to_fd

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._stage = Stage.OPEN
        super().connection_made(transport)

    def _fail_to_open(self, error: Exception) -> None:
        self._stage = Stage.OPEN
        self._lost = True
        if not self._closed:
            self.close(exc_info=error)

    # -- the end --------------------------------------------------------------------------------------

    def connection_lost(self, exc: BaseException | None) -> None:
        # While a transport is being made, its maker tells what went wrong, and better.
        if self._stage is Stage.OPEN:
            super().connection_lost(exc)

    def _shut(self, drop: bool) -> None:
        super()._shut(drop)
        self.socket = None

    def _abandon(self) -> None:
        if self._stage is Stage.CONNECTING or (self._stage is Stage.OPENING and self._ends_with_peer):
            cast("asyncio.Task[None]", self._opening).cancel()
        if self._address is not None or self._ends_with_peer:
            self._write_buffer = None
        super()._abandon()

    # -- TLS ------------------------------------------------------------------------------------------

    def start_tls(
        self,
        server_side: bool,
        ssl_options: SSLOptions | None = None,
        server_hostname: str | None = None,
    ) -> asyncio.Future[SSLIOStream]:
        """Begin TLS on this connection, as for ``STARTTLS``.

        Nothing may be in flight: no pending read or write, and no bytes that were received but not read
        (they came in clear, so they must not be taken for what TLS protects). This stream is of no use
        afterwards. Its close callback goes over to the new one.

        :param ssl_options: a context or a dictionary as of
            :func:`~gustnado.events.tls.ssl_options_to_context`; by default the peer's certificate is
            checked by a client.
        :param server_hostname: the name that a client sends and checks.
        :returns: a future whose result is the new stream, after the handshake. It fails with what the
            handshake failed with. Cancelling it closes the connection.
        :raises StreamBusyError: where the stream is not idle.
        """
        self._send_gathered()
        if self._is_busy():
            raise StreamBusyError("IOStream is not idle; cannot convert to SSL")
        context = ssl_options_to_context(ssl_options or {}, server_side=server_side)
        if not server_side:
            hostname_for(context, server_hostname)
        opened = self._stage not in (Stage.FRESH, Stage.SCHEDULED)
        if opened:
            self.pause_reading()  # what comes from now on is for TLS
        stream = SSLIOStream(
            self._sock,
            self.max_buffer_size,
            self.read_chunk_size,
            self.max_write_buffer_size,
            self.io_loop,
            ssl_options=context,
            server_side=server_side,
            server_hostname=server_hostname,
            over=self if opened else None,
        )
        stream.set_close_callback(self._close_callback)
        self._close_callback = None
        if not opened:
            self._hand_over()
        future = stream.wait_for_handshake()
        future.add_done_callback(lambda done: stream.close() if done.cancelled() else None)
        return future

    def _is_busy(self) -> bool:
        in_flight = (self._read_future, self._unflushed, self._open_future, self._read_buffer, self._consumer)
        return self._closed or self._eof or any(item is not None for item in in_flight)

    async def _released(self) -> asyncio.Transport:
        """The transport, which another stream takes over.

        :raises ConnectionResetError: where the connection was lost before.
        """
        if isinstance(self._opening, asyncio.Task):
            await asyncio.wait({self._opening})
        transport = self.transport
        self._hand_over()
        if transport is None:
            raise ConnectionResetError("the connection was lost before TLS began")
        return transport

    def _hand_over(self) -> None:
        """The connection belongs to another stream from now on."""
        self.transport = self.socket = None
        self._stage = Stage.OPEN
        self._closed = self._hindered = self._lost = True

    # -- the socket -----------------------------------------------------------------------------------

    def get_peername(self) -> Any:
        """The peer's address (a tuple for TCP, a path for Unix sockets), ``None`` where there is none."""
        if self._closed:
            return None
        try:
            return self._sock.getpeername()
        except OSError:
            return None

    def set_nodelay(self, value: bool) -> None:
        if self._closed or self._sock.family not in (socket.AF_INET, socket.AF_INET6):
            return
        try:
            self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1 if value else 0)
        except OSError as error:
            # A connection that has just been lost refuses this in various ways.
            if error.errno != errno.EINVAL and not is_connection_reset(error):
                raise

    def fileno(self) -> int:
        """The descriptor of the socket, -1 once it is closed."""
        return self._sock.fileno()

    def close_fd(self) -> None:
        self._sock.close()

    def get_fd_error(self) -> Exception | None:
        code = self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        return OSError(code, os.strerror(code)) if code else None

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        """Used only by subclasses that override this or :meth:`write_to_fd`."""
        try:
            return self._sock.recv_into(buf)
        except BlockingIOError:
            return None

    def write_to_fd(self, data: memoryview) -> int:
        """Used only by subclasses that override this or :meth:`read_from_fd`."""
        return self._sock.send(data)


class SSLIOStream(IOStream):
    """A stream with TLS over a socket.

    The handshake begins at once where the socket is connected, else with :meth:`connect`. Reads and writes
    may begin before it is done.

    :param socket: a plain socket, or one that was wrapped with
        ``context.wrap_socket(sock, do_handshake_on_connect=False)``, which says the rest.
    :param ssl_options: a context, or a dictionary as of
        :func:`~gustnado.events.tls.ssl_options_to_context`; by default the peer's certificate is checked by
        a client.
    :param server_side: whether to be the server of the handshake.
    :param server_hostname: the name that a client sends and checks.
    :param handshake_timeout: seconds for the handshake; 60 by default.
    :param handshake_log: called as ``logging.Logger.warning`` where it fails; ``gustnado.general``'s by default.

    The other parameters are those of :class:`BaseIOStream`.

    :ivar socket: a :class:`~gustnado.events.tls_socket.TLSSocket`, which answers for the TLS layer too.
    """

    __slots__ = ("_context", "_handshake_log", "_handshake_timeout", "_over", "_server_hostname", "_server_side")

    _ends_with_peer = True

    def __init__(
        self,
        socket: socket.socket,
        max_buffer_size: int | None = None,
        read_chunk_size: int | None = None,
        max_write_buffer_size: int | None = None,
        io_loop: IOLoop | None = None,
        *,
        ssl_options: SSLOptions | None = None,
        server_side: bool = False,
        server_hostname: str | None = None,
        handshake_timeout: float | None = None,
        handshake_log: Callable[..., object] | None = None,
        over: IOStream | None = None,
    ) -> None:
        plain = socket
        if isinstance(socket, ssl.SSLSocket):
            ssl_options, server_side = socket.context, bool(socket.server_side)
            server_hostname = socket.server_hostname or server_hostname
            plain = plain_socket(socket)
        self._context = ssl_options_to_context(ssl_options or {}, server_side=server_side)
        self._server_side = server_side
        self._server_hostname = server_hostname
        self._handshake_timeout = handshake_timeout
        self._handshake_log = handshake_log
        self._over = over
        super().__init__(plain, max_buffer_size, read_chunk_size, max_write_buffer_size, io_loop)
        self.socket = TLSSocket(plain, self._context, server_side, server_hostname)

    def _prepare(self) -> None:
        if self._is_connected():
            self._start_opening()

    def _connect(self: TLSSelf, address: Any, server_hostname: str | None) -> asyncio.Future[TLSSelf]:
        if server_hostname is not None:
            self._server_hostname = self.socket.server_hostname = server_hostname
        return super()._connect(address, server_hostname)

    def wait_for_handshake(self: Self, callback: Callable[[], object] | None = None) -> asyncio.Future[Self]:
        """A future whose result is the stream, when the handshake is done.

        It fails with what the handshake failed with, or with
        :exc:`~gustnado.errors.StreamClosedError`.

        :param callback: called without arguments when the handshake is done.
        :raises AlreadyWaitingError: where somebody waits already, :meth:`connect` included.
        """
        require_callable(callback)
        if self._open_future is not None:
            raise AlreadyWaitingError("Already waiting")
        future = self._open_future = asyncio.Future(loop=self._loop)
        if self._closed:
            self._fail_opening()
        elif self._stage is Stage.OPEN:
            self._connected()
        return self._deliver(future, callback, with_result=False)

    def reading(self) -> bool:
        return self._stage is Stage.OPENING or super().reading()

    async def _make_transport(self) -> None:
        descriptor, peer = self.fileno(), self.get_peername()
        try:
            await self._shake_hands()
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            raise  # the peer just left
        except ssl.SSLError as error:
            log = self._handshake_log or gen_log.warning
            log("SSL Error on %s %s: %s", descriptor, peer, error)
            raise

    async def _shake_hands(self) -> None:
        if self._over is None:
            await open_transport(
                self._loop,
                self,
                self._sock,
                ssl=self._context,
                server_side=self._server_side,
                server_hostname=self._server_hostname,
                handshake_timeout=self._handshake_timeout,
            )
            return
        plain, self._over = self._over, None
        await start_tls(
            self._loop,
            await plain._released(),
            self,
            self._context,
            server_side=self._server_side,
            server_hostname=self._server_hostname,
            handshake_timeout=self._handshake_timeout,
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self.socket is not None:
            self.socket.handshake_done(transport.get_extra_info("ssl_object"))
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        # With TLS 1.3 a client learns after its handshake that its certificate was refused.
        use_words_of_openssl(exc)
        super().connection_lost(exc)

    def _fail_opening(self) -> None:
        # Who waits for a handshake wants to know what was wrong with it.
        future = self._open_future
        if future is not None and self.error is not None:
            fail_quietly(future, self.error)
        super()._fail_opening()
