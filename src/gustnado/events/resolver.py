"""Names to addresses, without blocking the loop.

>>> import asyncio
>>> async def main():
...     return await Resolver().resolve("127.0.0.1", 80)
>>> asyncio.run(main())
[(<AddressFamily.AF_INET: 2>, ('127.0.0.1', 80))]

All resolvers return a list of ``(family, address)`` pairs in the system's order of preference, and raise
an :exc:`OSError` (:exc:`socket.gaierror`) where there is no such name. ``Resolver()`` makes what
``Resolver.configure(...)`` chose, by default a :class:`DefaultLoopResolver`.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar, TypeAlias

from gustnado.events.futures import dummy_executor, run_on_executor
from gustnado.events.loop import IOLoop
from gustnado.util import Configurable

__all__ = [
    "Addresses",
    "BlockingResolver",
    "DefaultExecutorResolver",
    "DefaultLoopResolver",
    "ExecutorResolver",
    "OverrideResolver",
    "Resolver",
    "ThreadedResolver",
    "bad_name",
]

Addresses: TypeAlias = list[tuple[socket.AddressFamily, Any]]


class Resolver(Configurable):
    """What resolves; ``Resolver()`` makes an object of the configured class."""

    @classmethod
    def configurable_base(cls) -> type[Configurable]:
        return Resolver

    @classmethod
    def configurable_default(cls) -> type[Configurable]:
        return DefaultLoopResolver

    def resolve(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> Awaitable[Addresses]:
        """Resolve ``host``, a name or an address in text.

        :param family: ``AF_INET`` or ``AF_INET6`` to have only that.
        :returns: ``(family, address)`` pairs, the latter as :meth:`socket.socket.connect` takes them.
        :raises OSError: where there is no such name.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Free what the resolver holds."""


def _pairs(infos: Any) -> Addresses:
    return [(family, address) for family, _, _, _, address in infos]


def _resolve_blocking(host: str, port: int, family: socket.AddressFamily) -> Addresses:
    _check(host)
    try:
        # Some systems need a socket type to know the port; the addresses are those of any type.
        return _pairs(socket.getaddrinfo(host, port, family, socket.SOCK_STREAM))
    except UnicodeError as exc:
        raise bad_name(host) from exc


def _check(host: str) -> None:
    # The system would end the name there: "127.0.0.1\0.example.com" is neither of the two.
    if "\0" in host:
        raise bad_name(host)


def bad_name(host: str) -> socket.gaierror:
    """The error for what cannot be a name: not in IDNA, by which Python encodes names first."""
    return socket.gaierror(socket.EAI_NONAME, f"not a host name: {host!r}")


def _resolve_numeric(host: str, port: int, family: socket.AddressFamily) -> Addresses | None:
    """The result for an address in text, which asks nobody; ``None`` for names."""
    if not host or not (":" in host or host[-1].isdigit()):
        return None
    try:
        return _pairs(socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST))
    except (socket.gaierror, UnicodeError):
        return None


class DefaultLoopResolver(Resolver):
    """Asks the asyncio loop, which asks the system in a thread of its default executor."""

    async def resolve(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> Addresses:
        _check(host)
        numeric = _resolve_numeric(host, port, family)
        if numeric is not None:
            return numeric
        loop = asyncio.get_running_loop()
        try:
            return _pairs(await loop.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM))
        except UnicodeError as exc:
            raise bad_name(host) from exc


class DefaultExecutorResolver(Resolver):
    """Asks the system in a thread of the IOLoop's default executor."""

    async def resolve(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> Addresses:
        _check(host)
        numeric = _resolve_numeric(host, port, family)
        if numeric is not None:
            return numeric
        return await IOLoop.current().run_in_executor(None, _resolve_blocking, host, port, family)


class ExecutorResolver(Resolver):
    """Asks the system in a given :class:`concurrent.futures.Executor`.

    :param executor: ``None`` blocks the loop while it asks.
    :param close_executor: whether :meth:`close` shuts ``executor`` down.
    :param io_loop: accepted for old programs; futures are always of the current loop.
    """

    executor: concurrent.futures.Executor
    close_executor: bool

    def initialize(
        self,
        executor: concurrent.futures.Executor | None = None,
        close_executor: bool = True,
        io_loop: IOLoop | None = None,
    ) -> None:
        self.executor = dummy_executor if executor is None else executor
        self.close_executor = close_executor and executor is not None

    def close(self) -> None:
        if self.close_executor:
            self.executor.shutdown()

    @run_on_executor
    def _ask(self, host: str, port: int, family: socket.AddressFamily) -> Addresses:
        return _resolve_blocking(host, port, family)

    def resolve(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> Awaitable[Addresses]:
        ask: Callable[..., asyncio.Future[Addresses]] = self._ask
        return ask(host, port, family)


class BlockingResolver(ExecutorResolver):
    """Asks the system and blocks the loop meanwhile."""

    def initialize(self, io_loop: IOLoop | None = None) -> None:  # type: ignore[override]
        super().initialize()


class ThreadedResolver(ExecutorResolver):
    """Asks the system in a thread pool that all such resolvers of a process share.

    :param num_threads: size of the pool; the first resolver decides.
    """

    _threadpool: ClassVar[concurrent.futures.ThreadPoolExecutor | None] = None
    _threadpool_pid: ClassVar[int | None] = None

    def initialize(  # type: ignore[override]
        self, num_threads: int = 10, io_loop: IOLoop | None = None
    ) -> None:
        super().initialize(executor=self._shared_pool(num_threads), close_executor=False)

    @classmethod
    def _shared_pool(cls, num_threads: int) -> concurrent.futures.ThreadPoolExecutor:
        pid = os.getpid()
        if ThreadedResolver._threadpool is None or ThreadedResolver._threadpool_pid != pid:
            # Threads do not survive a fork, so a child needs a pool of its own.
            ThreadedResolver._threadpool = concurrent.futures.ThreadPoolExecutor(num_threads)
            ThreadedResolver._threadpool_pid = pid
        return ThreadedResolver._threadpool


class OverrideResolver(Resolver):
    """Replaces some names before another resolver resolves them.

    :param resolver: the other one, closed with this.
    :param mapping: from ``"host"`` to ``"host"``, from ``("host", port)`` to ``("host", port)``, or from
        ``("host", port, family)`` to ``("host", port)``; the most particular one counts.
    """

    def initialize(self, resolver: Resolver, mapping: Mapping[Any, Any]) -> None:
        self.resolver = resolver
        self.mapping = mapping

    def close(self) -> None:
        self.resolver.close()

    def resolve(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> Awaitable[Addresses]:
        mapping = self.mapping
        if (host, port, family) in mapping:
            host, port = mapping[host, port, family]
        elif (host, port) in mapping:
            host, port = mapping[host, port]
        elif host in mapping:
            host = mapping[host]
        return self.resolver.resolve(host, port, family)
