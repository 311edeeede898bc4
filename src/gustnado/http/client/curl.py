"""A client over libcurl, by pycurl (the extra ``curl``): for what only libcurl can do.

::

    AsyncHTTPClient.configure(CurlAsyncHTTPClient)

libcurl reads and writes its sockets itself; the event loop tells it which are ready. Each request has a handle of its
own, so that nothing of one can be left over for the next; connections are kept by libcurl.
"""

from __future__ import annotations

import logging
import re
import time
from collections import deque
from collections.abc import Callable
from importlib import import_module
from io import BytesIO
from typing import Any

from gustnado.errors import UsageError
from gustnado.events.loop import IOLoop
from gustnado.http.client.api import AsyncHTTPClient
from gustnado.http.client.curl_body import CurlBody, CurlStreamingBuffer
from gustnado.http.client.curl_setup import set_up
from gustnado.http.client.errors import ClientClosedError, HTTPClientError, HTTPTimeoutError
from gustnado.http.client.request import HTTPRequest
from gustnado.http.client.response import HTTPResponse
from gustnado.http.headers import HTTPHeaders
from gustnado.log import app_log

__all__ = ["CR_OR_LF_RE", "CurlAsyncHTTPClient", "CurlError", "CurlTimeoutError", "curl_log", "load_pycurl"]

curl_log = logging.getLogger("gustnado.curl_httpclient")
"""At DEBUG, what libcurl says of its work."""

CR_OR_LF_RE = re.compile(b"\r|\n")
"""What may stand in no header line."""

ResponseCallback = Callable[[HTTPResponse], object]


def load_pycurl() -> Any:
    """The module ``pycurl``.

    :raises gustnado.errors.UsageError: where it is not installed.
    """
    try:
        return import_module("pycurl")
    except ImportError as error:
        raise UsageError(f"CurlAsyncHTTPClient needs pycurl (pip install gustnado[curl]): {error}") from error


class CurlError(HTTPClientError):
    """libcurl could not do it.

    :ivar errno: libcurl's code (``pycurl.E_...``).
    """

    def __init__(self, errno: int, message: str) -> None:
        HTTPClientError.__init__(self, 599, message)
        self.errno = errno
        self.args = (errno, message)

    __str__ = HTTPClientError.__str__


class CurlTimeoutError(CurlError, HTTPTimeoutError):
    """libcurl did not have enough time."""


class _Transfer:
    """One request under way."""

    __slots__ = ("body", "callback", "curl", "headers", "queued_at", "reason", "request", "started_at", "started_wall")

    def __init__(self, request: HTTPRequest, callback: ResponseCallback, now: float) -> None:
        self.request = request
        self.callback = callback
        self.queued_at = now
        self.started_at = now
        self.started_wall = 0.0
        self.curl: Any = None
        self.headers = HTTPHeaders()
        self.reason: str | None = None
        self.body: CurlBody | CurlStreamingBuffer | None = None


