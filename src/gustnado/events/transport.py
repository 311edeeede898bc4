"""Where transports come from: the one room that knows who makes them.

===============  ==========================================  ================================
event loop       plain                                       TLS
===============  ==========================================  ================================
uvloop           uvloop                                      ``aiofastnet`` over uvloop's
any other        ``aiofastnet``                              ``aiofastnet``
===============  ==========================================  ================================

and the loop's own for everything where ``aiofastnet`` is not installed, and for TLS with a callback in which it
crashes (seen with 1.2.0; see :func:`fastnet_for`). On uvloop its transports are not
put on a socket, although they would work: they watch it with ``add_reader``, and libuv stops watching a
socket for good when a reset arrives, be there bytes before it or not. If there are, the transport reads
these and then waits for ever. uvloop's own do not have this fault, take a fifth of the memory and are
as fast.

Rules for all of them:

- ``protocol.connection_made`` comes first, after the TLS handshake where there is one, and before the
  coroutine here returns. Where that fails, the protocol is told nothing.
- After :func:`watch_drain`, ``pause_writing`` and ``resume_writing`` tell when the write buffer stops being
  empty and when it is empty again; :func:`watch_pressure` goes back to the usual water marks. The
  loops' own TLS transports are late by one write: they count what is not encrypted, not what is not sent.
- Do not pause reading from ``connection_made``: some begin to read after it, whatever was said until then.
"""

from __future__ import annotations

import asyncio
import atexit
import functools
import gc
import os
import socket
import ssl as ssl_module
import sys
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any, cast

from gustnado.errors import UsageError
from gustnado.events.tls_handshake import HandshakeLoop

__all__ = ["hostname_for", "open_transport", "plain_descriptor", "start_tls", "watch_drain", "watch_pressure"]

PLAIN = ("uvloop.loop", "aiofastnet.selector_transport", "asyncio.selector_events")
"""Modules of transports that end in a socket; those of uvloop with TLS tell it by their ``sslcontext``."""

Upgrade = Callable[..., Awaitable["asyncio.Transport | None"]]


@functools.cache
def fastnet() -> ModuleType | None:
    """The module ``aiofastnet``, or ``None`` where it is not installed (PyPy, free-threaded builds)."""
    try:
        import aiofastnet
    except ImportError:
        return None
    return aiofastnet


@atexit.register
def close_left_open() -> None:
    """Close what ``aiofastnet`` (up to 1.2.0 at least) has open when the program ends.

    Its transports warn when they are deleted unclosed, as all do; but what they need for that is gone where Python
    takes itself down, and each then writes "Error in sys.excepthook" on stderr. The protocols are told nothing: no loop
    runs any more.
    """
    names = {"aiofastnet.transport": "StreamTransport", "aiofastnet.ssl_transport": "SSLTransport_Socket"}
    # Those that own a socket.
    owners = tuple(getattr(sys.modules[name], owner) for name, owner in names.items() if name in sys.modules)
    if not owners:
        return
    for found in gc.get_objects():
        if issubclass(type(found), owners):  # the class itself: a weakref.proxy may ask for an object that is gone
            try:
                found.set_protocol(asyncio.Protocol())
            except RuntimeError:  # it is another thread's, whose loop may run still
                continue
            found._finalize_close(None)


def fastnet_for(ssl: ssl_module.SSLContext | None) -> ModuleType | None:
    """The same, but not for a context in whose callbacks it crashes (seen with 1.2.0).

    They are that for SNI, and the one that writes keys down for debuggers of TLS (``SSLKEYLOGFILE``).
    """
    if ssl is not None and (ssl.sni_callback is not None or ssl.keylog_filename is not None):
        return None
    return fastnet()


