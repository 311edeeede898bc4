"""The end of a server of a test."""

from __future__ import annotations

from gustnado.http.server import HTTPServer

__all__ = ["close_server"]


async def close_server(server: HTTPServer) -> None:
    """Stop a server whose clients have gone, and close its connections.

    Requests that it still works on are cut off, without a word in the log: there is nobody to be answered.
    """
    server.stop()
    for connection in list(server._served):
        connection.abort()
        connection.stream.abort()
    await server.close_all_connections()
