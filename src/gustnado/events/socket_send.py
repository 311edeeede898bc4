"""One try to send on a socket, for those who leave all else to a transport."""

from __future__ import annotations

import os

__all__ = ["send_now"]


def send_now(descriptor: int, data: bytes) -> int:
    """Send on a socket that does not block.

    :returns: how many bytes it took: none where there is no room, or something is wrong.
    """
    try:
        return os.write(descriptor, data)
    except OSError:
        return 0