class CurlAsyncHTTPClient(AsyncHTTPClient):
    """A client over libcurl.

    :param max_clients: requests in flight at once; others wait.
    :param defaults: see :class:`~gustnado.http.client.api.AsyncHTTPClient`.
    :param max_body_size: bytes of a response's body, decoded.
    :raises gustnado.errors.UsageError: where pycurl is not installed.
    """

    def initialize(  # type: ignore[override]  # what it takes is its own affair
        self,
        max_clients: int = 10,
        defaults: dict[str, Any] | None = None,
        max_body_size: int = 104857600,
        io_loop: IOLoop | None = None,
    ) -> None:
        super().initialize(defaults=defaults, io_loop=io_loop)
        self._pycurl = load_pycurl()
        self.max_clients = max_clients
        self.max_body_size = max_body_size
        self._multi: Any = self._pycurl.CurlMulti()
        self._multi.setopt(self._pycurl.M_TIMERFUNCTION, self._set_timeout)
        self._multi.setopt(self._pycurl.M_SOCKETFUNCTION, self._watch)
        self._queue: deque[_Transfer] = deque()
        self._active: dict[Any, _Transfer] = {}
        self._fds: set[int] = set()
        self._timeout: object | None = None

    def close(self) -> None:
        """Close the client and its connections; requests in flight fail."""
        if self._closed:
            return
        super().close()
        for transfer in [*self._active.values(), *self._queue]:
            self._answer(transfer, 599, error=ClientClosedError("the client was closed"))
        for curl in self._active:
            self._multi.remove_handle(curl)
            curl.close()
        self._active.clear()
        self._queue.clear()
        self._multi.close()
        self._multi = None
        for fd in self._fds:
            self.io_loop.remove_handler(fd)
        self._fds.clear()
        if self._timeout is not None:
            self.io_loop.remove_timeout(self._timeout)
            self._timeout = None

    def fetch_impl(self, request: HTTPRequest, callback: ResponseCallback) -> None:
        self._queue.append(_Transfer(request, callback, self.io_loop.time()))
        self._start_next()

    # -- between libcurl and the loop -----------------------------------------------------------------

    def _watch(self, event: int, fd: int, multi: Any, data: Any) -> None:
        """libcurl wants to know of what happens to a socket."""
        if self._closed:
            return
        if fd in self._fds:
            # Anew each time: it may be another socket of the same number.
            self.io_loop.remove_handler(fd)
            self._fds.discard(fd)
        if event == self._pycurl.POLL_REMOVE:
            return
        events = IOLoop.READ * bool(event & self._pycurl.POLL_IN) | IOLoop.WRITE * bool(event & self._pycurl.POLL_OUT)
        self.io_loop.add_handler(fd, self._on_ready, events)
        self._fds.add(fd)

    def _set_timeout(self, milliseconds: int) -> None:
        """libcurl wants to be called after so long; -1 takes that back."""
        if self._timeout is not None:
            self.io_loop.remove_timeout(self._timeout)
            self._timeout = None
        if milliseconds >= 0 and not self._closed:
            self._timeout = self.io_loop.call_later(milliseconds / 1000, self._on_timeout)

    def _on_ready(self, fd: Any, events: int) -> None:
        bits = self._pycurl.CSELECT_IN * bool(events & IOLoop.READ)
        bits |= self._pycurl.CSELECT_OUT * bool(events & IOLoop.WRITE)
        self._act(fd, bits)

    def _on_timeout(self) -> None:
        self._timeout = None
        self._act(self._pycurl.SOCKET_TIMEOUT, 0)
        if self._timeout is None and self._multi is not None:
            # Its clock may say that it is too early yet.
            self._set_timeout(self._multi.timeout())

    def _act(self, fd: int, bits: int) -> None:
        """Let libcurl do what there is to do, then deal with what has ended."""
        if self._multi is None:
            return
        self._multi.socket_action(fd, bits)
        while self._multi is not None:
            left, done, failed = self._multi.info_read()
            for curl in done:
                self._finish(curl, 0, "")
            for curl, errno, message in failed:
                self._finish(curl, errno, message)
            if not left:
                break
        self._start_next()

    # -- transfers ------------------------------------------------------------------------------------

    def _start_next(self) -> None:
        while self._queue and len(self._active) < self.max_clients and self._multi is not None:
            transfer = self._queue.popleft()
            transfer.started_at = self.io_loop.time()
            transfer.started_wall = time.time()
            curl = self._pycurl.Curl()
            try:
                transfer.body = self._body_for(curl, transfer.request)
                set_up(self._pycurl, curl, transfer.request, self._header_function(transfer), transfer.body.write)
                if curl_log.isEnabledFor(logging.DEBUG):
                    curl.setopt(self._pycurl.VERBOSE, 1)
                    curl.setopt(self._pycurl.DEBUGFUNCTION, _debug)
                if transfer.request.prepare_curl_callback is not None:
                    transfer.request.prepare_curl_callback(curl)
            except Exception as error:
                curl.close()
                self._answer(transfer, 599, error=error)
                continue
            self._active[curl] = transfer
            self._multi.add_handle(curl)

    def _body_for(self, curl: Any, request: HTTPRequest) -> CurlBody | CurlStreamingBuffer:
        if request.streaming_callback is None:
            return CurlBody(self.max_body_size)
        return CurlStreamingBuffer(self, curl, request.streaming_callback)

    def _header_function(self, transfer: _Transfer) -> Callable[[bytes], int | None]:
        def take(raw: bytes) -> int | None:
            line = raw.decode("latin-1")
            if transfer.request.header_callback is not None:
                self.io_loop.add_callback(transfer.request.header_callback, line)
            if line.startswith("HTTP/"):
                transfer.headers = HTTPHeaders()  # those before were of a redirect, or of 100 Continue
                transfer.reason = line.rstrip("\r\n").partition(" ")[2].partition(" ")[2] or None
                return None
            try:
                transfer.headers.parse_line(line.rstrip("\r\n"))
            except ValueError:
                return -1
            except Exception as error:
                curl_log.info("malformed header line %r: %s", line[:80], error)
                return -1
            return None

        return take

    def _finish(self, curl: Any, errno: int, message: str) -> None:
        transfer = self._active.pop(curl)
        self._multi.remove_handle(curl)
        body = transfer.body
        if isinstance(body, CurlStreamingBuffer):
            try:
                body.finish()
            except Exception:
                self.handle_callback_exception(body.callback)
        if errno:
            if body is not None and body.body_too_large:
                message = f"body exceeded max_body_size of {self.max_body_size} bytes"
            kind = CurlTimeoutError if errno == self._pycurl.E_OPERATION_TIMEDOUT else CurlError
            self._answer(transfer, 599, error=kind(errno, message))
        else:
            url = curl.getinfo(self._pycurl.EFFECTIVE_URL)
            code = curl.getinfo(self._pycurl.HTTP_CODE)
            times = self._time_info(curl, transfer)
            data = body.data() if isinstance(body, CurlBody) else None
            self._answer(transfer, code, url=url, data=data, times=times)
        curl.close()

    def _time_info(self, curl: Any, transfer: _Transfer) -> dict[str, float]:
        names = "namelookup connect appconnect pretransfer starttransfer total redirect"
        times = {name: curl.getinfo(getattr(self._pycurl, f"{name.upper()}_TIME")) for name in names.split()}
        return {"queue": transfer.started_at - transfer.queued_at, **times}

    def _answer(
        self,
        transfer: _Transfer,
        code: int,
        error: BaseException | None = None,
        url: str | None = None,
        data: bytes | None = None,
        times: dict[str, float] | None = None,
    ) -> None:
        response = HTTPResponse(
            transfer.request,
            code,
            headers=transfer.headers,
            buffer=None if data is None else BytesIO(data),
            effective_url=url,
            error=error,
            reason=transfer.reason,
            request_time=self.io_loop.time() - transfer.started_at,
            start_time=transfer.started_wall or None,
            time_info=times,
        )
        try:
            transfer.callback(response)
        except Exception:
            self.handle_callback_exception(transfer.callback)

    def handle_callback_exception(self, callback: Any) -> None:
        """Called where ``callback`` has raised, with the exception in flight: logs it."""
        app_log.error("Exception in callback %r", callback, exc_info=True)


def _debug(kind: int, message: bytes) -> None:
    """What libcurl says (0), and the heads that it receives (1) and sends (2), without credentials."""
    if kind == 0:
        curl_log.debug("%s", message.decode("latin-1").rstrip())
    elif kind in (1, 2):
        for line in message.decode("latin-1").splitlines():
            name, colon, _ = line.partition(":")
            shown = f"{name}: ***" if name.lower() in _SECRET and colon else line
            curl_log.debug("%s %s", "<" if kind == 1 else ">", shown)


_SECRET = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
