"""How a request is to be fetched: what it says itself, else its client's defaults.

Nearly all requests say nothing: these share one object, with all that can be worked out beforehand.

>>> from gustnado.http.client.request import HTTPRequest
>>> given = Settings({**HTTPRequest._DEFAULTS, "max_redirects": 3})
>>> given.max_redirects, given.connect_timeout, given.auth_mode
(3, 20.0, None)
"""

from __future__ import annotations

import inspect
from collections.abc import Hashable, Mapping
from typing import Any

from gustnado.http.client.request import HTTPRequest

__all__ = ["OPTIONS", "Settings", "settings_for"]

_OTHER = frozenset({"self", "url", "method", "headers", "body", "if_modified_since", "use_gzip"})

OPTIONS = tuple(name for name in inspect.signature(HTTPRequest.__init__).parameters if name not in _OTHER)
"""The attributes of a request that its client has defaults for."""

_OPTION_SET = frozenset(OPTIONS)


class Settings:
    """The options of a request by name, ``None`` where neither it nor its client say anything.

    :ivar transport: what connections must have in common, beside the origin, to take each other's requests.
    """

    __slots__ = (*OPTIONS, "transport")

    # Those that the client itself reads.
    allow_downgrade: bool | None
    allow_ipv6: bool | None
    allow_nonstandard_methods: bool | None
    auth_mode: str | None
    auth_password: str | None
    auth_username: str | None
    body_producer: Any
    connect_timeout: float | None
    decompress_response: bool | None
    expect_100_continue: bool | None
    first_byte_timeout: float | None
    follow_redirects: bool | None
    header_callback: Any
    max_redirects: int | None
    network_interface: str | None
    queue_timeout: float | None
    read_timeout: float | None
    request_timeout: float | None
    ssl_options: Any
    streaming_callback: Any
    tls_timeout: float | None
    transport: Hashable
    user_agent: str | None

    def __init__(self, values: Mapping[str, Any]) -> None:
        for name in OPTIONS:
            setattr(self, name, values.get(name))
        self.transport = (self.allow_ipv6, self.network_interface, self._tls_key(values))

    def without_credentials(self) -> Settings:
        """A copy for another origin."""
        values = {name: getattr(self, name) for name in OPTIONS}
        for name in ("auth_username", "auth_password", "auth_mode"):
            values[name] = None
        return Settings(values)

    def _tls_key(self, values: Mapping[str, Any]) -> Hashable:
        """Each setting of TLS counts, so that a connection made with one is never used with another."""
        options = values.get("ssl_options")
        if isinstance(options, Mapping):
            return tuple(sorted((name, str(value)) for name, value in options.items()))
        if options is not None:
            return options  # a context: itself
        names = ("validate_cert", "ca_certs", "client_cert", "client_key")
        return tuple(values.get(name) for name in names)


def settings_for(request: HTTPRequest, defaults: Mapping[str, Any], plain: Settings) -> Settings:
    """What counts for ``request``: ``plain``, those of a request that says nothing, where it does not."""
    given = request.__dict__
    if _OPTION_SET.isdisjoint(given):
        return plain
    own = {name: value for name, value in given.items() if value is not None and name in _OPTION_SET}
    return Settings({**defaults, **own})
