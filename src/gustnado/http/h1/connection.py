"""``HTTP1Connection``: HTTP/1 on a stream that one has, message by message, either side of it.

For programs that speak HTTP themselves: a test, a proxy, a protocol that begins as HTTP. A server's requests
have a connection of their own kind (:class:`~gustnado.http.h1.request_connection.RequestConnection`), with the
same methods for the response.

>>> import asyncio, socket
>>> from gustnado.events import IOStream
>>> from gustnado.http import HTTPHeaders, HTTPMessageDelegate, RequestStartLine
>>> class Show(HTTPMessageDelegate):
...     def headers_received(self, start_line, headers):
...         print(start_line.code, dict(headers))
...     def data_received(self, chunk):
...         print(chunk)
>>> async def main():
...     ours, theirs = socket.socketpair()
...     connection = HTTP1Connection(IOStream(ours), is_client=True)
...     connection.write_headers(RequestStartLine("GET", "/", "HTTP/1.1"), HTTPHeaders({"Host": "x"}))
...     connection.finish()
...     theirs.send(b"HTTP/1.1 200 OK\\r\\nContent-Length: 4\\r\\n\\r\\nwind")
...     open_still = await connection.read_response(Show())
...     connection.close()
...     theirs.close()
...     return open_still
>>> asyncio.run(main())
200 {'Content-Length': '4'}
b'wind'
True
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from gustnado.errors import UsageError
from gustnado.http.delegates import HTTPConnection, HTTPMessageDelegate
from gustnado.http.h1.parameters import HTTP1ConnectionParameters
from gustnado.http.h1.request_writer import RequestWriter, request_head
from gustnado.http.h1.response_reader import ResponseReader
from gustnado.http.h1.single_request import SingleRequest
from gustnado.http.messages import ResponseStartLine

if TYPE_CHECKING:
    from asyncio import Future

    from gustnado.events.stream import IOStream
    from gustnado.http.headers import HTTPHeaders
    from gustnado.http.messages import RequestStartLine

__all__ = ["HTTP1Connection"]

_WITH_BODY = ("POST", "PUT", "PATCH")


class HTTP1Connection(HTTPConnection):
    """One message each way, on a stream.

    A client writes a request and then calls :meth:`read_response`. A server calls it first: it reads a
    request, and the delegate, or whoever it tells, writes the response.

    :param stream: a connected :class:`~gustnado.events.stream.IOStream`, which this connection owns until
        :meth:`detach`.
    :param is_client: which side of the connection this is.
    :param params: how to behave. A client's timeouts and its bound of bodies count only where they are given.
    :param context: anything; found as ``connection.context``.
    :ivar stream: the stream; ``None`` after :meth:`detach`.
    :ivar no_keep_alive: as ``params`` say.
    """

    def __init__(
        self,
        stream: IOStream,
        is_client: bool,
        params: HTTP1ConnectionParameters | None = None,
        context: object | None = None,
    ) -> None:
        self.stream: IOStream | None = stream
        self.is_client = is_client
        self.params = params or HTTP1ConnectionParameters()
        self.context = context
        self.no_keep_alive = self.params.no_keep_alive
        self._method = "GET"
        self._writer: RequestWriter | None = None
        self._reader: ResponseReader | None = None
        self._server: SingleRequest | None = None
        self._max_body_size: int | None = None
        self._body_timeout: float | None = None
        self._close_callback: Callable[[], object] | None = None

    # Reading

    def read_response(self, delegate: HTTPMessageDelegate) -> Awaitable[bool]:
        """Read one message, a client's response or a server's request, and give it to ``delegate``.

        What is malformed is logged and closes the connection, as does an exception in the delegate; the
        delegate gets ``on_connection_close`` then. Informational responses are given to
        ``headers_received``, too.

        :returns: whether the stream can be used for another message; for a server, after its response.
        :raises gustnado.errors.UsageError: where it was detached.
        """
        stream = self._need_stream()
        if not self.is_client:
            self._server = SingleRequest(stream, self.params, self.context, delegate)
            if self._close_callback is not None:
                self._server.set_close_callback(self._close_callback)
            return self._server.done
        if self._reader is None:
            self._reader = ResponseReader(stream, self.params, self.context)
        reader = self._reader
        if self._max_body_size is not None:
            reader.max_body_size = self._max_body_size
        if self._body_timeout is not None:
            reader.body_timeout = self._body_timeout
        reader.close_callback = self._close_callback
        return reader.read(self._method, delegate)

    def set_close_callback(self, callback: Callable[[], object] | None) -> None:
        """Have ``callback`` called, without arguments, when the connection closes before the message ended."""
        self._close_callback = callback
        if self._server is not None:
            self._server.set_close_callback(callback)

    def set_body_timeout(self, timeout: float) -> None:
        """Bound the seconds that a body is waited for; to be called before it is read."""
        self._body_timeout = timeout
        if self._reader is not None:
            self._reader.body_timeout = timeout
        if self._server is not None:
            self._server.request.set_body_timeout(timeout)

    def set_max_body_size(self, max_body_size: int) -> None:
        """Bound the body that is read, in bytes; to be called before it is."""
        self._max_body_size = max_body_size
        if self._reader is not None:
            self._reader.max_body_size = max_body_size
        if self._server is not None:
            self._server.request.set_max_body_size(max_body_size)

    # Writing

    def write_headers(
        self,
        start_line: RequestStartLine | ResponseStartLine,
        headers: HTTPHeaders,
        chunk: bytes | None = None,
    ) -> Future[None]:
        """See :meth:`HTTPConnection.write_headers`.

        A client's body is framed by its ``Content-Length``; POST, PUT and PATCH without one send chunks.

        :raises gustnado.errors.HTTPOutputError: where the message would be malformed.
        """
        if self._server is not None:
            return self._server.request.write_headers(start_line, headers, chunk)
        if not self.is_client or isinstance(start_line, ResponseStartLine):
            raise UsageError("a server reads a request before it writes a response, and a client writes requests")
        stream = self._need_stream()
        method, target, _ = start_line
        length: str | None = headers.get("Content-Length")
        more = ""
        if length is None:
            if method in _WITH_BODY:
                more = "Transfer-Encoding: chunked\r\n"
            else:
                length = "0"
        data = request_head(method, target, headers.get("Host", ""), headers, more)
        self._method = method
        self._writer = RequestWriter(length)
        if chunk:
            data += self._writer.data(chunk)
        return stream.write(data)

    def write(self, chunk: bytes) -> Future[None]:
        """See :meth:`HTTPConnection.write`.

        :raises gustnado.errors.HTTPOutputError: where it would not be within the message's ``Content-Length``.
        """
        if self._server is not None:
            return self._server.request.write(chunk)
        return self._need_stream().write(self._need_writer().data(chunk))

    def write_file(self, file: int, offset: int, count: int) -> Future[None] | None:
        """See :meth:`HTTPConnection.write_file`; for a server's responses."""
        return None if self._server is None else self._server.request.write_file(file, offset, count)

    def finish(self) -> None:
        """See :meth:`HTTPConnection.finish`.

        :raises gustnado.errors.HTTPOutputError: where the body is shorter than its ``Content-Length``; a client's
            connection is closed then.
        """
        if self._server is not None:
            self._server.request.finish()
            return
        writer, self._writer = self._need_writer(), None
        try:
            data = writer.end()
        except Exception:
            self.close()
            raise
        if data:
            self._need_stream().write(data)

    # The end

    def close(self) -> None:
        """Close the stream, whatever has been read or written."""
        if self.stream is not None:
            self.stream.close()

    def detach(self) -> IOStream:
        """Take the stream for another protocol, unread bytes included; this connection is of no use any more.

        :raises gustnado.errors.UsageError: where it was detached already.
        """
        stream = self._need_stream()
        if self._server is not None:
            self._server.request.detach()
        elif self._reader is not None:
            self._reader.detach()
        self.stream = None
        return stream

    def _need_stream(self) -> IOStream:
        if self.stream is None:
            raise UsageError("the stream of this connection was detached")
        return self.stream

    def _need_writer(self) -> RequestWriter:
        if self._writer is None:
            raise UsageError("a message is written by write_headers, write and finish, in this order")
        return self._writer

    def __getattr__(self, name: str) -> Any:
        """What else a request's connection has, of the request that is being answered."""
        server = self.__dict__.get("_server")
        if server is None or name.startswith("__"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(server.request, name)
