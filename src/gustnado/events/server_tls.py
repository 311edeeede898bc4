"""TLS of a server in full: names, client certificates, and certificates that are replaced while it runs.

::

    tls = ServerTLS(
        "example.org.pem", "example.org.key",
        names={"www.example.net": ("example.net.pem", "example.net.key")},
    )
    server = HTTPServer(app, ssl_options=tls.context)
    ...
    tls.reload()    # after the files have changed: for new connections, while the others go on

A single certificate needs none of this: ``ssl_options={"certfile": ..., "keyfile": ...}``.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from typing import Any

from gustnado.events.tls import ssl_options_to_context

__all__ = ["ServerTLS"]


class ServerTLS:
    """A context, and where it comes from.

    :param certfile: PEM file with the certificate and its chain, for clients that ask for none of ``names``.
    :param keyfile: PEM file with its key, where that is not in ``certfile``.
    :param names: host name to ``(certfile, keyfile)``, by what the client asks for (SNI, RFC 6066 section 3). A name
        may be ``"*.example.org"``, which stands for one label.
    :param client_ca: PEM file with the authorities of client certificates. Given, a client needs one.
    :param client_optional: a client may do without.
    :param alpn: protocols that are spoken, the best first (RFC 7301).
    :raises FileNotFoundError: where a file does not exist.
    :raises ssl.SSLError: where one does not hold what it should; the message names it.
    :raises ValueError: for ``client_optional`` without ``client_ca``, and names that are none.
    :ivar context: for ``ssl_options``; the same one for good.
    """

    def __init__(
        self,
        certfile: str,
        keyfile: str | None = None,
        *,
        names: Mapping[str, tuple[str, str | None]] | None = None,
        client_ca: str | None = None,
        client_optional: bool = False,
        alpn: Iterable[str] = ("http/1.1",),
    ) -> None:
        if client_optional and client_ca is None:
            raise ValueError("client_optional: clients' certificates are checked against client_ca, which is not given")
        self._files = (certfile, keyfile)
        self._names = {_checked(name): files for name, files in (names or {}).items()}
        self._client_ca = client_ca
        self._verify = ssl.CERT_OPTIONAL if client_optional else ssl.CERT_REQUIRED
        self._alpn = list(alpn)
        self.context = self._make(self._files)
        self._default, self._contexts = self._make_all()
        if self._names:
            self.context.sni_callback = self._choose

    def reload(self) -> None:
        """Read all files again, for connections from now on. Where one is bad nothing changes.

        Without ``names``, authorities that are no longer in ``client_ca`` are still believed.

        :raises FileNotFoundError: as the constructor; so is :exc:`ssl.SSLError`.
        """
        self._default, self._contexts = self._make_all()
        if not self._names:
            # In place: a callback would do for both, but rules out the faster transports (see transport.py).
            self.context.load_cert_chain(*self._files)
            if self._client_ca is not None:
                self.context.load_verify_locations(self._client_ca)

    def _make_all(self) -> tuple[ssl.SSLContext, dict[str, ssl.SSLContext]]:
        contexts = {name: self._make(files) for name, files in self._names.items()}
        return self._make(self._files), contexts

    def _make(self, files: tuple[str, str | None]) -> ssl.SSLContext:
        options: dict[str, Any] = {"certfile": files[0], "keyfile": files[1]}
        if self._client_ca is not None:
            options |= {"ca_certs": self._client_ca, "cert_reqs": self._verify}
        context = ssl_options_to_context(options, server_side=True)
        if self._alpn:
            context.set_alpn_protocols(self._alpn)
        return context

    def _choose(self, connection: Any, name: str | None, _: ssl.SSLContext) -> None:
        """Called in each handshake, with the name that the client asks for."""
        connection.context = self._context_for(name)

    def _context_for(self, name: str | None) -> ssl.SSLContext:
        if not name or not self._contexts:
            return self._default
        name = name.lower().rstrip(".")
        wildcard = "*." + name.partition(".")[2]
        return self._contexts.get(name) or self._contexts.get(wildcard) or self._default


def _checked(name: str) -> str:
    labels = name.lower().rstrip(".")
    rest = labels[2:] if labels.startswith("*.") else labels
    try:
        ascii_name = rest.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise ValueError(f"{name!r} is not a host name: {error}") from None
    if not rest or "*" in rest:
        raise ValueError(f"{name!r} is not a host name, nor '*.' and one")
    return labels[: len(labels) - len(rest)] + ascii_name
