"""One fetch, from the request to the response that the program gets, through redirects and retries.

A :class:`Fetch` *is* the future that the program awaits: so a request that finds an idle connection costs one
future and neither task nor timer. Its phases::

    QUEUED      in line for a connection; holds no slot of the pool
    CONNECTING  a task makes a connection
    SENT        the request has been written, nothing has come
    READING     the response has begun
    DONE        there is a result, or somebody has cancelled the future

From CONNECTING to READING it holds a slot, and gives it back exactly once, in whatever way it leaves.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import TYPE_CHECKING, Any

from gustnado.events.futures import future_set_exception_unless_cancelled
from gustnado.http.client.auth import Challenge, digest, digest_challenge
from gustnado.http.client.deadlines import NEVER
from gustnado.http.client.decompression import DecodedBody
from gustnado.http.client.errors import (
    CallbackFailedError,
    ConnectTimeoutError,
    EmptyResponseError,
    FirstByteTimeoutError,
    HTTPTimeoutError,
    IncompleteResponseError,
    QueueTimeoutError,
    ReadTimeoutError,
    RequestError,
    RequestTimeoutError,
    TooManyRedirectsError,
)
from gustnado.http.client.prepare import IN_PIECES, check_body, credentials, head_for, username_password
from gustnado.http.client.proxies import Proxy, proxy_from_environment
from gustnado.http.client.redirects import REDIRECTS, next_step
from gustnado.http.client.request import HTTPRequest, headers_from
from gustnado.http.client.response import HTTPResponse
from gustnado.http.client.settings import Settings, settings_for
from gustnado.http.client.urls import ClientURL, parse_url
from gustnado.http.content_decoding import decoder_for
from gustnado.http.headers import HTTPHeaders
from gustnado.log import app_log

if TYPE_CHECKING:
    from gustnado.http.client.connection import ClientConnection
    from gustnado.http.client.simple import SimpleAsyncHTTPClient
    from gustnado.http.h1.response_parser import ResponseParser

__all__ = ["CONNECTING", "DONE", "IDEMPOTENT", "QUEUED", "READING", "SENT", "Fetch"]

QUEUED, CONNECTING, SENT, READING, DONE = range(5)

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})
"""Methods that may be sent again where nobody knows whether the first time counted (RFC 9110 section 9.2.2)."""

_MOST_HEADS = 256  # of plain requests that a client remembers

_NO_HEADERS = HTTPHeaders()  # of all requests without any; nobody writes to it


class Fetch(asyncio.Future[HTTPResponse]):
    """See the module.

    :param client: whose connections it uses.
    :param request: what the program wants.
    :param raise_error: whether a status other than 2xx is an exception.
    :param callback: takes the response, or one of status 599 with the error, instead of whoever awaits.
    """

    settings: Settings
    url: ClientURL
    key: Hashable
    head: bytes
    code: int
    reason: str
    response_headers: HTTPHeaders
    phase = QUEUED
    method = "GET"
    headers = _NO_HEADERS
    body: bytes | None = None
    producer: Any = None
    proxy: Proxy | None = None
    connection: ClientConnection | None = None
    task: asyncio.Task[None] | None = None
    sink: Callable[[bytes], Any] | None = None
    redirects_left = 0
    close_after = False
    repeated = False  # it has been sent a second time, and is not a third
    discarding = False  # the body of this response is of no interest
    location: str | None = None
    challenge: Challenge | None = None  # to be answered
    answered = 0
    authorization: str | None = None  # the answer
    start_time = send_time = head_time = 0.0  # on the loop's clock
    connect_time = -1.0
    start_wall_time: float | None = None
    deadline = due = NEVER
    _on_head: Callable[[int, str, HTTPHeaders, str], object] | None = None

    def __init__(
        self,
        client: SimpleAsyncHTTPClient,
        request: HTTPRequest,
        raise_error: bool = True,
        callback: Callable[[HTTPResponse], object] | None = None,
    ) -> None:
        super().__init__(loop=client.asyncio_loop)
        self.client = client
        self.request = request
        self.raise_error = raise_error
        self.callback = callback
        self.chunks: list[bytes] = []
        self.max_body_size = client.max_body_size

    def stream_to(
        self, on_head: Callable[[int, str, HTTPHeaders, str], object], sink: Callable[[bytes], Any]
    ) -> None:
        """Give the final head (code, reason, headers, URL) to ``on_head``, and its body piece by piece to ``sink``.

        Where that returns an awaitable the next piece waits for it, so the body may be as long as it wants.
        """
        self._on_head = on_head
        self.sink = sink
        self.max_body_size = self.client.max_stream_size

    # -- the request ----------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Work out what to send.

        :raises gustnado.http.client.errors.RequestError: where it cannot be sent.
        """
        request, client = self.request, self.client
        is_plain = len(request.__dict__) == 2  # url and start_time
        if is_plain:
            known = client.plain_heads.get(request.url)
            if known is not None:
                self.settings = client.plain
                self.redirects_left = client.plain.max_redirects or 0
                self.url, self.key, self.head = known
                return
        settings = self.settings = settings_for(request, client.defaults, client.plain)
        self.url = parse_url(request.url, client.sends_backslashes)
        self.method = request.method
        self.body = request.body
        self.producer = settings.body_producer
        if self.body is not None and self.producer is not None:
            raise RequestError("a request has one body: body or body_producer")
        given = request._headers
        self.headers = headers_from(given) if given else _NO_HEADERS
        self.redirects_left = settings.max_redirects or 0
        check_body(self.method, self.body is not None or self.producer is not None, settings)
        self._make_head()
        if is_plain and client.keeps_heads and self.url.username is None and settings is client.plain:
            if len(client.plain_heads) >= _MOST_HEADS:
                client.plain_heads.clear()
            client.plain_heads[request.url] = (self.url, self.key, self.head)

    def _make_head(self) -> None:
        """The bytes of the head, and which connections may take them."""
        url, settings, body = self.url, self.settings, self.body
        self.proxy = proxy = self._choose_proxy()
        headers = self._fields()
        target = url.target
        if proxy is None:
            self.key = (url.origin, settings.transport)
        elif proxy.tunnels(url):
            self.key = (url.origin, settings.transport, proxy)
        else:
            self.key = (proxy, settings.transport)
            target = url.text
        size = None if body is None else len(body)
        if self.producer is not None:
            size = IN_PIECES
        self.head = head_for(self.method, target, url.authority, headers, size, settings, self.client.user_agent)
        self.close_after = "Connection" in headers and "close" in headers["Connection"].lower()

    def _choose_proxy(self) -> Proxy | None:
        proxy = self.settings.given_proxy
        if proxy is None and self.client.trust_env:
            return proxy_from_environment(os.environ, self.url)
        return proxy

    def _fields(self) -> HTTPHeaders:
        """The program's header fields, and those of this request alone: credentials, cookies."""
        url, settings, headers = self.url, self.settings, self.headers
        added: dict[str, str] = {}
        authorization = self.authorization or credentials(url, settings)
        if authorization is not None:
            added["Authorization"] = authorization
        if self.proxy is not None and self.proxy.authorization is not None and not self.proxy.tunnels(url):
            added["Proxy-Authorization"] = self.proxy.authorization
        jar = self.client.cookie_jar
        cookies = None if jar is None else jar.header_for(url, time.time())
        if cookies is not None:
            own = headers.get("Cookie")
            added["Cookie"] = f"{own}; {cookies}" if own else cookies
        if added:
            headers = headers.copy()
            headers.update(added)
        return headers

    def begin(self, now: float) -> None:
        """Start the clocks."""
        self.start_time = now
        self.start_wall_time = time.time()
        total = self.settings.request_timeout
        self.deadline = self.due = now + total if total else NEVER

    def waits(self, phase: int, now: float, timeout: float | None) -> float:
        """Enter a phase that may take ``timeout`` seconds, from ``now`` on; returns when to look again."""
        self.phase = phase
        due = self.deadline
        if timeout and now + timeout < due:
            due = now + timeout
        self.due = due
        return due

    # -- the response ---------------------------------------------------------------------------------

    def head_received(self, parser: ResponseParser) -> ResponseParser | DecodedBody:
        """Take the final head; returns whence to read the body."""
        client = self.client
        self.head_time = client.asyncio_loop.time()
        self.code = code = parser.code
        self.reason = parser.reason
        headers = parser.headers
        self.response_headers = headers if headers is not None else HTTPHeaders()
        if client.trace is not None:
            client.trace.first_byte(self.request)
        if client.cookie_jar is not None:
            client.cookie_jar.store(self.url, self.response_headers.get_list("Set-Cookie"), time.time())
        if code >= 300 and self._goes_on(code):
            self.discarding = True
            parser.max_body_size = -1
            return parser
        parser.max_body_size = self.max_body_size
        parser.check_body_size()
        settings = self.settings
        if settings.streaming_callback is not None and self.sink is None:
            self.sink = self._stream
        body = self._body_of(parser)
        if settings.header_callback is not None:
            self._tell_head(parser.version)
        if self._on_head is not None:
            self._on_head(code, self.reason, self.response_headers, self.url.text)
        return body

    def _goes_on(self, code: int) -> bool:
        """Whether this response leads to another request: a redirect to follow, a challenge to answer."""
        settings = self.settings
        if code in REDIRECTS and settings.follow_redirects and self.redirects_left > 0:
            location = self.response_headers.get("Location")
            if location is not None:
                self.location = location
                return True
        if code == 401 and settings.auth_mode == "digest":
            challenge = digest_challenge(self.response_headers.get_list("WWW-Authenticate"))
            if challenge is not None and self._may_answer(challenge):
                self.challenge = challenge
                return True
        return False

    def _may_answer(self, challenge: Challenge) -> bool:
        """Once; and a second time where only the nonce was too old."""
        stale = challenge.parameters.get("stale", "").lower() == "true"
        return username_password(self.url, self.settings) is not None and self.answered < (2 if stale else 1)

    def _body_of(self, parser: ResponseParser) -> ResponseParser | DecodedBody:
        """The body, decoded where that is asked for."""
        if not self.settings.decompress_response or parser.complete:
            return parser
        coding = self.response_headers.get("Content-Encoding")
        decoder = None if coding is None else decoder_for(coding)
        if coding is None or decoder is None:
            return parser
        self.response_headers.add("X-Consumed-Content-Encoding", coding)
        del self.response_headers["Content-Encoding"]
        return DecodedBody(parser, decoder, self.max_body_size)

    def _tell_head(self, version: str) -> None:
        lines = [f"{version} {self.code} {self.reason}", *map(": ".join, self.response_headers.get_all()), ""]
        for line in lines:
            self._call(self.settings.header_callback, f"{line}\r\n")

    def _stream(self, chunk: bytes) -> Awaitable[None] | None:
        pending: Awaitable[None] | None = self._call(self.settings.streaming_callback, chunk)
        return pending

    def _call(self, callback: Callable[..., Any], *args: object) -> Any:
        """Call one of the program's callbacks; what it raises ends the fetch."""
        try:
            return callback(*args)
        except Exception as error:
            raise self.blame_callback(error) from error

    def blame_callback(self, error: BaseException) -> CallbackFailedError:
        """Log what a callback of the program raised; returns what the fetch fails with."""
        app_log.error("Uncaught exception in a callback of the request of %s", self.url.text, exc_info=error)
        return CallbackFailedError(f"a callback of the request raised {error!r}")

    def complete(self) -> None:
        """The response has been read to its end, and the connection does not belong to this any more."""
        self.connection = None
        self.client.release(self)
        if self.discarding:
            self.phase = QUEUED
            self._go_on()
            return
        self.phase = DONE
        self.client.forget(self)
        body = self.chunks[0] if len(self.chunks) == 1 else b"".join(self.chunks)
        response = self.response_of(body)
        if self.code in REDIRECTS and self.settings.follow_redirects and "Location" in self.response_headers:
            response.error = TooManyRedirectsError(
                self.code, f"{self.reason}: more than {self.settings.max_redirects} redirects", response
            )
        self._resolve(response)

    def response_of(self, body: bytes) -> HTTPResponse:
        """The response that has been read."""
        now = self.client.asyncio_loop.time()
        request = self.request
        url = request.url if self.location is None else self.url.text
        response = HTTPResponse(
            request, self.code, self.response_headers, None, url, None, now - self.send_time, None, self.reason,
            self.start_wall_time,
        )  # fmt: skip
        if self.sink is None:
            response._body = body
        response.time_info = self._time_info(now)
        return response

    def _time_info(self, now: float) -> dict[str, float]:
        start = self.start_time
        connected = self.connect_time if self.connect_time >= 0 else self.send_time
        return {
            "queue": connected - start,
            "connect": self.send_time - start,
            "pretransfer": self.send_time - start,
            "starttransfer": self.head_time - start,
            "total": now - start,
        }

    def _go_on(self) -> None:
        """Send the next request: the answer to a challenge, or the one to which a redirect points."""
        self.discarding = self.repeated = False
        try:
            if self.challenge is not None:
                self._answer(self.challenge)
            else:
                self._follow()
            self._make_head()
        except Exception as error:
            self.fail(error)
            return
        self.client.dispatch(self)

    def _answer(self, challenge: Challenge) -> None:
        self.challenge = None
        self.answered += 1
        known = username_password(self.url, self.settings)
        if known is not None:
            self.authorization = digest(challenge, *known, self.method, self.url.target)

    def _follow(self) -> None:
        self.redirects_left -= 1
        self.authorization = None
        self.answered = 0
        downgrade = bool(self.settings.allow_downgrade)
        step = next_step(self.code, str(self.location), self.url, self.method, self.headers, downgrade)
        if step.same_origin:
            self.url = step.url.with_userinfo_of(self.url)  # which is that of their origin
        else:
            self.settings = self.settings.without_credentials()
            self.url = step.url
        self.method, self.headers = step.method, step.headers
        if not step.keeps_body:
            self.body = self.producer = None

    # -- the end --------------------------------------------------------------------------------------

    def connection_ended(self, connection: ClientConnection, error: BaseException | None) -> None:
        """The connection was lost before the response was complete."""
        self.connection = None
        started = connection.parser.started
        # Through a proxy nobody knows what the server has seen.
        taken = connection.was_taken and self.proxy is None
        if not started and connection.served and not taken and not self.repeated and self.is_repeatable():
            # The server closed an idle connection just when we used it.
            self.repeated = True
            self.client.open(self)
            return
        where = "within" if started else "before"
        what = "Connection closed" if error is None else f"Connection lost ({error})"
        kind = IncompleteResponseError if started else EmptyResponseError
        failure = kind(f"{what} {where} the response from {self.url.authority}")
        failure.__cause__ = error
        self.fail(failure)

    def is_repeatable(self) -> bool:
        """Whether it may be sent again when nobody knows whether it was received."""
        return self.method in IDEMPOTENT and self.producer is None

    def expire(self, now: float) -> None:
        """The time of a phase, or of all, is over."""
        self.fail(RequestTimeoutError("Timeout during request") if self.deadline <= now else self._lateness())

    def _lateness(self) -> HTTPTimeoutError:
        if self.phase == QUEUED:
            return QueueTimeoutError("Timeout in request queue")
        if self.phase == CONNECTING:
            return ConnectTimeoutError("Timeout while connecting")
        if self.phase == SENT:
            return FirstByteTimeoutError(f"Timeout while waiting for a response from {self.url.authority}")
        return ReadTimeoutError(f"Timeout while reading the response from {self.url.authority}")

    def fail(self, error: BaseException) -> None:
        """End without a response."""
        self._leave()
        response = HTTPResponse(
            self.request,
            599,
            error=error,
            request_time=self.client.asyncio_loop.time() - self.start_time if self.start_time else 0.0,
            start_time=self.start_wall_time,
        )
        self._resolve(response)

    def _leave(self) -> None:
        """Give back whatever this holds."""
        phase, self.phase = self.phase, DONE
        client, connection, task = self.client, self.connection, self.task
        client.forget(self)
        if phase == QUEUED:
            client.pool.withdraw(self)
        if task is not None and phase == CONNECTING:
            task.cancel()
        if connection is not None:
            self.connection = None
            connection.abandon()
        if phase != QUEUED and phase != DONE:
            client.release(self)

    def _resolve(self, response: HTTPResponse) -> None:
        if self.done():
            if self.cancelled() and not self.client.cancels_requests:
                self._resolve_unseen(response)
            return
        if self.client.trace is not None:
            self.client.trace.done(self.request, response)
        callback, error = self.callback, response.error
        if callback is not None:
            self.callback = None
            self.set_result(response)
            callback(response)
        elif error is not None and (self.raise_error or not response._error_is_response_code):
            self.set_exception(error)
        else:
            self.set_result(response)

    def _resolve_unseen(self, response: HTTPResponse) -> None:
        """The end of a request whose future was cancelled long ago: only the log can hear of an error."""
        if self.client.trace is not None:
            self.client.trace.done(self.request, response)
        error = response.error
        if error is not None and (self.raise_error or not response._error_is_response_code):
            future_set_exception_unless_cancelled(self, error)

    def cancel(self, msg: Any = None) -> bool:
        """Stop, unless the client lets requests go on whose futures are cancelled."""
        return self.stop(msg) if self.client.cancels_requests else super().cancel(msg)

    def stop(self, msg: Any = None) -> bool:
        """Stop: leave the line, or close the connection that is in use."""
        cancelled = super().cancel(msg)
        if cancelled:
            self._leave()
            if self.client.trace is not None:
                error = asyncio.CancelledError("the fetch was cancelled")
                self.client.trace.done(self.request, HTTPResponse(self.request, 599, error=error))
        return cancelled
