"""What a client tells of the life of its requests, for metrics and traces.

::

    class Times(ClientTrace):
        def done(self, request, response):
            histogram.observe(response.time_info.get("total", 0.0))

    client = AsyncHTTPClient(force_instance=True, trace=Times())
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gustnado.http.client.request import HTTPRequest
    from gustnado.http.client.response import HTTPResponse

__all__ = ["ClientTrace"]


class ClientTrace:
    """Override what you want to know. The methods are called on the loop, and must not raise or block."""

    def queued(self, request: HTTPRequest) -> None:
        """``request`` has to wait for a connection."""

    def connected(self, request: HTTPRequest, reused: bool) -> None:
        """``request`` has a connection, and is being sent; ``reused``: the connection has served before.

        Called again for each redirect, and where it is sent again.
        """

    def first_byte(self, request: HTTPRequest) -> None:
        """The head of the response has come."""

    def done(self, request: HTTPRequest, response: HTTPResponse) -> None:
        """It is over; called once. A response of code 599 tells in its ``error`` why there is none."""
