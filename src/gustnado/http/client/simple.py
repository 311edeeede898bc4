"""The client itself: its requests, its connections, and who gets which.

What the :class:`~gustnado.http.client.pool.ConnectionPool` decides is done here. A request that finds an idle
connection is written before :meth:`SimpleAsyncHTTPClient.fetch` returns; only a new connection takes a task.
"""

from __future__ import annotations

import asyncio
import dataclasses
import re
import weakref
from collections.abc import AsyncGenerator, Callable, Hashable, Mapping
from typing import Any, ClassVar

from gustnado.events.loop import IOLoop
from gustnado.events.resolver import OverrideResolver, Resolver
from gustnado.events.tcp_client import TCPClient
from gustnado.http.client.api import AsyncHTTPClient, ResponseCallback
from gustnado.http.client.connection import ClientConnection
from gustnado.http.client.connector import Connector
from gustnado.http.client.cookies import CookieJar
from gustnado.http.client.deadlines import NEVER, Alarm
from gustnado.http.client.errors import ClientClosedError
from gustnado.http.client.fetch import CONNECTING, QUEUED, SENT, Fetch
from gustnado.http.client.pool import OPEN, WAIT, ConnectionPool
from gustnado.http.client.request import HTTPRequest, RequestProxy, plain_request
from gustnado.http.client.response import HTTPResponse
from gustnado.http.client.settings import Settings
from gustnado.http.client.streaming import ResponseStream
from gustnado.http.client.tracing import ClientTrace
from gustnado.http.client.urls import ClientURL
from gustnado.http.h1.response_parser import ResponseParser
from gustnado.http.limits import Limits
from gustnado.log import gen_log

__all__ = ["SimpleAsyncHTTPClient"]

_LONG_WAIT = 1.0  # seconds in line that are worth a line in the log
_COMPLAINT_INTERVAL = 60.0
_STALE_TIME = 1.0  # seconds without a request after which a connection is looked at before it is used
_TIMEOUT_HINT = re.compile(r"timeout=([0-9]{1,6})")


