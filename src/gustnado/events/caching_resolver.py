"""A resolver that remembers, around one that asks.

>>> import asyncio, socket
>>> class Slow(Resolver):
...     async def resolve(self, host, port, family=socket.AF_UNSPEC):
...         print("asked for", host)
...         return [(socket.AF_INET, ("192.0.2.1", port))]
>>> async def main():
...     resolver = CachingResolver(Slow(), ttl=60)
...     both = await asyncio.gather(resolver.resolve("a.test", 80), resolver.resolve("A.test", 80))
...     print(both[0] == both[1] == await resolver.resolve("a.test", 80))
>>> asyncio.run(main())
asked for a.test
True

It is not the default, as Tornado's resolvers ask each time, and programs count on that: a name server that
moves a service, or spreads clients over many addresses, is obeyed at once. A program that opens many
connections to a few names switches it on with one line, for all that call ``Resolver()``::

    Resolver.configure(CachingResolver, ttl=10)
"""

from __future__ import annotations

import asyncio
import socket
import time
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from gustnado.events.loop import IOLoop
from gustnado.events.resolver import Addresses, DefaultLoopResolver, Resolver
from gustnado.events.sockets import is_valid_ip

__all__ = ["MAX_NAMES", "NEGATIVE_TTL", "TTL", "CachingResolver"]

TTL = 10.0
"""Seconds that addresses are kept (aiohttp: 10; the system does not say how long they are good for)."""

NEGATIVE_TTL = 1.0
"""Seconds that it is kept that a name does not exist: enough for a burst, too short to hide a new name."""

MAX_NAMES = 1000
"""Names that are kept; beyond, the one that was not asked for for longest is dropped."""

_Key: TypeAlias = tuple[str, int, int]

# Only what a name server has said of a name. That none could be asked passes sooner.
_NO_SUCH_NAME = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}


@dataclass(frozen=True, slots=True)
class _Entry:
    """What is known of a name: its addresses, or the arguments of the :exc:`socket.gaierror`."""

    expires: float
    addresses: Addresses
    error: tuple[object, ...] | None = None


class CachingResolver(Resolver):
    """Remembers what another resolver found, and asks it once for all that want the same at a time.

    Names are kept apart by port and family. Addresses in text are not kept. Whoever stops waiting stops
    only for itself; the look-up goes on for the others, and for the cache.

    :param resolver: the other one, closed with this; by default a
        :class:`~gustnado.events.resolver.DefaultLoopResolver`.
    :param ttl: seconds that addresses are kept; 0 only joins those who ask at the same time.
    :param negative_ttl: seconds that it is kept that there is no such name; other errors are not.
    :param max_names: how many are kept.
    :param io_loop: accepted as by all resolvers; each look-up is of the loop that runs.
    :raises ValueError: where a time is negative or ``max_names`` is less than 1.
    """

    def initialize(
        self,
        resolver: Resolver | None = None,
        ttl: float = TTL,
        negative_ttl: float = NEGATIVE_TTL,
        max_names: int = MAX_NAMES,
        io_loop: IOLoop | None = None,
    ) -> None:
        if not (ttl >= 0 and negative_ttl >= 0):
            raise ValueError(f"CachingResolver: ttl and negative_ttl must be 0 or more: {ttl}, {negative_ttl}")
        if max_names < 1:
            raise ValueError(f"CachingResolver: max_names must be at least 1, not {max_names}")
        # By its class, since Resolver() may be configured to make one of these.
        self.resolver: Resolver = DefaultLoopResolver() if resolver is None else resolver
        self.ttl = ttl
        self.negative_ttl = negative_ttl
        self.max_names = max_names
        self._entries: dict[_Key, _Entry] = {}  # the one that was asked for last comes last
        self._asking: dict[_Key, asyncio.Task[Addresses]] = {}

    def close(self) -> None:
        """Forget everything and close the other resolver."""
        self.clear()
        self.resolver.close()

    def clear(self) -> None:
        """Forget everything, as after the network has changed."""
        self._entries.clear()

    async def resolve(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> Addresses:
        if is_valid_ip(host):
            return await self.resolver.resolve(host, port, family)
        key = host.lower(), port, int(family)
        entry = self._known(key)
        if entry is None:
            return list(await asyncio.shield(self._ask_once(key, host, port, family)))
        if entry.error is not None:
            _raise(entry.error)
        return list(entry.addresses)

    def _known(self, key: _Key) -> _Entry | None:
        entry = self._entries.pop(key, None)
        if entry is None or entry.expires <= time.monotonic():
            return None
        self._entries[key] = entry
        return entry

    def _ask_once(
        self, key: _Key, host: str, port: int, family: socket.AddressFamily
    ) -> asyncio.Task[Addresses]:
        """The look-up that is under way on this loop, or a new one."""
        task = self._asking.get(key)
        if task is None or task.get_loop() is not asyncio.get_running_loop():
            task = asyncio.create_task(self._ask(key, host, port, family))
            self._asking[key] = task
            task.add_done_callback(lambda done: self._asked(key, done))
        return task

    async def _ask(self, key: _Key, host: str, port: int, family: socket.AddressFamily) -> Addresses:
        try:
            addresses = list(await self.resolver.resolve(host, port, family))
        except socket.gaierror as error:
            if error.errno in _NO_SUCH_NAME:
                self._keep(key, self.negative_ttl, [], error.args)
            raise
        self._keep(key, self.ttl, addresses)
        return addresses

    def _asked(self, key: _Key, task: asyncio.Task[Addresses]) -> None:
        if self._asking.get(key) is task:
            del self._asking[key]
        if not task.cancelled():
            task.exception()  # perhaps nobody waits any more

    def _keep(
        self, key: _Key, ttl: float, addresses: Addresses, error: tuple[object, ...] | None = None
    ) -> None:
        if ttl == 0:
            return
        self._entries.pop(key, None)
        self._entries[key] = _Entry(time.monotonic() + ttl, addresses, error)
        if len(self._entries) > self.max_names:
            del self._entries[next(iter(self._entries))]


def _raise(arguments: tuple[object, ...]) -> NoReturn:
    # Not the first one again, which would gather the tracebacks of all that it was raised for.
    raise socket.gaierror(*arguments)
