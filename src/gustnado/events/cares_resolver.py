"""A resolver that asks name servers itself, without threads: over c-ares, by pycares (the extra ``cares``).

::

    Resolver.configure(CaresResolver)

c-ares reads ``/etc/hosts`` and ``/etc/resolv.conf``, but knows no other sources of names that the system
may have (mDNS, LDAP). What the system's own resolver says is the default for that reason.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from typing import Any

from gustnado.errors import UsageError
from gustnado.events.loop import IOLoop
from gustnado.events.resolver import Addresses, Resolver, bad_name

__all__ = ["CaresResolver"]

_SHORTEST_WAIT = 0.001
"""Seconds; c-ares counts in milliseconds, and asked too early would only say so."""


class CaresResolver(Resolver):
    """Asks name servers by c-ares, on the loop.

    :param io_loop: the loop to run on, by default the current one; :meth:`resolve` must be called on it.
    :param servers: name servers, as ``"192.0.2.1"``, ``"192.0.2.1:5353"`` or ``"[2001:db8::1]:53"``; by
        default those of the system.
    :param timeout: seconds that the first try waits for an answer; later ones wait longer.
    :param tries: how often each server is asked.
    :raises gustnado.errors.UsageError: where pycares is not installed.

    :ivar channel: the :class:`pycares.Channel`.
    :ivar fds: descriptor of each of its open sockets -> events that are watched.
    """

    def initialize(
        self,
        io_loop: IOLoop | None = None,
        servers: Sequence[str] | None = None,
        timeout: float | None = None,
        tries: int | None = None,
    ) -> None:
        self._pycares = _pycares()
        self.io_loop = io_loop or IOLoop.current()
        self.fds: dict[int, int] = {}
        self._waiting: set[asyncio.Future[Addresses]] = set()
        self._timer: object | None = None
        self._closed = False
        self.channel: Any = self._pycares.Channel(
            sock_state_cb=self._watch, servers=servers, timeout=timeout, tries=tries
        )

    def close(self) -> None:
        """End all look-ups, with errors, and free what the resolver holds. Again does nothing."""
        if self._closed:
            return
        self.channel.cancel()
        self._closed = True
        self._set_timer()
        for fd in list(self.fds):
            self._unwatch(fd)
        self.channel.close()

    async def resolve(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> Addresses:
        if self._closed:
            raise UsageError("CaresResolver.resolve: the resolver is closed")
        name = _encoded(host)
        future: asyncio.Future[Addresses] = self.io_loop.asyncio_loop.create_future()
        self._waiting.add(future)

        def answered(result: Any, error: int | None) -> None:
            self._waiting.discard(future)
            if future.done():  # cancelled
                return
            if error is None:
                future.set_result([_address(node) for node in result.nodes])
            else:
                future.set_exception(self._error(host, error))

        self.channel.getaddrinfo(name, port, family=family, type=socket.SOCK_STREAM, callback=answered)
        self._set_timer()
        return await future

    def _error(self, host: str, error: int) -> socket.gaierror:
        codes = self._pycares.errno
        if error in (codes.ARES_ENOTFOUND, codes.ARES_ENODATA, codes.ARES_EBADNAME, codes.ARES_ENONAME):
            code = socket.EAI_NONAME
        elif error in (codes.ARES_ETIMEOUT, codes.ARES_ECONNREFUSED, codes.ARES_ESERVFAIL):
            code = socket.EAI_AGAIN
        else:
            code = socket.EAI_FAIL
        return socket.gaierror(code, f"cannot resolve {host!r}: {codes.strerror(error)}")

    def _watch(self, fd: int, readable: bool, writable: bool) -> None:
        """Called by c-ares: what one of its sockets waits for. Nothing means that it is about to be closed."""
        if self._closed:  # then from another thread
            return
        events = (IOLoop.READ if readable else 0) | (IOLoop.WRITE if writable else 0)
        if not events:
            self._unwatch(fd)
        elif fd in self.fds:
            self.io_loop.update_handler(fd, events)
            self.fds[fd] = events
        else:
            self.io_loop.add_handler(fd, self._ready, events)
            self.fds[fd] = events

    def _unwatch(self, fd: int) -> None:
        if self.fds.pop(fd, None) is not None:
            self.io_loop.remove_handler(fd)

    def _ready(self, fd: int, events: int) -> None:
        bad = self._pycares.ARES_SOCKET_BAD
        self.channel.process_fd(fd if events & IOLoop.READ else bad, fd if events & IOLoop.WRITE else bad)
        self._set_timer()

    def _set_timer(self) -> None:
        """Have c-ares look again when the next of its timeouts is over, if any."""
        if self._timer is not None:
            self.io_loop.remove_timeout(self._timer)
            self._timer = None
        if self._waiting and not self._closed:
            wait = max(self.channel.timeout(), _SHORTEST_WAIT)
            self._timer = self.io_loop.call_later(wait, self._time_out)

    def _time_out(self) -> None:
        self._timer = None
        bad = self._pycares.ARES_SOCKET_BAD
        self.channel.process_fd(bad, bad)
        self._set_timer()


def _pycares() -> Any:
    try:
        import pycares
    except ImportError as error:
        raise UsageError(f"CaresResolver needs pycares ({error}): pip install 'gustnado[cares]'") from error
    return pycares


def _address(node: Any) -> tuple[socket.AddressFamily, Any]:
    host, *rest = node.addr
    return socket.AddressFamily(node.family), (host.decode() if isinstance(host, bytes) else host, *rest)


def _encoded(host: str) -> str:
    """``host`` as name servers know it (IDNA); c-ares would end it at a NUL."""
    try:
        name = host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise bad_name(host) from error
    if not name or "\0" in name:
        raise bad_name(host)
    return name
