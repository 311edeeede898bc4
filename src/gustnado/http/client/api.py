"""The client that programs ask for, whatever implementation it is: :class:`AsyncHTTPClient`.

::

    client = AsyncHTTPClient()
    response = await client.fetch("http://example.org/")
    print(response.code, response.body)
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, MutableMapping
from typing import Any, cast

from gustnado.errors import UsageError
from gustnado.events.callbacks import require_callable, run_callback
from gustnado.events.futures import future_set_exception_unless_cancelled, future_set_result_unless_cancelled
from gustnado.events.loop import IOLoop
from gustnado.http.client.errors import HTTPClientError
from gustnado.http.client.request import HTTPRequest, RequestProxy, headers_from
from gustnado.http.client.response import HTTPResponse
from gustnado.util import Configurable

__all__ = ["AsyncHTTPClient", "ClientUsageError"]

Instances = MutableMapping[IOLoop, "AsyncHTTPClient"]
ResponseCallback = Callable[[HTTPResponse], object]


class ClientUsageError(UsageError, RuntimeError, ValueError):
    """The client was called in a way that its contract does not allow."""


class AsyncHTTPClient(Configurable):
    """A non-blocking HTTP client.

    The constructor gives the same object again and again, one for each IOLoop: connections are shared by all parts of a
    program. It is of the class that :meth:`configure` chose, by default
    :class:`~gustnado.http.client.simple.SimpleAsyncHTTPClient`.

    :param force_instance: make a new one, with arguments of its own; close it when it is of no use any more.
    :param io_loop: the loop on which it works, by default the current one; :meth:`fetch` is called there.
    :param defaults: what requests get that do not say otherwise: a dictionary of attributes of
        :class:`~gustnado.http.client.request.HTTPRequest`.
    """

    io_loop: IOLoop
    defaults: dict[str, Any]
    _instance_cache: Instances | None
    _closed = False

    @classmethod
    def configurable_base(cls) -> type[Configurable]:
        return AsyncHTTPClient

    @classmethod
    def configurable_default(cls) -> type[Configurable]:
        from gustnado.http.client.simple import SimpleAsyncHTTPClient

        return SimpleAsyncHTTPClient

    @classmethod
    def _async_clients(cls) -> Instances:
        """The clients that are shared, by loop: a map of each class of its own."""
        name = f"_async_client_dict_{cls.__name__}"
        clients: Instances | None = cls.__dict__.get(name)
        if clients is None:
            clients = weakref.WeakKeyDictionary()
            setattr(cls, name, clients)
        for loop in [loop for loop in clients if loop.asyncio_loop.is_closed()]:
            del clients[loop]
        return clients

    def __new__(
        cls, force_instance: bool = False, io_loop: IOLoop | None = None, **kwargs: Any
    ) -> AsyncHTTPClient:
        clients = None if force_instance else cls._async_clients()
        if io_loop is None:
            io_loop = IOLoop.current()
        else:
            kwargs["io_loop"] = io_loop
        if clients is not None and io_loop in clients:
            return clients[io_loop]
        client = cast("AsyncHTTPClient", super().__new__(cls, **kwargs))
        client._instance_cache = clients
        if clients is not None:
            clients[io_loop] = client
        return client

    def initialize(self, defaults: dict[str, Any] | None = None, io_loop: IOLoop | None = None) -> None:
        self.io_loop = io_loop or IOLoop.current()
        self.defaults = {**HTTPRequest._DEFAULTS, **(defaults or {})}
        self._closed = False

    def close(self) -> None:
        """Close the client and its connections; closing it again does nothing.

        One that all parts of the program share need not be closed.
        """
        if self._closed:
            return
        self._closed = True
        clients = self._instance_cache
        if clients is not None and clients.get(self.io_loop) is self:
            del clients[self.io_loop]

    def fetch(
        self,
        request: HTTPRequest | str,
        raise_error: bool | ResponseCallback = True,
        callback: ResponseCallback | None = None,
        **kwargs: Any,
    ) -> asyncio.Future[HTTPResponse]:
        """Send a request.

        :param request: a URL, with ``kwargs`` for the other arguments of an
            :class:`~gustnado.http.client.request.HTTPRequest`; or such a request.
        :param raise_error: whether a status other than 2xx is raised, as
            :exc:`~gustnado.http.client.errors.HTTPClientError`. All other failures are raised in any case.
        :param callback: called with the response, also where there is none: its ``error`` says why then. (It may
            stand in the place of ``raise_error``, as in older programs.)
        :returns: a future, whose result is an :class:`~gustnado.http.client.response.HTTPResponse`. Cancelling it
            stops the request.
        :raises ClientUsageError: where the client is closed, or ``kwargs`` come with an ``HTTPRequest``.
        """
        request, raises, callback = self._arguments(request, raise_error, callback, kwargs)
        request.headers = headers_from(request.headers)
        future: asyncio.Future[HTTPResponse] = self.io_loop.asyncio_loop.create_future()

        def handle_response(response: HTTPResponse) -> None:
            if response.error and (raises or not response._error_is_response_code):
                future_set_exception_unless_cancelled(future, response.error)
            else:
                future_set_result_unless_cancelled(future, response)

        self.fetch_impl(cast(HTTPRequest, RequestProxy(request, self.defaults)), handle_response)
        return self._deliver(future, request, callback)

    def _arguments(
        self,
        request: HTTPRequest | str,
        raise_error: bool | ResponseCallback,
        callback: ResponseCallback | None,
        kwargs: dict[str, Any],
    ) -> tuple[HTTPRequest, bool, ResponseCallback | None]:
        """The arguments of :meth:`fetch`, checked and in their places."""
        if self._closed:
            raise ClientUsageError("fetch() called on closed AsyncHTTPClient")
        raises = True if callable(raise_error) else raise_error
        callback = raise_error if callable(raise_error) else callback
        require_callable(callback)
        if not isinstance(request, HTTPRequest):
            request = HTTPRequest(request, **kwargs)
        elif kwargs:
            raise ClientUsageError("kwargs can't be used if request is an HTTPRequest object")
        return request, raises, callback

    def _deliver(
        self, future: asyncio.Future[HTTPResponse], request: HTTPRequest, callback: ResponseCallback | None
    ) -> asyncio.Future[HTTPResponse]:
        """Call ``callback`` when ``future`` is done, with a response in any case."""
        if callback is not None:
            future.add_done_callback(lambda done: _call_back(done, request, callback))
        return future

    def fetch_impl(self, request: HTTPRequest, callback: ResponseCallback) -> None:
        """Send a request: what other implementations define.

        :param request: a request, or what looks like one and knows the client's defaults.
        :param callback: called once, with the response; one of code 599 with an ``error`` where there is none.
        """
        raise NotImplementedError


def _call_back(future: asyncio.Future[HTTPResponse], request: HTTPRequest, callback: ResponseCallback) -> None:
    if future.cancelled():
        return
    error = future.exception()
    if error is None:
        response = future.result()
    elif isinstance(error, HTTPClientError) and error.response is not None:
        response = error.response
    else:
        response = HTTPResponse(request, 599, error=error)
    run_callback(callback, response)
