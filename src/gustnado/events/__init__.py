"""Ring 1, the event system: sockets, time and tasks. It knows nothing of HTTP."""

from __future__ import annotations

from gustnado.errors import StreamBufferFullError, StreamClosedError, UnsatisfiableReadError
from gustnado.events.caching_resolver import CachingResolver
from gustnado.events.callbacks import deliver
from gustnado.events.cares_resolver import CaresResolver
from gustnado.events.child import Subprocess
from gustnado.events.consumer import StreamConsumer
from gustnado.events.inherited import inherited_socket, systemd_sockets
from gustnado.events.lag_probe import LagProbe
from gustnado.events.locks import BoundedSemaphore, Condition, Event, Lock, Semaphore
from gustnado.events.loop import IOLoop
from gustnado.events.periodic import PeriodicCallback
from gustnado.events.pipes import PipeIOStream
from gustnado.events.process import cpu_count, fork_processes, task_id
from gustnado.events.queues import LifoQueue, PriorityQueue, Queue, QueueEmpty, QueueFull
from gustnado.events.resolver import (
    BlockingResolver,
    DefaultExecutorResolver,
    DefaultLoopResolver,
    ExecutorResolver,
    OverrideResolver,
    Resolver,
    ThreadedResolver,
)
from gustnado.events.server_tls import ServerTLS
from gustnado.events.slow_callbacks import SlowCallbackLog
from gustnado.events.sockets import add_accept_handler, bind_sockets, is_valid_ip
from gustnado.events.stream import BaseIOStream, IOStream, SSLIOStream
from gustnado.events.tcp_client import TCPClient
from gustnado.events.tcp_server import TCPServer
from gustnado.events.tls import ssl_options_to_context, ssl_wrap_socket
from gustnado.events.unix_sockets import bind_unix_socket

__all__ = [
    # the loop
    "IOLoop",
    "LagProbe",
    "PeriodicCallback",
    "SlowCallbackLog",
    "deliver",
    # streams
    "BaseIOStream",
    "IOStream",
    "PipeIOStream",
    "SSLIOStream",
    "ServerTLS",
    "StreamBufferFullError",
    "StreamClosedError",
    "StreamConsumer",
    "UnsatisfiableReadError",
    # servers and clients
    "TCPClient",
    "TCPServer",
    # sockets and names
    "BlockingResolver",
    "CachingResolver",
    "CaresResolver",
    "DefaultExecutorResolver",
    "DefaultLoopResolver",
    "ExecutorResolver",
    "OverrideResolver",
    "Resolver",
    "ThreadedResolver",
    "add_accept_handler",
    "bind_sockets",
    "bind_unix_socket",
    "inherited_socket",
    "is_valid_ip",
    "ssl_options_to_context",
    "ssl_wrap_socket",
    "systemd_sockets",
    # coroutines among themselves
    "BoundedSemaphore",
    "Condition",
    "Event",
    "LifoQueue",
    "Lock",
    "PriorityQueue",
    "Queue",
    "QueueEmpty",
    "QueueFull",
    "Semaphore",
    # processes
    "Subprocess",
    "cpu_count",
    "fork_processes",
    "task_id",
]
