"""Which hosts an application answers for: the setting ``allowed_hosts``.

A client may put any name into ``Host``. An application that makes URLs of it, as for the link to set a new password in
a mail, sends its users wherever somebody else wanted, unless it says what it is called::

    Application(..., allowed_hosts=["example.org", ".example.org", "localhost"])

>>> hosts = AllowedHosts(["example.org", ".Example.net"])
>>> [name in hosts for name in ("example.org", "www.example.org", "example.net", "a.example.net", "badexample.net")]
[True, False, True, True, False]
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["AllowedHosts"]


class AllowedHosts:
    """A set of host names, without ports.

    :param names: each a name; one that begins with a dot stands for the domain and all below it. One string alone is
        refused, as it would be taken for its letters.
    :raises TypeError: for a string.
    """

    def __init__(self, names: Iterable[str]) -> None:
        if isinstance(names, (str, bytes)):
            raise TypeError(f"allowed_hosts is a list of names, not {names!r}")
        lowered = [name.lower() for name in names]
        self._names = frozenset([name.removeprefix(".") for name in lowered])
        self._domains = tuple([name for name in lowered if name.startswith(".")])

    def __contains__(self, host: str) -> bool:
        """Whether ``host``, in lower case, is one of them. A dot at its end changes nothing."""
        host = host.removesuffix(".")
        return host in self._names or host.endswith(self._domains)
