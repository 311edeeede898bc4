"""A descriptor held back for the day when there is none left.

A process that may open no further file (``EMFILE``) cannot even refuse a connection: to be closed it has to be
accepted, which takes a descriptor. So its clients would hang in the kernel's backlog for as long as that lasts. With
one descriptor held back they need not: it is given up, each connection is accepted on its number and closed, and it
is taken back. libev's manual tells of this, libuv does it.
"""

from __future__ import annotations

import os
import socket

__all__ = ["SpareDescriptor"]


class SpareDescriptor:
    """Holds a descriptor of the null device, until it is closed or freed."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = _null_device()

    def turn_away(self, listener: socket.socket, most: int) -> int:
        """Accept and close connections that wait.

        :param listener: listens, and does not block.
        :param most: connections at once.
        :returns: how many there were; 0 also where somebody else has got the descriptor meanwhile. Then it is
            taken back at a later call.
        """
        if self._held is None:
            self._held = _null_device()
        if self._held is None:
            return 0
        self.close()
        turned_away = 0
        try:
            while turned_away < most:
                connection, _ = listener.accept()
                connection.close()
                turned_away += 1
        except OSError:
            pass  # none waits; what else it may be, the next to accept learns
        finally:
            self._held = _null_device()
        return turned_away

    def close(self) -> None:
        """Give the descriptor up."""
        held, self._held = self._held, None
        if held is not None:
            os.close(held)

    def __del__(self) -> None:
        self.close()


def _null_device() -> int | None:
    try:
        return os.open(os.devnull, os.O_RDONLY)
    except OSError:
        return None  # there is none left now
