"""``tornado.netutil``: sockets, name resolution and TLS."""

from __future__ import annotations

from gustnado.events.resolver import (
    BlockingResolver,
    DefaultExecutorResolver,
    DefaultLoopResolver,
    ExecutorResolver,
    OverrideResolver,
    Resolver,
    ThreadedResolver,
)
from gustnado.events.sockets import add_accept_handler, bind_sockets, is_valid_ip
from gustnado.events.tls import ssl_options_to_context, ssl_wrap_socket
from gustnado.events.unix_sockets import bind_unix_socket

__all__ = [
    "BlockingResolver",
    "DefaultExecutorResolver",
    "DefaultLoopResolver",
    "ExecutorResolver",
    "OverrideResolver",
    "Resolver",
    "ThreadedResolver",
    "add_accept_handler",
    "bind_sockets",
    "bind_unix_socket",
    "is_valid_ip",
    "ssl_options_to_context",
    "ssl_wrap_socket",
]
