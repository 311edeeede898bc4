"""The client for programs without an event loop: each call waits for its response.

::

    client = HTTPClient()
    print(client.fetch("http://example.org/").body)
    client.close()
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from gustnado.events.loop import IOLoop
from gustnado.http.client.api import AsyncHTTPClient
from gustnado.http.client.request import HTTPRequest
from gustnado.http.client.response import HTTPResponse

__all__ = ["HTTPClient"]


class HTTPClient:
    """A blocking HTTP client, with a loop of its own. It cannot be used where a loop runs.

    :param async_client_class: the class of the client that does the work; by default the configured one.
    :param kwargs: its arguments.
    """

    def __init__(self, async_client_class: type[AsyncHTTPClient] | None = None, **kwargs: Any) -> None:
        self._closed = True  # of an object whose constructor has failed there is nothing to close
        self._io_loop = IOLoop(make_current=False)
        client_class = AsyncHTTPClient if async_client_class is None else async_client_class

        async def make_client() -> AsyncHTTPClient:
            return client_class(**kwargs)

        try:
            self._async_client: AsyncHTTPClient = self._io_loop.run_sync(make_client)
        except BaseException:
            self._io_loop.close()
            raise
        self._closed = False

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Close the client, its connections and its loop; closing it again does nothing."""
        if self._closed:
            return
        self._closed = True
        self._async_client.close()
        if not self._io_loop.asyncio_loop.is_closed():
            self._io_loop.run_sync(partial(asyncio.sleep, 0))  # connections close in the loop's next turn
            self._io_loop.close()

    def fetch(self, request: HTTPRequest | str, **kwargs: Any) -> HTTPResponse:
        """Send a request and wait for the response.

        :param request: as for :meth:`AsyncHTTPClient.fetch <gustnado.http.client.api.AsyncHTTPClient.fetch>`;
            so are ``kwargs``, and what is raised.
        :raises RuntimeError: where an event loop runs in this thread.
        """
        response: HTTPResponse = self._io_loop.run_sync(partial(self._async_client.fetch, request, **kwargs))
        return response
