"""How many connections each address has, so that one client cannot take them all.

>>> count = AddressCount(limit=2)
>>> [count.enter("192.0.2.1") for _ in range(3)], count.enter("192.0.2.2")
([True, True, False], True)
>>> count.leave("192.0.2.1")
>>> count.enter("192.0.2.1")
True
"""

from __future__ import annotations

import ipaddress

__all__ = ["AddressCount", "counted_as"]


def counted_as(address: str) -> str:
    """What an address is counted by: itself, or for IPv6 its network of 64 bits, as one customer has it whole.

    >>> counted_as("2001:db8::1:2:3:4"), counted_as("192.0.2.1"), counted_as("::ffff:192.0.2.1")
    ('2001:db8::/64', '192.0.2.1', '192.0.2.1')
    """
    if ":" not in address:
        return address
    try:
        parsed = ipaddress.IPv6Address(address)
    except ValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    network = int(parsed) >> 64 << 64
    return f"{ipaddress.IPv6Address(network)}/64"


class AddressCount:
    """Counts connections by address; holds only those that have some.

    :param limit: connections that an address may have at once.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._counts: dict[str, int] = {}

    def enter(self, address: str) -> bool:
        """Count one in. False: the address has as many as it may, and nothing was counted."""
        key = counted_as(address)
        count = self._counts.get(key, 0)
        if count >= self.limit:
            return False
        self._counts[key] = count + 1
        return True

    def leave(self, address: str) -> None:
        """Count one out again that was counted in."""
        key = counted_as(address)
        count = self._counts[key] - 1
        if count:
            self._counts[key] = count
        else:
            del self._counts[key]

    def __len__(self) -> int:
        """How many addresses have connections."""
        return len(self._counts)
