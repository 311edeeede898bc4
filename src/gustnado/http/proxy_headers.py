"""Requests that come through proxies: who made them, by the fields that the proxies add.

One of two kinds of fields is believed, since a proxy that sets one kind passes on whatever a client sent of
the other:

- ``X-Forwarded-For``, ``X-Forwarded-Proto`` and Tornado's ``X-Real-Ip`` and ``X-Scheme``;
- ``Forwarded`` (RFC 7239).

What they say goes into the ``context`` of that one request's connection, where
:class:`~gustnado.http.messages.HTTPServerRequest` finds it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from typing import TYPE_CHECKING, Any

from gustnado.http.delegates import PassingDelegate
from gustnado.http.forwarded import parse_forwarded
from gustnado.http.proxies import TrustedProxies, read_address

if TYPE_CHECKING:
    from gustnado.http.context import ConnectionContext
    from gustnado.http.delegates import HTTPMessageDelegate
    from gustnado.http.headers import HTTPHeaders
    from gustnado.http.messages import RequestStartLine, ResponseStartLine

__all__ = ["BelievedFields", "ForwardedRequest"]

_SCHEMES = ("http", "https")
_MAX_CHAIN = 64  # addresses in X-Forwarded-For; those further from us than this are not looked at

class BelievedFields:
    """Reads the fields of proxies.

    :param forwarded: read ``Forwarded``, and not ``X-Forwarded-For`` and its kin.
    :param trusted: who is believed. ``None`` is everybody: right only where none but the proxy can reach the port.
    :param downstream: addresses of further proxies, as Tornado's ``trusted_downstream``: they are skipped in
        ``X-Forwarded-For``. Only for ``trusted=None``.
    """

    def __init__(
        self,
        forwarded: bool = False,
        trusted: TrustedProxies | None = None,
        downstream: Iterable[str] | None = None,
    ) -> None:
        self._read = self._read_forwarded if forwarded else self._read_x_forwarded
        self._trusted = trusted
        self._proxies = trusted or TrustedProxies(downstream or ())

    def apply(self, context: ConnectionContext, headers: HTTPHeaders) -> ConnectionContext:
        """The context of a request with these ``headers``; ``context`` itself where they change nothing.

        :raises gustnado.errors.HTTPInputError: 400 where a ``Forwarded`` field of a trusted peer is malformed.
        """
        if self._trusted is not None and not self._trusted.trusts(context.caller):
            return context
        remote_ip, protocol = self._read(context, headers)
        if protocol not in _SCHEMES:
            protocol = None
        if remote_ip is None and protocol is None:
            return context
        return context.seen_as(remote_ip, protocol)

    def _read_x_forwarded(
        self, context: ConnectionContext, headers: HTTPHeaders
    ) -> tuple[str | None, str | None]:
        remote_ip: str | None = None
        told: str | None = headers.get("X-Forwarded-For")
        if told is not None:
            chain = [read_address(item) for item in told.rsplit(",", _MAX_CHAIN)[-_MAX_CHAIN:]]
            place = self._proxies.place(chain)
            remote_ip = None if place is None else chain[place]
        real: str | None = headers.get("X-Real-Ip")
        if real is not None and (told is None or self._trusted is None):
            remote_ip = read_address(real) or remote_ip
        protocol: str | None = headers.get("X-Scheme") or headers.get("X-Forwarded-Proto")
        return remote_ip, None if protocol is None else protocol.rpartition(",")[2].strip(" \t").lower()

    def _read_forwarded(
        self, context: ConnectionContext, headers: HTTPHeaders
    ) -> tuple[str | None, str | None]:
        elements = [element for line in headers.get_list("Forwarded") for element in parse_forwarded(line)]
        chain = [None if element.client is None else read_address(element.client) for element in elements]
        place = self._proxies.place(chain)
        if place is None:
            return None, None
        element = elements[place]
        if element.host:
            headers["Host"] = element.host
        return chain[place], element.proto


class ForwardedRequest(PassingDelegate):
    """Tells the request's connection who made the request, before ``inner`` gets its head."""

    def __init__(self, inner: HTTPMessageDelegate, connection: Any, fields: BelievedFields) -> None:
        super().__init__(inner)
        self._connection = connection
        self._fields = fields

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        self._connection.context = self._fields.apply(self._connection.context, headers)
        return super().headers_received(start_line, headers)
