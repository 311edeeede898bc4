"""Happy eyeballs (RFC 8305): the first of several addresses that answers, without waiting for dead ones.

Addresses of two families are tried in turn (section 4). The next one starts :data:`ATTEMPT_DELAY`
seconds after the one before (section 5), or at once when one fails. The first that succeeds wins, and the
streams of all others are closed.

>>> import asyncio, contextlib, socket
>>> def connect(family, address):
...     if family == socket.AF_INET6:
...         raise OSError("no route")
...     connected = asyncio.get_running_loop().create_future()
...     connected.set_result(None)
...     return contextlib.ExitStack(), connected
>>> async def main():
...     connector = Connector([(socket.AF_INET6, "::1"), (socket.AF_INET, "127.0.0.1")], connect)
...     family, address, stream = await connector.start()
...     print(address)
>>> asyncio.run(main())
127.0.0.1
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain, zip_longest
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from gustnado.events.sockets import format_address

__all__ = ["ATTEMPT_DELAY", "Address", "Connector", "interleave"]

Address: TypeAlias = "tuple[socket.AddressFamily, Any]"
"""A family and an address of it, as :meth:`Resolver.resolve <gustnado.events.resolver.Resolver.resolve>` gives them."""

ATTEMPT_DELAY = 0.25
"""Seconds from one attempt to the next (RFC 8305 section 8: 250 ms)."""


class Closable(Protocol):
    """A stream, as far as this module knows one."""

    def close(self) -> object: ...


S = TypeVar("S", bound=Closable)
# What begins an attempt: gives the stream, and a future that is done when it is connected.
Connect: TypeAlias = "Callable[[socket.AddressFamily, Any], tuple[S, asyncio.Future[Any]]]"


def interleave(addresses: Iterable[Address]) -> list[Address]:
    """Put addresses in the order of attempts: families in turn, each in the order given (section 4).

    >>> interleave([(6, "a"), (6, "b"), (4, "c")])
    [(6, 'a'), (4, 'c'), (6, 'b')]
    """
    families: dict[int, list[Address]] = {}
    for address in dict.fromkeys(addresses):
        families.setdefault(address[0], []).append(address)
    turns = chain.from_iterable(zip_longest(*families.values()))
    return [address for address in turns if address is not None]


class Connector(Generic[S]):
    """Tries addresses until one answers.

    What is to be tried stands in lanes: when an attempt fails, the next address of its lane is tried. Here is one
    lane, of all addresses, and a timer that tries the next one beside those that are under way. Subclasses may
    have other lanes, and another use for the timer.

    :param addresses: what to try, the best first.
    :param connect: ``connect(family, address)`` begins an attempt: it gives the stream (anything with ``close()``),
        and a future that is done when the stream is connected. What it raises is a failure of the attempt.
    :param loop: the loop of the futures; by default the running one.

    :ivar future: becomes ``(family, address, stream)`` of the winner, or the last attempt's error where all
        fail. Cancelling it ends all attempts.
    :ivar pending: the addresses of the attempts that are under way. The end of the race leaves it as it was.
    :ivar streams: those that were opened, without the winner.
    """

    def __init__(
        self,
        addresses: Iterable[Address],
        connect: Connect[S],
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        lanes = self.arrange(addresses)
        self._loop = asyncio.get_running_loop() if loop is None else loop
        self._connect = connect
        self._lanes = [iter(lane) for lane in lanes]
        self._remaining = sum(map(len, lanes))
        self._delay = ATTEMPT_DELAY
        self._timer: asyncio.TimerHandle | None = None
        self._error: BaseException = OSError("connection failed" if self._remaining else "no address to connect to")
        self.future: asyncio.Future[tuple[socket.AddressFamily, Any, S]] = self._loop.create_future()
        self.pending: set[Any] = set()
        self.streams: set[S] = set()

    @staticmethod
    def arrange(addresses: Iterable[Address]) -> list[list[Address]]:
        """The lanes, each in the order in which it is tried."""
        return [interleave(addresses)]

    async def connect(self) -> S:
        """Try them all, and give the winner's stream. Where this is cancelled, no stream is left open.

        :raises OSError: where none can be connected to, or there are none.
        """
        try:
            return (await self.start())[2]
        except BaseException:
            self.close()
            raise

    def start(self, timeout: float = ATTEMPT_DELAY) -> asyncio.Future[tuple[socket.AddressFamily, Any, S]]:
        """Begin, and give :attr:`future`.

        :param timeout: seconds until an attempt that has not ended is joined by the next.
        """
        self._delay = timeout
        self.future.add_done_callback(self._settled)
        self._advance(self._lanes[0])
        return self.future

    def close(self) -> None:
        """End all attempts, and close every stream, the winner's included."""
        future = self.future
        if not future.cancel() and not future.cancelled() and future.exception() is None:
            future.result()[2].close()
        self._end()

    def describe(self) -> str:
        """What is being waited for, to be said after "Timeout"."""
        addresses = ", ".join(sorted(map(format_address, self.pending)))
        return f"while connecting to {addresses}" if addresses else "while connecting"

    def on_timeout(self) -> None:
        """Called by the timer: the next attempt is due, whatever has become of the others."""
        self._timer = None
        if not self.future.done():
            self._advance(self._lanes[0])

    def _begun(self) -> None:
        """Called when an attempt is under way."""
        self._stop_timers()
        self._timer = self._loop.call_later(self._delay, self.on_timeout)

    def _failed(self, error: BaseException | None) -> None:
        """Called when an attempt has failed, before the next one of its lane begins."""
        self._remaining -= 1
        if error is not None:
            self._error = error

    def _stop_timers(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    # -- attempts -------------------------------------------------------------------------------------

    def _advance(self, lane: Iterator[Address]) -> None:
        """Begin the attempt that is next in a lane, or the one after where that fails at once."""
        for family, address in lane:
            if self._begin(lane, family, address):
                return
        if not self._remaining and not self.future.done():
            self.future.set_exception(self._error)
            self._end()

    def _begin(self, lane: Iterator[Address], family: socket.AddressFamily, address: Any) -> bool:
        try:
            stream, connected = self._connect(family, address)
        except Exception as error:
            self._failed(error)
            return False
        self.streams.add(stream)
        self.pending.add(address)
        connected.add_done_callback(partial(self._attempt_done, lane, family, address, stream))
        self._begun()
        return True

    def _attempt_done(
        self,
        lane: Iterator[Address],
        family: socket.AddressFamily,
        address: Any,
        stream: S,
        connected: asyncio.Future[Any],
    ) -> None:
        # An attempt may be cancelled without us: it failed then, and has no error to tell.
        error = None if connected.cancelled() else connected.exception()
        failed = connected.cancelled() or error is not None
        if failed or self.future.done():
            stream.close()
        if self.future.done():
            return
        self.pending.discard(address)
        if failed:
            self._failed(error)
            self._advance(lane)
            return
        self.streams.discard(stream)
        self.future.set_result((family, address, stream))
        self._end()

    def _settled(self, future: asyncio.Future[Any]) -> None:
        if future.cancelled():
            self._end()

    def _end(self) -> None:
        self._stop_timers()
        for stream in self.streams:
            stream.close()
