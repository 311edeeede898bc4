"""A client that connects again when its connection is lost, after a pause that grows, and is not the same for all.

::

    async for ws in ReconnectingWebSocket("ws://localhost:8888/prices"):
        async for message in ws:
            print(message)
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from gustnado.errors import UsageError
from gustnado.http.client.errors import HTTPClientError
from gustnado.http.client.request import HTTPRequest
from gustnado.http.ws.client import WebSocketClientConnection, websocket_connect
from gustnado.http.ws.errors import WebSocketError, WebSocketHandshakeError
from gustnado.log import gen_log

__all__ = ["Backoff", "ReconnectingWebSocket", "is_temporary"]

_TEMPORARY = (408, 421, 425, 429)  # of 4xx: what may well be otherwise the next time


class Backoff:
    """Pauses between attempts: each is random, up to a bound that doubles from one to the next.

    So clients of a server that has gone and come back do not all come back at once.

    :param initial: seconds, the first bound.
    :param maximum: seconds, the last one.
    :param factor: from one to the next.
    :param stable: seconds that a connection has to last to begin anew with ``initial``.
    :param rng: gives ``uniform(a, b)``; by default the system's source of randomness.
    :raises gustnado.errors.UsageError: where a number makes no sense.
    """

    def __init__(
        self,
        initial: float = 0.5,
        maximum: float = 60.0,
        factor: float = 2.0,
        stable: float = 10.0,
        rng: random.Random | None = None,
    ) -> None:
        if not 0 < initial <= maximum or factor < 1 or stable < 0:
            raise UsageError(f"no back-off has {initial=} {maximum=} {factor=} {stable=}")
        self.initial = initial
        self.maximum = maximum
        self.factor = factor
        self.stable = stable
        self._rng = rng or random.SystemRandom()
        self._bound = initial

    def next(self) -> float:
        """The next pause, in seconds."""
        bound = self._bound
        self._bound = min(bound * self.factor, self.maximum)
        return self._rng.uniform(bound / 2, bound)

    def reset(self) -> None:
        """Begin anew."""
        self._bound = self.initial


def is_temporary(error: Exception) -> bool:
    """Whether it is worth to try again: the network, the server's own errors, and a few others, but not a refusal."""
    if isinstance(error, WebSocketHandshakeError):
        return False
    if isinstance(error, HTTPClientError):
        return error.code >= 500 or error.code in _TEMPORARY
    return isinstance(error, (OSError, WebSocketError))


class ReconnectingWebSocket:
    """Iterate over it: each round of the loop gets a new connection, which is closed at its end.

    :param url: of ``ws`` or ``wss``, or a request; or a function that returns one, or an awaitable of one: it is
        called for each attempt, as for a token that expires.
    :param backoff: how long to wait between attempts.
    :param is_temporary: whether to try again after an error; others are raised.
    :param sleep: waits; by default :func:`asyncio.sleep`.
    :param options: for :func:`~gustnado.http.ws.client.websocket_connect`.
    """

    def __init__(
        self,
        url: str | HTTPRequest | Callable[[], Any],
        *,
        backoff: Backoff | None = None,
        is_temporary: Callable[[Exception], bool] = is_temporary,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        **options: Any,
    ) -> None:
        if options.get("on_message_callback") is not None or options.get("callback") is not None:
            raise UsageError("a reconnecting client is iterated over; it takes no callbacks")
        self._url = url
        self._backoff = backoff or Backoff()
        self._is_temporary = is_temporary
        self._sleep = sleep
        self._options = options

    async def __aiter__(self) -> AsyncIterator[WebSocketClientConnection]:
        """Connections, one after the other, without end; ``break`` ends it.

        :raises Exception: what an attempt failed with, where that is not temporary.
        """
        loop = asyncio.get_running_loop()
        while True:
            connection = await self._attempt()
            if connection is not None:
                began = loop.time()
                async with connection:
                    yield connection
                if loop.time() - began >= self._backoff.stable:
                    self._backoff.reset()
            await self._sleep(self._backoff.next())

    async def _attempt(self) -> WebSocketClientConnection | None:
        try:
            return await websocket_connect(await self._current_url(), **self._options)
        except Exception as error:
            if not self._is_temporary(error):
                raise
            gen_log.info("WebSocket could not connect, and will try again: %s", error)
            return None

    async def _current_url(self) -> str | HTTPRequest:
        url = self._url
        if isinstance(url, (str, HTTPRequest)):
            return url
        given = url()
        if isinstance(given, Awaitable):
            given = await given
        result: str | HTTPRequest = given
        return result
