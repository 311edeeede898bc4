"""Happy eyeballs (RFC 8305): the first of several addresses that answers, without waiting for dead ones.

Addresses of two families are tried in turn (section 4). The next one starts :data:`ATTEMPT_DELAY`
seconds after the one before (section 5), or at once when that fails. The first that succeeds wins; the
others are cancelled, and each attempt closes its own socket when it is cancelled or fails.

>>> import asyncio, socket
>>> async def attempt(family, address):
...     if family == socket.AF_INET6:
...         raise OSError("no route")
...     return address
>>> asyncio.run(connect_first([(socket.AF_INET6, "::1"), (socket.AF_INET, "127.0.0.1")], attempt))
'127.0.0.1'
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import chain, zip_longest
from typing import Any, TypeAlias, TypeVar

__all__ = ["ATTEMPT_DELAY", "connect_first", "interleave"]

T = TypeVar("T")
Address: TypeAlias = tuple[socket.AddressFamily, Any]

ATTEMPT_DELAY = 0.25
"""Seconds from one attempt to the next (RFC 8305 section 8: 250 ms)."""


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


async def connect_first(
    addresses: Sequence[Address],
    attempt: Callable[[socket.AddressFamily, Any], Awaitable[T]],
    delay: float = ATTEMPT_DELAY,
    discard: Callable[[T], object] | None = None,
) -> T:
    """Return what the first successful ``attempt(family, address)`` returns.

    :param attempt: connects; closes what it opened where it fails or is cancelled.
    :param delay: seconds between attempts that do not fail.
    :param discard: called with each further result, of attempts that succeeded in the same moment.
    :raises OSError: the last attempt's error where all fail; also where ``addresses`` is empty.
    """
    order = interleave(addresses)
    if not order:
        raise OSError("no address to connect to")
    if len(order) == 1:
        return await attempt(*order[0])
    winner: T = await _Race(order, attempt, delay, discard).run()
    return winner


class _Race:
    """The attempts of one :func:`connect_first`."""

    def __init__(
        self,
        order: list[Address],
        attempt: Callable[[socket.AddressFamily, Any], Awaitable[Any]],
        delay: float,
        discard: Callable[[Any], object] | None,
    ) -> None:
        self._order = order
        self._attempt = attempt
        self._delay = delay
        self._discard = discard
        self._running: set[asyncio.Task[Any]] = set()
        self._error: BaseException = OSError("connection failed")

    async def run(self) -> Any:
        winner = None
        try:
            winner = await self._find_winner()
            await self._cancel_rest()
        except BaseException:
            if winner is not None:
                self._drop(winner.result())
            await self._cancel_rest()
            raise
        return winner.result()

    async def _find_winner(self) -> asyncio.Task[Any]:
        for address in self._order:
            self._running.add(asyncio.ensure_future(self._start(address)))
            winner = await self._next_winner(self._delay)
            if winner is not None:
                return winner
        while self._running:
            winner = await self._next_winner(None)
            if winner is not None:
                return winner
        raise self._error

    async def _start(self, address: Address) -> Any:
        return await self._attempt(*address)

    async def _next_winner(self, timeout: float | None) -> asyncio.Task[Any] | None:
        """Wait for an attempt to end, or ``timeout`` seconds; the one that succeeded, if any."""
        done, self._running = await asyncio.wait(
            self._running, timeout=timeout, return_when=asyncio.FIRST_COMPLETED
        )
        winner = None
        for task in done:
            error = asyncio.CancelledError() if task.cancelled() else task.exception()
            if error is None and winner is None:
                winner = task
            elif error is None:
                self._drop(task.result())
            elif isinstance(error, Exception):
                self._error = error
        return winner

    def _drop(self, result: Any) -> None:
        if self._discard is not None:
            self._discard(result)

    async def _cancel_rest(self) -> None:
        for task in self._running:
            task.cancel()
        # Cancelled tasks end in the next turn of the loop, each closing its socket.
        for outcome in await asyncio.gather(*self._running, return_exceptions=True):
            if not isinstance(outcome, BaseException):
                self._drop(outcome)
        self._running.clear()
