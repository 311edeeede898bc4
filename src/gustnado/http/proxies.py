"""Which proxies are believed, and what they say of a client: ``X-Forwarded-For`` and its kin. No I/O.

Anybody can send these fields, so only what a proxy that one knows has added may count. Each proxy adds
the address that it was called from to the end of the list, so the list is read from its end: as long as
an address is that of a trusted proxy, the one before it was told by somebody who can be believed.

>>> proxies = TrustedProxies(["10.0.0.0/8"])
>>> proxies.client(["203.0.113.9", "198.51.100.7", "10.0.0.2"], peer="10.0.0.1")
'198.51.100.7'
>>> proxies.client(["203.0.113.9"], peer="192.0.2.1")   # who calls is no proxy of ours
'192.0.2.1'
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import TypeAlias

__all__ = ["UNIX", "ProxySetting", "TrustedProxies", "read_address"]

ProxySetting: TypeAlias = "Iterable[str] | int"
"""Addresses and networks as :class:`TrustedProxies` takes them, or how many proxies stand before the server."""

UNIX = "unix"
"""Stands for peers on a Unix socket, which have no address."""

_Address: TypeAlias = "ipaddress.IPv4Address | ipaddress.IPv6Address"
_MAX_REMEMBERED = 1024


def read_address(text: str) -> str | None:
    """An IP address, in its usual spelling, out of an item of ``X-Forwarded-For``; ``None`` where it is none.

    Some proxies add a port, as ``192.0.2.1:4711`` or ``[2001:db8::1]:4711``; it is dropped.

    >>> [read_address(text) for text in ("192.0.2.1:4711", "[2001:DB8::1]", "::ffff:192.0.2.1", "example.org")]
    ['192.0.2.1', '2001:db8::1', '192.0.2.1', None]
    """
    text = text.strip(" \t")
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    address = _parse(text)
    return None if address is None else str(address)


def _parse(text: str) -> _Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        return address.ipv4_mapped or address
    return address


class TrustedProxies:
    """Proxies that are believed.

    :param proxies: their addresses, or networks like ``"10.0.0.0/8"``; ``"unix"`` for whoever calls on a Unix
        socket. Or a number: that many proxies stand between every client and the server, and who calls is
        the last of them.
    :raises ValueError: where an item is neither, or the number is below 1.
    :raises TypeError: where it is a single string, or a bool.
    """

    def __init__(self, proxies: ProxySetting) -> None:
        self.hops = 0
        self._networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
        self._unix = False
        self._remembered: dict[str, bool] = {}
        if isinstance(proxies, (bool, str)):
            raise TypeError(f"trusted proxies are a list of addresses, or how many there are, not {proxies!r}")
        if isinstance(proxies, int):
            if proxies < 1:
                raise ValueError(f"a number of trusted proxies is 1 or more, not {proxies}")
            self.hops = proxies
            return
        for item in proxies:
            self._add(item)

    def _add(self, item: str) -> None:
        if item == UNIX:
            self._unix = True
            return
        try:
            self._networks.append(ipaddress.ip_network(item))
        except ValueError as error:
            raise ValueError(
                f"trusted proxy {item!r} is not an address, nor a network like '10.0.0.0/8': {error}"
            ) from None

    def trusts(self, address: str | None) -> bool:
        """Whether who calls from ``address`` is believed; ``None`` is a peer without one.

        Where a number of proxies was given, it is whoever calls.
        """
        if self.hops:
            return True
        if address is None:
            return self._unix
        known = self._remembered.get(address)
        if known is None:
            if len(self._remembered) >= _MAX_REMEMBERED:
                self._remembered.clear()
            known = self._remembered[address] = self._is_listed(address)
        return known

    def _is_listed(self, address: str) -> bool:
        parsed = _parse(address)
        return parsed is not None and any(parsed in network for network in self._networks)

    def place(self, chain: Sequence[str | None]) -> int | None:
        """Which item of ``chain`` was told of the client; ``None`` where there is none, and the peer is the client.

        :param chain: addresses, the client's first, as the proxies have told them; ``None`` for what is no
            address. Whether the peer itself is believed is another question: :meth:`trusts`.
        """
        if self.hops:
            place = len(chain) - self.hops
            return place if place >= 0 else None
        place = len(chain) - 1
        while place > 0 and (told := chain[place]) is not None and self.trusts(told):
            place -= 1
        return place if place >= 0 else None

    def client(self, chain: Sequence[str | None], peer: str | None) -> str | None:
        """The address of the client, where ``peer`` called here; ``peer`` itself where nobody can be believed."""
        place = self.place(chain) if self.trusts(peer) else None
        return peer if place is None else chain[place] or peer
