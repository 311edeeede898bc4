"""Which connection takes which request: decisions without I/O.

A *ticket* stands for a request (the pool does not look into it), a *key* for everything that a connection must have
in common with another one to take its requests: scheme, host, port, TLS options, proxy, ... Rules:

- A ticket holds a *slot* from the moment it is let in until it is released. ``max_clients`` bounds the slots in all,
  ``max_clients_per_host`` those of one key. Who finds none free waits in line; who waits for a busy host does not
  hold up others behind.
- Connections that nobody uses are kept, ``max_idle`` at most; the one used last is used first, the one that has been
  idle longest goes first, and none is kept longer than its deadline.
- A decision is returned, and the caller acts on it: :meth:`ConnectionPool.acquire` says at once what to do for one
  ticket, :meth:`ConnectionPool.admit` who of those in line is let in.

>>> pool = ConnectionPool(max_clients=1)
>>> pool.acquire("a", "first") is OPEN, pool.acquire("a", "second") is WAIT
(True, True)
>>> pool.keep("a", "connection", deadline=10.0)
[]
>>> pool.release("a")
>>> pool.admit()
('second', 'a', 'connection')
"""

from __future__ import annotations

import enum
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, Final, TypeAlias

__all__ = ["OPEN", "WAIT", "ConnectionPool"]


Line: TypeAlias = "OrderedDict[Any, Hashable]"


class Verdict(enum.Enum):
    """What there is to do for a ticket that gets no connection."""

    OPEN = "open a connection"
    WAIT = "wait in line"


OPEN: Final = Verdict.OPEN
"""The ticket is let in: open a connection for it."""
WAIT: Final = Verdict.WAIT
"""The ticket waits in line: :meth:`ConnectionPool.admit` will name it."""


class ConnectionPool:
    """Decides; see the module.

    :param max_clients: slots in all.
    :param max_clients_per_host: slots of one key; ``None`` is no bound but ``max_clients``.
    :param max_idle: connections that are kept; ``None`` is ``max_clients``.
    :raises ValueError: where one of them is less than 1 (``max_idle``: less than 0, which keeps none).
    """

    def __init__(
        self, max_clients: int, max_clients_per_host: int | None = None, max_idle: int | None = None
    ) -> None:
        if max_clients < 1 or (max_clients_per_host or 1) < 1:
            raise ValueError("max_clients and max_clients_per_host must be at least 1")
        if max_idle is not None and max_idle < 0:
            raise ValueError("max_idle must not be negative")
        self.max_clients = max_clients
        self.max_per_host = max_clients_per_host or max_clients
        self.max_idle = max_clients if max_idle is None else max_idle
        self.active = 0
        self._in_use: dict[Hashable, int] = {}
        # Idle connections of a key, the one used last at the end; and all of them, the longest idle first.
        self._idle: dict[Hashable, list[Any]] = {}
        self._deadlines: OrderedDict[Any, tuple[Hashable, float]] = OrderedDict()
        # In line; and those behind a busy host, by key; and in which of these lines a ticket is.
        self._line: Line = OrderedDict()
        self._blocked: dict[Hashable, Line] = {}
        self._waiting: dict[Any, Line] = {}

    # -- slots ----------------------------------------------------------------------------------------

    def acquire(self, key: Hashable, ticket: Any) -> Any:
        """Let ``ticket`` in where there is a slot, and nobody in line who could take it.

        :returns: an idle connection, which is no longer the pool's; :data:`OPEN`; or :data:`WAIT`.
        """
        if self.active < self.max_clients and not self._line:
            used = self._in_use.get(key, 0)
            if used < self.max_per_host:
                self.active += 1
                self._in_use[key] = used + 1
                return self._take_idle(key)
            self._stand(self._blocked.setdefault(key, OrderedDict()), ticket, key)
        else:
            self._stand(self._line, ticket, key)
        return WAIT

    def _stand(self, line: Line, ticket: Any, key: Hashable) -> None:
        line[ticket] = key
        self._waiting[ticket] = line

    def _take_idle(self, key: Hashable) -> Any:
        connections = self._idle.get(key)
        if not connections:
            return OPEN
        connection = connections.pop()
        if not connections:
            del self._idle[key]
        del self._deadlines[connection]
        return connection

    def release(self, key: Hashable) -> None:
        """Give back the slot of a ticket that was let in; :meth:`admit` is to be called then."""
        self.active -= 1
        used = self._in_use[key] - 1
        if used:
            self._in_use[key] = used
        else:
            del self._in_use[key]
        if self._blocked:
            self._unblock(key)

    def _unblock(self, key: Hashable) -> None:
        blocked = self._blocked.get(key)
        if blocked:
            ticket, _ = blocked.popitem(last=False)
            self._stand(self._line, ticket, key)
            self._line.move_to_end(ticket, last=False)  # it has waited longer than whoever is there
            if not blocked:
                del self._blocked[key]

    def admit(self) -> tuple[Any, Hashable, Any] | None:
        """Let the next one in line in, if there is a slot.

        :returns: ``(ticket, key, what acquire would have returned)``; ``None`` where nobody can be let in.
        """
        while self._line and self.active < self.max_clients:
            ticket, key = self._line.popitem(last=False)
            used = self._in_use.get(key, 0)
            if used >= self.max_per_host:
                self._stand(self._blocked.setdefault(key, OrderedDict()), ticket, key)
                continue
            del self._waiting[ticket]
            self.active += 1
            self._in_use[key] = used + 1
            return ticket, key, self._take_idle(key)
        return None

    def withdraw(self, ticket: Any) -> bool:
        """Take ``ticket`` out of the line; false where it does not wait."""
        line = self._waiting.pop(ticket, None)
        if line is None:
            return False
        key = line.pop(ticket)
        if not line and line is not self._line:
            del self._blocked[key]
        return True

    def waiting(self) -> list[Any]:
        """The tickets that wait, the longest first."""
        return list(self._waiting)

    # -- idle connections -----------------------------------------------------------------------------

    def keep(self, key: Hashable, connection: Any, deadline: float) -> list[Any]:
        """Keep a connection for later requests.

        :param deadline: when to close it, on the caller's clock.
        :returns: connections to close for it, which may be itself.
        """
        if not self.max_idle:
            return [connection]
        evicted = []
        if len(self._deadlines) >= self.max_idle:
            oldest = next(iter(self._deadlines))
            self.forget(oldest)
            evicted.append(oldest)
        self._deadlines[connection] = (key, deadline)
        self._idle.setdefault(key, []).append(connection)
        return evicted

    def forget(self, connection: Any) -> bool:
        """Take an idle connection, which has closed, out of the pool; false where it is not in it."""
        entry = self._deadlines.pop(connection, None)
        if entry is None:
            return False
        connections = self._idle[entry[0]]
        connections.remove(connection)
        if not connections:
            del self._idle[entry[0]]
        return True

    def expire(self, now: float) -> list[Any]:
        """The idle connections whose deadline has passed, which are no longer the pool's: to be closed."""
        expired = [connection for connection, (_, deadline) in self._deadlines.items() if deadline <= now]
        for connection in expired:
            self.forget(connection)
        return expired

    def next_deadline(self) -> float | None:
        """When the first of the idle connections is to be closed; ``None`` without any."""
        return min((deadline for _, deadline in self._deadlines.values()), default=None)

    def idle(self) -> list[Any]:
        """All idle connections."""
        return list(self._deadlines)
