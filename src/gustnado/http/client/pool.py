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


Line: TypeAlias = "OrderedDict[Any, Host]"


class Verdict(enum.Enum):
    """What there is to do for a ticket that gets no connection."""

    OPEN = "open a connection"
    WAIT = "wait in line"


OPEN: Final = Verdict.OPEN
"""The ticket is let in: open a connection for it."""
WAIT: Final = Verdict.WAIT
"""The ticket waits in line: :meth:`ConnectionPool.admit` will name it."""


class Host:
    """What the pool knows of one key: slots in use, idle connections with their deadlines, tickets that wait for it."""

    __slots__ = ("blocked", "idle", "key", "used")

    def __init__(self, key: Hashable) -> None:
        self.key = key
        self.used = 0
        self.idle: list[tuple[float, Any]] = []  # the one used last at the end
        self.blocked: Line = OrderedDict()


class ConnectionPool:
    """Decides; see the module.

    :param max_clients: slots in all.
    :param max_clients_per_host: slots of one key; ``None`` is no bound but ``max_clients``.
    :param max_idle: connections that are kept; ``None`` is ``max_clients``.
    :raises ValueError: where one of them is less than 1 (``max_idle``: less than 0, which keeps none).
    :ivar active: slots in use.
    """

    __slots__ = ("_hosts", "_idle_count", "_line", "_waiting", "active", "max_clients", "max_idle", "max_per_host")

    def __init__(
        self, max_clients: int, max_clients_per_host: int | None = None, max_idle: int | None = None
    ) -> None:
        per_host = max_clients if max_clients_per_host is None else max_clients_per_host
        if max_clients < 1 or per_host < 1:
            raise ValueError("max_clients and max_clients_per_host must be at least 1")
        if max_idle is not None and max_idle < 0:
            raise ValueError("max_idle must not be negative")
        self.max_clients = max_clients
        self.max_per_host = per_host
        self.max_idle = max_clients if max_idle is None else max_idle
        self.active = 0
        self._hosts: dict[Hashable, Host] = {}
        self._idle_count = 0
        self._line: Line = OrderedDict()
        self._waiting: dict[Any, Line] = {}  # in which line each ticket is

    # -- slots ----------------------------------------------------------------------------------------

    def acquire(self, key: Hashable, ticket: Any) -> Any:
        """Let ``ticket`` in where there is a slot, and nobody in line who could take it.

        :returns: an idle connection, which is no longer the pool's; :data:`OPEN`; or :data:`WAIT`.
        """
        host = self._host(key)
        if self.active < self.max_clients and not self._line:
            if host.used < self.max_per_host:
                return self._let_in(host)
            self._stand(host.blocked, ticket, host)
        else:
            self._stand(self._line, ticket, host)
        return WAIT

    def _host(self, key: Hashable) -> Host:
        host = self._hosts.get(key)
        if host is None:
            host = self._hosts[key] = Host(key)
        return host

    def _let_in(self, host: Host) -> Any:
        self.active += 1
        host.used += 1
        if not host.idle:
            return OPEN
        self._idle_count -= 1
        return host.idle.pop()[1]

    def _stand(self, line: Line, ticket: Any, host: Host) -> None:
        line[ticket] = host
        self._waiting[ticket] = line

    def release(self, key: Hashable) -> None:
        """Give back the slot of a ticket that was let in; :meth:`admit` is to be called then."""
        host = self._hosts[key]
        self.active -= 1
        host.used -= 1
        if host.blocked:
            ticket, _ = host.blocked.popitem(last=False)
            self._stand(self._line, ticket, host)
            self._line.move_to_end(ticket, last=False)  # it has waited longer than whoever is there
        elif not host.used and not host.idle:
            self._forget_host(host)

    def _forget_host(self, host: Host) -> None:
        """A host of which nothing is known any more; but tickets in line may refer to it."""
        if not host.used and not host.idle and not host.blocked and not self._waiting:
            self._hosts.pop(host.key, None)

    def admit(self) -> tuple[Any, Hashable, Any] | None:
        """Let the next one in line in, if there is a slot.

        :returns: ``(ticket, key, what acquire would have returned)``; ``None`` where nobody can be let in.
        """
        while self._line and self.active < self.max_clients:
            ticket, host = self._line.popitem(last=False)
            if host.used >= self.max_per_host:
                self._stand(host.blocked, ticket, host)
                continue
            del self._waiting[ticket]
            return ticket, host.key, self._let_in(host)
        return None

    def withdraw(self, ticket: Any) -> bool:
        """Take ``ticket`` out of the line; false where it does not wait."""
        line = self._waiting.pop(ticket, None)
        if line is None:
            return False
        self._forget_host(line.pop(ticket))
        return True

    def waiting(self) -> list[Any]:
        """The tickets that wait, the longest first."""
        return list(self._waiting)

    # -- idle connections -----------------------------------------------------------------------------

    def keep(self, key: Hashable, connection: Any, deadline: float) -> list[Any] | None:
        """Keep a connection for later requests.

        :param deadline: when to close it, on the caller's clock.
        :returns: connections to close for it, which may be itself; ``None`` where there are none.
        """
        if not self.max_idle:
            return [connection]
        evicted = None
        if self._idle_count >= self.max_idle:
            evicted = [self._take_oldest()]
        self._host(key).idle.append((deadline, connection))
        self._idle_count += 1
        return evicted

    def _take_oldest(self) -> Any:
        """Of the connections that are first of their hosts, the one that is to go first."""
        hosts = [host for host in self._hosts.values() if host.idle]
        firsts = [host.idle[0][0] for host in hosts]
        host = hosts[firsts.index(min(firsts))]
        self._idle_count -= 1
        connection = host.idle.pop(0)[1]
        self._forget_host(host)
        return connection

    def forget(self, key: Hashable, connection: Any) -> bool:
        """Take an idle connection, which has closed, out of the pool; false where it is not in it."""
        host = self._hosts.get(key)
        if host is None:
            return False
        kept = [entry for entry in host.idle if entry[1] is not connection]
        if len(kept) == len(host.idle):
            return False
        host.idle = kept
        self._idle_count -= 1
        self._forget_host(host)
        return True

    def expire(self, now: float) -> list[Any]:
        """The idle connections whose deadline has passed, which are no longer the pool's: to be closed."""
        expired = []
        for host in list(self._hosts.values()):
            late = [entry[1] for entry in host.idle if entry[0] <= now]
            if late:
                host.idle = [entry for entry in host.idle if entry[0] > now]
                self._idle_count -= len(late)
                expired.extend(late)
                self._forget_host(host)
        return expired

    def next_deadline(self) -> float | None:
        """When the first of the idle connections is to be closed; ``None`` without any."""
        return min([entry[0] for host in self._hosts.values() for entry in host.idle], default=None)

    def idle(self) -> list[Any]:
        """All idle connections."""
        return [entry[1] for host in self._hosts.values() for entry in host.idle]
