"""How a request is to be fetched: what it says itself, else its client's defaults.

Nearly all requests say nothing: these share one object, with all that can be worked out beforehand.

>>> from gustnado.http.client.request import HTTPRequest
>>> given = Settings({**HTTPRequest._DEFAULTS, "max_redirects": 3, "proxy_host": "localhost", "proxy_port": 3128})
>>> given.max_redirects, given.connect_timeout, given.auth_mode, given.given_proxy
(3, 20.0, None, Proxy(http://localhost:3128))
"""

from __future__ import annotations

import inspect
from collections.abc import Hashable, Mapping
from typing import Any, cast

from gustnado.http.client.auth import AUTH_MODES
from gustnado.http.client.errors import RequestError
from gustnado.http.client.proxies import Proxy, parse_proxy
from gustnado.http.client.request import NOT_OPTIONS, HTTPRequest

__all__ = ["OPTIONS", "Settings", "settings_for"]

OPTIONS = tuple(
    name for name in inspect.signature(HTTPRequest.__init__).parameters if name not in NOT_OPTIONS
)
"""The attributes of a request that its client has defaults for."""

_OPTION_SET = frozenset(OPTIONS)
_CREDENTIALS = ("auth_username", "auth_password", "auth_mode", "auth_token")


class Settings:
    """The options of a request by name, ``None`` where neither it nor its client say anything.

    :ivar transport: what connections must have in common, beside origin and proxy, to take each other's requests.
    :ivar given_proxy: the proxy that the request or its client name.
    :raises gustnado.http.client.errors.RequestError: where an option is not one of those that can be; it is named.
    """

    __slots__ = (*OPTIONS, "given_proxy", "transport")

    allow_downgrade: bool | None
    allow_ipv6: bool | None
    allow_nonstandard_methods: bool | None
    auth_mode: str | None
    auth_password: str | None
    auth_token: str | None
    auth_username: str | None
    body_producer: Any
    ca_certs: str | None
    client_cert: str | None
    client_key: str | None
    connect_timeout: float | None
    decompress_response: bool | None
    expect_100_continue: bool | None
    first_byte_timeout: float | None
    follow_redirects: bool | None
    given_proxy: Proxy | None
    header_callback: Any
    max_redirects: int | None
    network_interface: str | None
    proxy: str | None
    proxy_auth_mode: str | None
    proxy_host: str | None
    proxy_password: str | None
    proxy_port: int | None
    proxy_username: str | None
    queue_timeout: float | None
    read_timeout: float | None
    request_timeout: float | None
    ssl_options: Any
    streaming_callback: Any
    tls_timeout: float | None
    transport: Hashable
    unix_socket: str | None
    user_agent: str | None
    validate_cert: bool | None

    def __init__(self, values: Mapping[str, Any]) -> None:
        for name in OPTIONS:
            setattr(self, name, values.get(name))
        if self.auth_mode is not None and self.auth_mode not in AUTH_MODES:
            raise RequestError(f"unsupported auth_mode {self.auth_mode!r}: it is one of {', '.join(AUTH_MODES)}")
        self.given_proxy = self._proxy()
        self.transport = (self.allow_ipv6, self.network_interface, self.unix_socket, self._tls_key())

    def without_credentials(self) -> Settings:
        """A copy for another origin."""
        values = {name: getattr(self, name) for name in OPTIONS}
        values.update(dict.fromkeys(_CREDENTIALS))
        return Settings(values)

    def _proxy(self) -> Proxy | None:
        if self.proxy is not None:
            return parse_proxy(self.proxy)
        if not self.proxy_host:
            return None
        if not self.proxy_port:
            raise RequestError(f"proxy_port is needed with proxy_host {self.proxy_host[:80]!r}")
        if self.proxy_auth_mode not in (None, "basic"):
            raise RequestError(f"proxy_auth_mode {self.proxy_auth_mode!r} is not basic; the curl client has others")
        host = f"[{self.proxy_host}]" if ":" in self.proxy_host else self.proxy_host
        proxy = parse_proxy(f"http://{host}:{self.proxy_port}", "proxy_host")
        return Proxy(proxy.scheme, proxy.host, proxy.port, self.proxy_username, self.proxy_password)

    def _tls_key(self) -> Hashable:
        """Each setting of TLS counts, so that a connection made with one is never used with another."""
        options = self.ssl_options
        if isinstance(options, Mapping):
            return tuple(sorted((name, str(value)) for name, value in options.items()))
        if options is not None:
            return cast("Hashable", options)  # a context: itself
        return self.validate_cert, self.ca_certs, self.client_cert, self.client_key


def settings_for(request: HTTPRequest, defaults: Mapping[str, Any], plain: Settings) -> Settings:
    """What counts for ``request``: ``plain``, those of a request that says nothing, where it does not.

    :raises gustnado.http.client.errors.RequestError: as :class:`Settings`.
    """
    given = request.__dict__
    if _OPTION_SET.isdisjoint(given):
        return plain
    own = {name: value for name, value in given.items() if value is not None and name in _OPTION_SET}
    return Settings({**defaults, **own})
