"""TLS settings: from Tornado's dictionaries to :class:`ssl.SSLContext`, with safe defaults.

A dictionary has the keys ``certfile``, ``keyfile``, ``ca_certs``, ``cert_reqs``, ``ciphers`` and
``ssl_version``. TLS 1.2 is the least that is spoken, compression and renegotiation are off. A client
verifies the server's certificate and name against the system's authorities unless told otherwise.

>>> context = ssl_options_to_context({}, server_side=False)
>>> context.verify_mode.name, context.check_hostname, context.minimum_version.name
('CERT_REQUIRED', True, 'TLSv1_2')
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Mapping
from typing import Any, TypeAlias

__all__ = ["SSLOptions", "ssl_options_to_context", "ssl_wrap_socket"]

SSLOptions: TypeAlias = Mapping[str, Any] | ssl.SSLContext
"""What is taken wherever TLS can be asked for."""

_KEYS = frozenset({"ssl_version", "certfile", "keyfile", "cert_reqs", "ca_certs", "ciphers"})
_GENERIC_VERSIONS = frozenset({ssl.PROTOCOL_TLS, ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS_SERVER})


def ssl_options_to_context(ssl_options: SSLOptions, server_side: bool | None = None) -> ssl.SSLContext:
    """Return the context that ``ssl_options`` asks for; a context is returned as it is.

    :param server_side: which side it is for. ``None`` counts as the server where there is a ``certfile``.
    :raises FileNotFoundError: where a file that it names does not exist.
    :raises ssl.SSLError: where a file does not hold what it should; the message names it.
    :raises ValueError: where a key is unknown, or ``ssl_version`` is older than TLS 1.2.
    """
    if isinstance(ssl_options, ssl.SSLContext):
        return ssl_options
    unknown = sorted(set(ssl_options) - _KEYS)
    if unknown:
        raise ValueError(f"unknown key in ssl_options: {', '.join(map(repr, unknown))}")
    if server_side is None:
        server_side = "certfile" in ssl_options
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server_side else ssl.PROTOCOL_TLS_CLIENT)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    _set_versions(context, ssl_options.get("ssl_version"))
    _load_files(context, ssl_options, server_side)
    if ssl_options.get("ciphers"):
        context.set_ciphers(ssl_options["ciphers"])
    return context


def _set_versions(context: ssl.SSLContext, version: int | None) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if version is None or version in _GENERIC_VERSIONS:
        return
    if version != ssl.PROTOCOL_TLSv1_2:
        raise ValueError(f"ssl_version {version!r} is too old: TLS 1.2 is the least")
    context.maximum_version = ssl.TLSVersion.TLSv1_2


def _load_files(context: ssl.SSLContext, options: Mapping[str, Any], server_side: bool) -> None:
    certfile, keyfile, ca_certs = (options.get(key) for key in ("certfile", "keyfile", "ca_certs"))
    for key, path in (("certfile", certfile), ("keyfile", keyfile), ("ca_certs", ca_certs)):
        if path is not None and not os.path.exists(path):
            raise FileNotFoundError(errno.ENOENT, f"{key} does not exist", os.fspath(path))
    if certfile is not None:
        try:
            context.load_cert_chain(certfile, keyfile)
        except ssl.SSLError as exc:
            raise _with_names(exc, certfile=certfile, keyfile=keyfile) from exc
    if "cert_reqs" in options:
        _set_verify_mode(context, options["cert_reqs"])
    if ca_certs is not None:
        try:
            context.load_verify_locations(ca_certs)
        except ssl.SSLError as exc:
            raise _with_names(exc, ca_certs=ca_certs) from exc
    elif not server_side and context.verify_mode != ssl.CERT_NONE:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)


def _set_verify_mode(context: ssl.SSLContext, cert_reqs: int) -> None:
    if cert_reqs == ssl.CERT_NONE:
        context.check_hostname = False  # which cannot be checked without a certificate
    context.verify_mode = ssl.VerifyMode(cert_reqs)


def _with_names(exc: ssl.SSLError, **files: Any) -> ssl.SSLError:
    names = ", ".join(f"{key} {os.fspath(path)!r}" for key, path in files.items() if path is not None)
    return ssl.SSLError(exc.errno, f"cannot use {names}: {exc.reason or exc.strerror}")


def ssl_wrap_socket(
    socket: socket.socket,
    ssl_options: SSLOptions,
    server_hostname: str | None = None,
    server_side: bool | None = None,
    **kwargs: Any,
) -> ssl.SSLSocket:
    """Return ``socket`` as a :class:`ssl.SSLSocket`.

    :param ssl_options: as of :func:`ssl_options_to_context`, whose errors it raises too.
    :param server_hostname: the name that the server's certificate must have, and that SNI sends.
    :param server_side: ``None`` counts as the client.
    :param kwargs: further arguments of :meth:`ssl.SSLContext.wrap_socket`.
    """
    context = ssl_options_to_context(ssl_options, server_side=bool(server_side))
    return context.wrap_socket(
        socket, server_hostname=server_hostname, server_side=bool(server_side), **kwargs
    )
