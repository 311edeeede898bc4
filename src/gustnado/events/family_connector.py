"""The older happy eyeballs (RFC 6555): one attempt for each of two families at a time.

For programs that use ``tornado.tcpclient._Connector``. :class:`~gustnado.events.tcp_client.TCPClient` uses the
newer, :class:`~gustnado.events.happy_eyeballs.Connector`, of which this is another schedule: the second family
begins when the first has failed once, or was silent for a while; from then on each tries its addresses one after
another.

>>> FamilyConnector.split([(6, "a"), (4, "b"), (6, "c")])
([(6, 'a'), (6, 'c')], [(4, 'b')])
"""

from __future__ import annotations

import asyncio
import datetime
import socket
from collections.abc import Iterable
from typing import Any

from gustnado.events.happy_eyeballs import ATTEMPT_DELAY, Address, Connect, Connector, S
from gustnado.events.loop import IOLoop

__all__ = ["FamilyConnector"]


class FamilyConnector(Connector[S]):
    """Tries addresses of two families until one answers.

    The parameters are those of :class:`~gustnado.events.happy_eyeballs.Connector`; the loop is the current one.
    """

    def __init__(self, addrinfo: Iterable[Address], connect: Connect[S]) -> None:
        self.io_loop = IOLoop.current()
        self._deadline: object | None = None
        super().__init__(addrinfo, connect, self.io_loop.asyncio_loop)

    @staticmethod
    def split(addrinfo: Iterable[Address]) -> tuple[list[Address], list[Address]]:
        """The addresses of the first one's family, and those of all others."""
        addresses = list(addrinfo)
        first = [address for address in addresses if address[0] == addresses[0][0]]
        return first, [address for address in addresses if address[0] != addresses[0][0]]

    @staticmethod
    def arrange(addresses: Iterable[Address]) -> list[list[Address]]:
        return list(FamilyConnector.split(addresses))

    def start(
        self, timeout: float = ATTEMPT_DELAY, connect_timeout: float | datetime.timedelta | None = None
    ) -> asyncio.Future[tuple[socket.AddressFamily, Any, S]]:
        """Begin, and give :attr:`future`.

        :param timeout: seconds until the second family begins.
        :param connect_timeout: when all ends with :exc:`TimeoutError`: a time of the loop, or how long from now.
        """
        # First, as attempts may fail at once, which ends the wait for the second family.
        self._timer = self._loop.call_later(timeout, self.on_timeout)
        if connect_timeout is not None:
            self._deadline = self.io_loop.add_timeout(connect_timeout, self.on_connect_timeout)
        return super().start()

    def on_timeout(self) -> None:
        self._timer = None
        if not self.future.done():
            self._advance(self._lanes[1])

    def on_connect_timeout(self) -> None:
        """Called by the timer: there is no more time."""
        self._deadline = None
        if not self.future.done():
            self.future.set_exception(TimeoutError(f"Timeout {self.describe()}"))
        self._end()

    def _begun(self) -> None:
        """Nothing: the timer is for the second family only."""

    def _failed(self, error: BaseException | None) -> None:
        super()._failed(error)
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
            self.on_timeout()

    def _stop_timers(self) -> None:
        super()._stop_timers()
        deadline, self._deadline = self._deadline, None
        if deadline is not None:
            self.io_loop.remove_timeout(deadline)
