"""The sockets of a server: bound, found, or passed by whoever started it."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl

from gustnado.cli.config import RunConfig
from gustnado.errors import GustnadoError, UsageError
from gustnado.events.inherited import inherited_socket, systemd_sockets
from gustnado.events.sockets import bind_sockets, format_address
from gustnado.events.tls import ssl_options_to_context
from gustnado.events.unix_sockets import bind_unix_socket

__all__ = ["check_certificate", "describe", "make_sockets", "ssl_options"]


def make_sockets(config: RunConfig) -> list[socket.socket]:
    """All sockets that a configuration asks for, listening. Those of systemd are among them.

    Where systemd passes sockets, or a unix socket or a descriptor is asked for, ``config.port`` is ``None`` unless
    it was asked for, too; so there is one way at least.

    :raises gustnado.errors.UsageError: where one cannot be had; the message is one line. None is left open.
    """
    with contextlib.ExitStack() as opened:
        sockets: list[socket.socket] = []

        def add(more: list[socket.socket]) -> None:
            for sock in more:
                opened.callback(sock.close)
            sockets.extend(more)

        try:
            add(systemd_sockets())
            for fd in config.fd:
                add([inherited_socket(fd)])
            if config.unix is not None:
                path = config.unix.replace("@", "\0", 1) if config.unix.startswith("@") else config.unix
                add([bind_unix_socket(path, config.unix_mode, config.backlog)])
            if config.port is not None:
                add(bind_sockets(config.port, config.host, backlog=config.backlog))
        except (OSError, ValueError, LookupError, GustnadoError) as error:
            raise UsageError(getattr(error, "strerror", None) or str(error)) from error
        opened.pop_all()
        return sockets


def check_certificate(config: RunConfig) -> None:
    """Look whether certificate and key can be used, so that a bad one is told once, and before anything starts.

    :raises gustnado.errors.UsageError: where they cannot; the message is one line.
    """
    if config.cert is None:
        if config.key is not None:
            raise UsageError("--key is of no use without --cert")
        return
    for option, path in (("--cert", config.cert), ("--key", config.key)):
        if path is not None and not os.access(path, os.R_OK):
            raise UsageError(f"{option}: {path} {'cannot be read' if os.path.exists(path) else 'does not exist'}")
    try:
        ssl_options_to_context(ssl_options(config), server_side=True)
    except ssl.SSLError as error:
        raise UsageError(f"--cert {config.cert}: {_reason(error, config)}") from error
    except OSError as error:
        raise UsageError(f"--cert {config.cert}: {error.strerror or error}") from error


def ssl_options(config: RunConfig) -> dict[str, str]:
    """The arguments of ``HTTPServer(ssl_options=...)``."""
    options = {"certfile": config.cert or ""}
    if config.key is not None:
        options["keyfile"] = config.key
    return options


def _reason(error: ssl.SSLError, config: RunConfig) -> str:
    first = error.__cause__ if isinstance(error.__cause__, ssl.SSLError) else error
    reason: str | None = getattr(first, "reason", None)
    if reason == "KEY_VALUES_MISMATCH":
        return f"the key in {config.key or config.cert} belongs to another certificate"
    if reason is None or "PEM" in reason or "NO_START_LINE" in reason:
        files = "the file holds" if config.key is None else f"it or {config.key} holds"
        return f"{files} no certificate or no key in PEM format"
    return reason.replace("_", " ").lower()


def describe(sock: socket.socket, tls: bool) -> str:
    """Where a socket listens, for people: an URL, or the path of a unix socket."""
    address = sock.getsockname()
    if sock.family == getattr(socket, "AF_UNIX", None):
        shown = os.fsdecode(address).replace("\0", "@", 1)
        return f"unix:{shown}"
    return f"{'https' if tls else 'http'}://{format_address(address)}"