def is_uvloop(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether ``loop`` is uvloop's."""
    return type(loop).__module__.partition(".")[0] == "uvloop"


async def open_transport(
    loop: asyncio.AbstractEventLoop,
    protocol: asyncio.Protocol,
    sock: socket.socket,
    *,
    ssl: ssl_module.SSLContext | None = None,
    server_side: bool = False,
    server_hostname: str | None = None,
    handshake_timeout: float | None = None,
) -> asyncio.Transport:
    """Hand a connected stream socket over to a new transport that drives ``protocol``.

    The transport owns ``sock`` from then on, and closes it where this fails or is cancelled.

    :param ssl: speak TLS, as server where ``server_side``.
    :param server_hostname: the name that a client asks for (SNI) and checks.
    :param handshake_timeout: seconds; ``None`` is 60.
    :raises gustnado.errors.UsageError: where ``sock`` is not a stream socket, or ``ssl`` checks names and
        there is none to check; ``sock`` stays the caller's then.
    :raises OSError: where the handshake fails (:exc:`ssl.SSLError` is one).
    """
    if sock.type != socket.SOCK_STREAM:
        raise UsageError(f"a stream socket is needed, not {sock!r}")
    if ssl is None:
        fast = None if is_uvloop(loop) else fastnet()
        transport, _ = await accept(fast, loop)(lambda: protocol, sock)
        return cast("asyncio.Transport", transport)
    options: dict[str, Any] = {"ssl_handshake_timeout": handshake_timeout}
    if not server_side:
        options["server_hostname"] = hostname_for(ssl, server_hostname)
    watched = HandshakeLoop(loop)
    opening = open_tls(watched, loop, protocol, sock, ssl, server_side, options)
    return await watched.finish(opening, server_hostname)


async def open_tls(
    watched: HandshakeLoop,
    loop: asyncio.AbstractEventLoop,
    protocol: asyncio.Protocol,
    sock: socket.socket,
    ssl: ssl_module.SSLContext,
    server_side: bool,
    options: dict[str, Any],
) -> asyncio.Transport:
    """:func:`open_transport` with TLS."""
    fast = fastnet_for(ssl)
    if fast is not None and is_uvloop(loop):
        early = Antechamber()
        below, _ = await loop.connect_accepted_socket(lambda: early, sock)
        upgrade = functools.partial(fast.start_tls, watched)
        return await encrypt(loop, upgrade, below, early, protocol, ssl, server_side=server_side, **options)
    make = accept if server_side else connect
    transport, _ = await make(fast, watched)(lambda: protocol, sock=sock, ssl=ssl, **options)
    return cast("asyncio.Transport", transport)


async def start_tls(
    loop: asyncio.AbstractEventLoop,
    transport: asyncio.Transport,
    protocol: asyncio.Protocol,
    ssl: ssl_module.SSLContext,
    *,
    server_side: bool = False,
    server_hostname: str | None = None,
    handshake_timeout: float | None = None,
) -> asyncio.Transport:
    """Begin TLS on a connected plain transport; the one returned drives ``protocol``.

    The plain transport is closed where this fails or is cancelled.

    :raises gustnado.errors.UsageError: where ``ssl`` checks names and there is none to check.
    :raises OSError: where the handshake fails (:exc:`ssl.SSLError` is one).
    """
    fast, watched = fastnet_for(ssl), HandshakeLoop(loop)
    opening = encrypt(
        loop,
        loop.start_tls if fast is None else functools.partial(fast.start_tls, watched),
        transport,
        Antechamber(),
        protocol,
        ssl,
        server_side=server_side,
        server_hostname=None if server_side else hostname_for(ssl, server_hostname),
        ssl_handshake_timeout=handshake_timeout,
    )
    return await watched.finish(opening, server_hostname)


async def encrypt(
    loop: asyncio.AbstractEventLoop,
    upgrade: Upgrade,
    transport: asyncio.Transport,
    early: Antechamber,
    protocol: asyncio.Protocol,
    ssl: ssl_module.SSLContext,
    **options: Any,
) -> asyncio.Transport:
    """Put TLS over ``transport``, whose protocol ``early`` may have received the beginning of it already."""
    if transport.is_closing():
        raise ConnectionResetError("the connection was lost before TLS began")
    if early.received:
        # ``upgrade`` schedules the beginning of the handshake; this comes right behind it.
        loop.call_soon(loop.call_soon, feed, transport, b"".join(early.received))
    waiting = Antechamber()
    encrypted = await upgrade(transport, waiting, ssl, **options)
    if encrypted is None or waiting.is_lost or (encrypted.is_closing() and not waiting.is_ended):
        raise ConnectionResetError("the connection was lost during the TLS handshake")
    waiting.admit(encrypted, protocol)
    return encrypted


class Antechamber(asyncio.Protocol):
    """Takes in what happens to a transport before its real protocol is ready for it."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.is_ended = False
        self.is_lost = False
        self.error: Exception | None = None

    def data_received(self, data: bytes) -> None:
        self.received.append(data)

    def eof_received(self) -> None:
        self.is_ended = True

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost = True
        self.error = exc

    def admit(self, transport: asyncio.Transport, protocol: asyncio.Protocol) -> None:
        """Let ``protocol`` in, and tell it what has happened."""
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        if self.received:
            protocol.data_received(b"".join(self.received))
        if self.is_ended:
            protocol.eof_received()


def feed(transport: asyncio.Transport, data: bytes) -> None:
    """Give ``data`` to the protocol of ``transport`` as the transport would."""
    protocol = transport.get_protocol()
    if not isinstance(protocol, asyncio.BufferedProtocol):
        if protocol is not None:
            cast("asyncio.Protocol", protocol).data_received(data)
        return
    while data:
        buffer = memoryview(protocol.get_buffer(len(data)))
        size = min(len(buffer), len(data))
        buffer[:size] = data[:size]
        protocol.buffer_updated(size)
        data = data[size:]


def accept(fast: ModuleType | None, loop: Any) -> Callable[..., Awaitable[Any]]:
    """What makes a transport of an accepted socket (or of any, where there is no TLS)."""
    if fast is None:
        own: Callable[..., Awaitable[Any]] = loop.connect_accepted_socket
        return own
    return functools.partial(fast.connect_accepted_socket, loop)


def connect(fast: ModuleType | None, loop: Any) -> Callable[..., Awaitable[Any]]:
    """What makes a transport of a client's socket."""
    if fast is None:
        own: Callable[..., Awaitable[Any]] = loop.create_connection
        return own
    return functools.partial(fast.create_connection, loop)


def hostname_for(context: ssl_module.SSLContext, server_hostname: str | None) -> str:
    """The name that a client gives to its TLS layer.

    :raises gustnado.errors.UsageError: where there is none, although ``context`` checks names.
    """
    if server_hostname:
        ascii_name = server_hostname.isascii()
        return server_hostname if ascii_name else server_hostname.encode("idna").decode("ascii")
    if context.check_hostname:
        raise UsageError("a server_hostname is needed, since the SSLContext checks host names")
    # asyncio and aiofastnet both ask for a name. An address is never sent (RFC 6066 section 3), and
    # nothing is checked, so this one means none.
    return "127.0.0.1"


def plain_descriptor(transport: asyncio.BaseTransport) -> int:
    """The socket's descriptor where ``transport`` sends to it just what is written, else, or if unsure, -1."""
    made_by = type(transport).__module__
    if os.name != "posix" or made_by not in PLAIN or transport.get_extra_info("sslcontext") is not None:
        return -1
    sock = transport.get_extra_info("socket")
    return -1 if sock is None else cast("int", sock.fileno())


def watch_drain(transport: asyncio.WriteTransport) -> None:
    """Make ``pause_writing`` mean "something is left to write", and ``resume_writing`` "nothing is"."""
    # The TLS transports of asyncio and uvloop pause at the mark, all others above it: with a mark of 0 they
    # would pause before anything is written.
    at_mark = transport.get_extra_info("sslcontext") is not None and type(transport).__module__ in (
        "asyncio.sslproto",
        "uvloop.loop",
    )
    transport.set_write_buffer_limits(high=1 if at_mark else 0, low=0)


def watch_pressure(transport: asyncio.WriteTransport, high: int | None = None) -> None:
    """Pause above ``high`` bytes, 64 KiB where it is ``None``, and resume at a quarter of it."""
    transport.set_write_buffer_limits(high=high)