class SimpleAsyncHTTPClient(AsyncHTTPClient):
    """The client of this package, which keeps its connections.

    :param max_clients: requests in flight at once; others wait in line, and that counts as their time.
    :param hostname_mapping: addresses to connect to instead; see
        :class:`~gustnado.events.resolver.OverrideResolver`.
    :param max_buffer_size: the default of ``max_body_size``.
    :param resolver: looks up names; not closed with the client.
    :param defaults: see :class:`~gustnado.http.client.api.AsyncHTTPClient`.
    :param max_header_size: bytes of a response's head; 32 KiB by default.
    :param max_body_size: bytes of a response's body, decoded, streamed or not; 100 MiB by default.
    :param max_clients_per_host: requests in flight at once to one host.
    :param max_idle: connections that are kept while nobody uses them; by default ``max_clients``.
    :param idle_timeout: seconds for which they are kept, unless the server says that it keeps them for a shorter time.
    :param limits: the other bounds on a response's head.
    :param cookie_jar: a :class:`~gustnado.http.client.cookies.CookieJar`; without one cookies are the program's affair.
    :param trust_env: whether ``http_proxy`` and the other variables of the environment name proxies.
    :param trace: told of the life of each request.
    """

    default_max_clients: ClassVar[int] = 100
    """What ``max_clients`` is where it is not given."""

    user_agent: ClassVar[str] = "gustnado"
    """What requests call themselves that do not say otherwise."""

    cancels_requests: ClassVar[bool] = True
    """Whether a request stops when its future is cancelled. Otherwise it goes on, and an error is logged."""

    sends_backslashes: ClassVar[bool] = False
    """Whether a path or query may have a backslash in it, and is sent with it. Otherwise that is an error."""

    max_clients: int
    max_body_size: int

    def initialize(  # type: ignore[override]  # what it takes is its own affair
        self,
        max_clients: int | None = None,
        hostname_mapping: Mapping[Any, Any] | None = None,
        max_buffer_size: int = 104857600,
        resolver: Resolver | None = None,
        defaults: dict[str, Any] | None = None,
        max_header_size: int | None = None,
        max_body_size: int | None = None,
        max_clients_per_host: int | None = None,
        max_idle: int | None = None,
        idle_timeout: float = 60.0,
        limits: Limits | None = None,
        cookie_jar: CookieJar | None = None,
        trust_env: bool = False,
        trace: ClientTrace | None = None,
        io_loop: IOLoop | None = None,
    ) -> None:
        super().initialize(defaults=defaults, io_loop=io_loop)
        self._is_own = type(self).fetch_impl is SimpleAsyncHTTPClient.fetch_impl
        self.asyncio_loop: asyncio.AbstractEventLoop = self.io_loop.asyncio_loop
        self.max_clients = self.default_max_clients if max_clients is None else max_clients
        self.max_buffer_size = max_buffer_size
        self.max_header_size = max_header_size
        self.max_body_size = max_buffer_size if max_body_size is None else max_body_size
        self.max_stream_size = -1 if max_body_size is None else max_body_size
        self.cookie_jar = cookie_jar
        self.trust_env = trust_env
        self.trace = trace
        self.own_resolver = resolver is None
        self.resolver: Resolver = Resolver() if resolver is None else resolver
        if hostname_mapping is not None:
            self.resolver = OverrideResolver(resolver=self.resolver, mapping=hostname_mapping)
        self.tcp_client = TCPClient(resolver=self.resolver, io_loop=self.io_loop)
        self.pool = ConnectionPool(self.max_clients, max_clients_per_host, max_idle)
        self.idle_timeout = idle_timeout
        self._limits = limits or Limits()
        if max_header_size is not None:
            self._limits = dataclasses.replace(self._limits, max_header_size=max_header_size)
        self._connector = Connector(self.tcp_client, self._limits)
        self.plain = Settings(self.defaults)  # of all requests that say nothing
        self.plain_heads: dict[str, tuple[ClientURL, Hashable, bytes]] = {}
        self.keeps_heads = cookie_jar is None and not trust_env
        self._time = self.asyncio_loop.time
        self._fetches: set[Fetch] = set()
        self._alarm = Alarm(self.asyncio_loop, self._look)
        self._admitting = False
        self._next_complaint = 0.0
        self._sentinel: AsyncGenerator[None, None] | None = None

    def close(self) -> None:
        """Close the client, its connections and its resolver; requests in flight fail."""
        if self._closed:
            return
        super().close()
        self._alarm.close()
        for fetch in list(self._fetches):
            fetch.fail(ClientClosedError("the client was closed"))
        self._close_idle()
        if self.own_resolver:
            self.resolver.close()
        self.tcp_client.close()

    # -- what is under way ----------------------------------------------------------------------------

    @property
    def queue(self) -> list[HTTPRequest]:
        """The requests that wait for a connection, the longest first."""
        return [fetch.request for fetch in self.pool.waiting()]

    @property
    def waiting(self) -> dict[object, HTTPRequest]:
        """The same, by something that stands for each."""
        return {fetch: fetch.request for fetch in self.pool.waiting()}

    @property
    def active(self) -> dict[object, HTTPRequest]:
        """The requests that are not done and do not wait."""
        return {fetch: fetch.request for fetch in self._fetches if fetch.phase != QUEUED}

    # -- fetching -------------------------------------------------------------------------------------

    def fetch(
        self,
        request: HTTPRequest | str,
        raise_error: bool | ResponseCallback = True,
        callback: ResponseCallback | None = None,
        **kwargs: Any,
    ) -> asyncio.Future[HTTPResponse]:
        if not self._is_own:
            return super().fetch(request, raise_error, callback, **kwargs)
        if type(request) is str and raise_error is True and callback is None and not kwargs and not self._closed:
            fetch = Fetch(self, plain_request(request), True)
            self._start(fetch)
            return fetch
        request, raises, callback = self._arguments(request, raise_error, callback, kwargs)
        fetch = Fetch(self, request, raises)
        self._start(fetch)
        return fetch if callback is None else self._deliver(fetch, request, callback)

    def fetch_impl(self, request: HTTPRequest, callback: Callable[[HTTPResponse], object]) -> None:
        own = request.request if isinstance(request, RequestProxy) else request
        self._start(Fetch(self, own, True, callback))

    def stream(self, request: HTTPRequest | str, **kwargs: Any) -> ResponseStream:
        """Send a request, and read its response piece by piece: see :mod:`gustnado.http.client.streaming`.

        The arguments are those of :meth:`fetch`. A status other than 2xx raises nothing. The body may have any length,
        unless ``max_body_size`` was given to the client; ``request_timeout`` counts, so give one that is long enough.
        """
        request, _, _ = self._arguments(request, False, None, kwargs)
        fetch = Fetch(self, request, False)
        response = ResponseStream(fetch)
        self._start(fetch)
        return response

    def _start(self, fetch: Fetch) -> None:
        try:
            fetch.prepare()
        except Exception as error:
            fetch.fail(error)
            return
        self._fetches.add(fetch)
        fetch.begin(self._time())
        self.dispatch(fetch)

    def dispatch(self, fetch: Fetch) -> None:
        """Give ``fetch`` a connection, or a place in line."""
        verdict = self.pool.acquire(fetch.key, fetch)
        if verdict is WAIT:
            if self.trace is not None:
                self.trace.queued(fetch.request)
            settings = fetch.settings
            limits = [one for one in (settings.connect_timeout, settings.request_timeout) if one]
            timeout = settings.queue_timeout or min(limits, default=None)
            now = self._time()
            self._alarm.watch(fetch.waits(QUEUED, now, timeout))
            self._alarm.watch(max(now + _LONG_WAIT, self._next_complaint))
        elif verdict is OPEN:
            self.open(fetch)
        else:
            self._send(fetch, verdict)

    def open(self, fetch: Fetch) -> None:
        """Make a connection for ``fetch``, which has a slot."""
        self._alarm.watch(fetch.waits(CONNECTING, 0.0, None))
        fetch.connect_time = self._time()
        fetch.task = self.asyncio_loop.create_task(self._connect(fetch))

    async def _connect(self, fetch: Fetch) -> None:
        self._stand_guard()
        try:
            stream = await self._connector.connect(fetch.url, fetch.settings, fetch.proxy)
        except Exception as error:
            fetch.fail(error)
            return
        connection = ClientConnection(self, fetch.key, stream, self._limits)
        fetch.task = None
        self._send(fetch, connection)

    def _send(self, fetch: Fetch, connection: ClientConnection) -> None:
        now = self._time()
        # To be sure costs a system call. A server seldom closes a connection that is in use all the time, and then a
        # request may be repeated.
        if (
            connection.served
            and (now - connection.idle_since > _STALE_TIME or not fetch.is_repeatable())
            and connection.is_stale()
        ):
            connection.close()
            self.open(fetch)
            return
        fetch.connection = connection
        fetch.send_time = now
        settings = fetch.settings
        timeout = settings.first_byte_timeout
        self._alarm.watch(fetch.waits(SENT, now, settings.read_timeout if timeout is None else timeout))
        if self.trace is not None:
            self.trace.connected(fetch.request, connection.served > 0)
        connection.send(fetch)

    def watch(self, fetch: Fetch, phase: int, pausing: bool = False) -> None:
        """``fetch`` waits for more of its response, or its request moves on.

        :param pausing: its program is not ready for more.
        """
        settings = fetch.settings
        timeout = settings.read_timeout
        if phase == SENT and settings.first_byte_timeout is not None:
            timeout = settings.first_byte_timeout
        self._alarm.watch(fetch.waits(phase, self._time(), None if pausing else timeout))

    # -- connections ----------------------------------------------------------------------------------

    def release(self, fetch: Fetch) -> None:
        """``fetch`` gives back its slot; somebody else may have it."""
        self.pool.release(fetch.key)
        if self._admitting:
            return
        self._admitting = True
        try:
            while (admitted := self.pool.admit()) is not None:
                other, _, verdict = admitted
                if verdict is OPEN:
                    self.open(other)
                else:
                    self._send(other, verdict)
        finally:
            self._admitting = False

    def forget(self, fetch: Fetch) -> None:
        """``fetch`` is done."""
        self._fetches.discard(fetch)

    def keep(self, connection: ClientConnection, parser: ResponseParser) -> None:
        """``connection`` is free for another request."""
        if self._closed:
            connection.close()
            return
        connection.idle_since = now = self._time()
        deadline = now + self._idle_time(parser)
        evicted = self.pool.keep(connection.key, connection, deadline)
        if evicted is not None:
            for other in evicted:
                other.close()
        self._alarm.watch(deadline)

    def _idle_time(self, parser: ResponseParser) -> float:
        """How long to keep a connection: less long than the server says that it does, if it says so."""
        headers = parser.headers
        if headers is not None and "Keep-Alive" in headers:
            hint = _TIMEOUT_HINT.search(headers["Keep-Alive"])
            if hint is not None:
                seconds = float(hint[1])
                return min(self.idle_timeout, max(seconds - 1.0, seconds / 2))
        return self.idle_timeout

    def lost(self, connection: ClientConnection) -> None:
        """``connection`` has closed."""
        self.pool.forget(connection.key, connection)

    def _close_idle(self) -> None:
        for connection in self.pool.expire(NEVER):
            connection.close()

    def _look(self, now: float) -> float:
        """Look at all deadlines; returns the next one."""
        for fetch in [fetch for fetch in self._fetches if fetch.due <= now]:
            fetch.expire(now)
        for connection in self.pool.expire(now):
            connection.close()
        dues = [fetch.due for fetch in self._fetches]
        idle = self.pool.next_deadline()
        if idle is not None:
            dues.append(idle)
        waiting = self.pool.waiting()
        if waiting:
            dues.append(self._complain(waiting, now))
        return min(dues, default=NEVER)

    def _complain(self, waiting: list[Fetch], now: float) -> float:
        """Log, but not all the time, where requests wait for long; returns when to look again."""
        since = waiting[0].start_time
        if now >= max(since + _LONG_WAIT, self._next_complaint):
            self._next_complaint = now + _COMPLAINT_INTERVAL
            gen_log.warning(
                "%d requests wait for one of max_clients=%d connections, the first since %.1f s",
                len(waiting),
                self.max_clients,
                now - since,
            )
        return max(since + _LONG_WAIT, self._next_complaint)

    def _stand_guard(self) -> None:
        """Have idle connections closed when the loop is about to close.

        Nobody needs to close a client that is shared. The loop closes the asynchronous generators that it knows of, so
        one of these waits for that.
        """
        if self._sentinel is None:
            self._sentinel = _close_with_loop(weakref.ref(self))
            try:
                self._sentinel.asend(None).send(None)
            except StopIteration:
                pass


async def _close_with_loop(client: weakref.ref[SimpleAsyncHTTPClient]) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        here = client()
        if here is not None:
            here._close_idle()
