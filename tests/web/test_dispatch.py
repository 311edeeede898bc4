from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gustnado.http.delegates import HTTPMessageDelegate, HTTPServerConnectionDelegate
from gustnado.http.headers import HTTPHeaders
from gustnado.http.messages import HTTPServerRequest, RequestStartLine, ResponseStartLine
from gustnado.web import Application, Finish, HTTPError, RequestHandler, stream_request_body
from gustnado.web.dispatch import HandlerDelegate, RequestDelegate

APPLICATION = "gustnado.application"


class Echo(RequestHandler):
    def post(self) -> None:
        self.write(self.request.body)


class Sending:
    """One request, sent step by step."""

    def __init__(self, app: Application, connection: Any, path: str = "/", **fields: str) -> None:
        self.delegate = app.start_request(object(), connection)
        self.start_line = RequestStartLine("POST", path, "HTTP/1.1")
        self.headers = HTTPHeaders({"Host": "x"})
        for name, value in fields.items():
            self.headers[name.replace("_", "-")] = value

    async def head(self) -> None:
        pending = self.delegate.headers_received(self.start_line, self.headers)
        if pending is not None:
            await pending

    async def data(self, chunk: bytes) -> None:
        pending = self.delegate.data_received(chunk)
        if pending is not None:
            await pending

    async def all(self, *chunks: bytes) -> None:
        await self.head()
        for chunk in chunks:
            await self.data(chunk)
        self.delegate.finish()


class TestBodies:
    @pytest.mark.parametrize("pattern", ["/", "/(?:.*)"])
    @pytest.mark.parametrize("chunks", [(), (b"a",), (b"a", b"", b"bc")])
    def test_come_whole(self, memory, run, pattern, chunks):
        async def main() -> Any:
            connection = memory.Connection("http")
            await Sending(Application([(pattern, Echo)]), connection).all(*chunks)
            await connection.ended
            return b"".join(connection.chunks)

        assert run(main()) == b"".join(chunks)

    def test_forms_are_read(self, fetch):
        class Form(RequestHandler):
            def post(self):
                self.write(self.get_body_argument("a"))

        assert fetch(Application([("/", Form)]), "/", method="POST", body=b"a=wind").text == "wind"

    def test_a_form_that_cannot_be_read_is_answered_by_the_error_page(self, memory, run, expect_log):
        async def main() -> None:
            connection = memory.Connection("http")
            sending = Sending(Application([("/", Echo)]), connection, Content_Type="multipart/form-data")
            with expect_log("gustnado.general", "^400 .*no multipart boundary"):
                await sending.all(b"x")
            assert connection.head[0].code == 400

        with expect_log("gustnado.access", "^400 "):
            run(main())

    def test_nothing_is_run_for_a_client_that_left_before_the_end(self, memory, run):
        async def main() -> None:
            connection = memory.Connection("http")
            sending = Sending(Application([("/", Echo)]), connection)
            await sending.head()
            await sending.data(b"a")
            sending.delegate.on_connection_close()
            assert not connection.ended.done()

        run(main())


class TestDelegates:
    def test_one_object_serves_a_handler_that_the_path_tells(self, memory, run):
        async def main() -> None:
            delegate = Application([("/", Echo)]).start_request(object(), memory.Connection("http"))
            assert isinstance(delegate, RequestDelegate)
            assert isinstance(delegate, HandlerDelegate)
            assert delegate.request is None
            delegate.headers_received(RequestStartLine("GET", "/?a=b", "HTTP/1.1"), HTTPHeaders())
            assert delegate.handler_class is Echo
            assert isinstance(delegate.request, HTTPServerRequest)
            assert (delegate.request.path, delegate.request.query) == ("/", "a=b")

        run(main())

    def test_other_targets_get_all_of_the_request(self, memory, run):
        calls: list[Any] = []

        class Other(HTTPMessageDelegate):
            def __init__(self, connection):
                self.connection = connection

            def headers_received(self, start_line, headers):
                calls.append((start_line.method, headers["Host"]))

            def data_received(self, chunk):
                calls.append(chunk)

            def finish(self):
                self.connection.write_headers(ResponseStartLine("", 204, ""), HTTPHeaders())
                self.connection.finish()

            def on_connection_close(self):
                calls.append("gone")

        class Target(HTTPServerConnectionDelegate):
            def start_request(self, server_conn, request_conn):
                return Other(request_conn)

        async def main() -> None:
            connection = memory.Connection("http")
            sending = Sending(Application([("/", Target())]), connection)
            await sending.all(b"a", b"b")
            assert await connection.ended
            sending.delegate.on_connection_close()

        run(main())
        assert calls == [("POST", "x"), b"a", b"b", "gone"]

    def test_without_a_head_there_is_nothing_to_run(self, memory, run):
        async def main() -> None:
            delegate = Application([("/", Echo)]).start_request(object(), memory.Connection("http"))
            delegate.on_connection_close()
            delegate.finish()
            with pytest.raises(RuntimeError, match="without a route"):
                delegate.execute()  # type: ignore[attr-defined]

        run(main())

    def test_a_handler_may_be_wanted_without_a_route(self, memory, run):
        async def main() -> Any:
            connection = memory.Connection("http")
            request = HTTPServerRequest("POST", "/x", body=b"wind", connection=connection)
            delegate = Application().get_handler_delegate(request, Echo)
            assert delegate.execute() is None
            await connection.ended
            return connection.chunks

        assert run(main()) == [b"wind"]


class TestClosing:
    def test_a_handler_that_still_works_is_told(self, memory, run):
        calls = []

        class Slow(RequestHandler):
            async def post(self):
                await gone.wait()
                calls.append("post ends")

            def on_connection_close(self):
                calls.append("closed")
                gone.set()

            def on_finish(self):
                calls.append("on_finish")

        gone = asyncio.Event()

        async def main() -> None:
            connection = memory.Connection("http")
            sending = Sending(Application([("/", Slow)]), connection)
            await sending.all()
            await asyncio.sleep(0)
            sending.delegate.on_connection_close()
            await connection.ended
            sending.delegate.on_connection_close()

        run(main())
        assert calls == ["closed", "post ends", "on_finish"]

    def test_one_that_is_done_is_not(self, memory, run):
        class Quick(Echo):
            def on_connection_close(self):
                raise AssertionError("too late")

        async def main() -> None:
            connection = memory.Connection("http")
            sending = Sending(Application([("/", Quick)]), connection)
            await sending.all()
            await connection.ended
            sending.delegate.on_connection_close()
            assert connection.head[0].code == 200

        run(main())


def streaming(calls: list[Any], where: str = "", error: BaseException | None = None, later: bool = False) -> Any:
    """A handler that streams its body, notes its calls, and raises ``error`` in ``where``."""

    def step(self: Any, name: str, *args: Any) -> Any:
        if later:
            return step_later(self, name, *args)
        calls.append((name, *args))
        if name == where and error is not None:
            raise error
        return None

    async def step_later(self: Any, name: str, *args: Any) -> None:
        calls.append((name, *args))
        await asyncio.sleep(0)
        if name == where and error is not None:
            raise error
        calls.append(f"/{name}")

    @stream_request_body
    class Streaming(RequestHandler):
        def prepare(self):
            return step(self, "prepare")

        def data_received(self, chunk):
            return step(self, "data", chunk)

        def post(self):
            self.write("done")
            return step(self, "post")

        def on_finish(self):
            calls.append(("on_finish",))

        def on_connection_close(self):
            calls.append(("closed",))

    return Streaming


class LimitedConnection:
    """Adds what an HTTP/1 connection has: bounds of the body."""

    explicit = False
    max_body_size: Any = "server's"

    def has_explicit_max_body_size(self) -> bool:
        return self.explicit

    def set_max_body_size(self, size: int | None) -> None:
        self.max_body_size = size


@pytest.fixture
def stream(memory, run):
    """``stream(handler, *chunks)`` sends a body in pieces; gives the connection."""

    class Connection(LimitedConnection, memory.Connection):  # type: ignore[name-defined,misc]
        pass

    def send(handler: Any, *chunks: bytes, pattern: str = "/", explicit: bool = False) -> Any:
        async def main() -> Any:
            connection = Connection("http")
            connection.explicit = explicit
            await Sending(Application([(pattern, handler)]), connection).all(*chunks)
            connection.whole = await asyncio.wait_for(connection.ended, 30)
            return connection

        return run(main())

    return send


class TestStreaming:
    @pytest.mark.parametrize("pattern", ["/", "/(?:.*)"])
    def test_order_of_plain_methods(self, stream, pattern):
        calls: list[Any] = []
        connection = stream(streaming(calls), b"a", b"b", pattern=pattern)
        assert calls == [("prepare",), ("data", b"a"), ("data", b"b"), ("post",), ("on_finish",)]
        assert connection.chunks == [b"done"]

    @pytest.mark.parametrize("pattern", ["/", "/(?:.*)"])
    def test_order_of_coroutines_each_waits_for_the_one_before(self, stream, pattern):
        calls: list[Any] = []
        stream(streaming(calls, later=True), b"a", b"b", pattern=pattern)
        names = [call if isinstance(call, str) else call[0] for call in calls]
        assert names == [
            "prepare", "/prepare", "data", "/data", "data", "/data", "post", "/post", "on_finish"
        ]  # fmt: skip

    @pytest.mark.parametrize("later", [False, True])
    @pytest.mark.parametrize("where", ["prepare", "data", "post"])
    @pytest.mark.parametrize("error", [ValueError("x"), HTTPError(413), Finish()])
    def test_each_step_may_fail(self, stream, expect_log, later, where, error):
        calls: list[Any] = []
        with expect_log(APPLICATION, "Uncaught exception POST", count=isinstance(error, ValueError)):
            connection = stream(streaming(calls, where, error, later), b"a", b"b")
        names = [call[0] for call in calls if not isinstance(call, str)]
        expected = {
            "prepare": ["prepare", "on_finish"],
            "data": ["prepare", "data", "on_finish"],
            "post": ["prepare", "data", "data", "post", "on_finish"],
        }
        assert names == expected[where]
        assert connection.head[0].code == {ValueError: 500, HTTPError: 413, Finish: 200}[type(error)]
        assert connection.whole

    def test_prepare_may_answer(self, stream):
        calls: list[Any] = []

        class Early(streaming(calls)):  # type: ignore[misc]
            def prepare(self):
                self.set_status(413)
                self.finish("too much")

        connection = stream(Early, b"a", b"b")
        assert (connection.head[0].code, connection.chunks) == (413, [b"too much"])
        assert calls == [("on_finish",)]

    def test_data_received_may_answer(self, stream):
        calls: list[Any] = []

        class Enough(streaming(calls)):  # type: ignore[misc]
            def data_received(self, chunk):
                calls.append(chunk)
                self.finish("enough")

        assert stream(Enough, b"a", b"b").chunks == [b"enough"]
        assert calls == [("prepare",), b"a", ("on_finish",)]

    def test_without_data_received_it_is_an_error(self, stream, expect_log):
        @stream_request_body
        class Deaf(RequestHandler):
            def post(self):
                self.write("never")

        with expect_log(APPLICATION, "Uncaught exception POST"):
            assert stream(Deaf, b"a").head[0].code == 500

    def test_a_wrong_method_is_told_before_the_body(self, stream):
        @stream_request_body
        class Refuses(RequestHandler):
            SUPPORTED_METHODS = ("GET",)

        assert stream(Refuses, b"a").head[0].code == 405

    @pytest.mark.parametrize(("explicit", "size"), [(False, None), (True, "server's")])
    def test_the_bound_of_whole_bodies_does_not_hold(self, stream, explicit, size):
        assert stream(streaming([]), explicit=explicit).max_body_size == size

    def test_the_body_of_the_request_stays_empty(self, stream):
        @stream_request_body
        class Handler(RequestHandler):
            def data_received(self, chunk):
                pass

            def post(self):
                self.write(repr((self.request.body, self.request.body_arguments)))

        assert stream(Handler, b"a=b").chunks == [b"(b'', {})"]

    def test_a_client_that_goes_is_told_to_the_handler(self, memory, run):
        calls: list[Any] = []

        class Connection(LimitedConnection, memory.Connection):  # type: ignore[name-defined,misc]
            pass

        async def main() -> None:
            sending = Sending(Application([("/", streaming(calls))]), Connection("http"))
            await sending.head()
            await sending.data(b"a")
            sending.delegate.on_connection_close()

        run(main())
        assert calls == [("prepare",), ("data", b"a"), ("closed",)]

    def test_is_inherited(self):
        class Below(streaming([])):  # type: ignore[misc]
            pass

        assert Below._stream_request_body
        assert not RequestHandler._stream_request_body

    @pytest.mark.parametrize("target", [object, int, Echo.post, "Echo", None])
    def test_is_for_handler_classes(self, target):
        with pytest.raises(TypeError, match="expected subclass of RequestHandler"):
            stream_request_body(target)  # type: ignore[arg-type]

    def test_tools_that_wrap_execute_see_it(self, stream, monkeypatch):
        handler = streaming([])
        original = handler._execute
        spans = []

        async def traced(self, *args, **kwargs):
            spans.append("begin")
            await original(self, *args, **kwargs)
            spans.append("end")

        monkeypatch.setattr(handler, "_execute", traced)
        stream(handler, b"a")
        assert spans == ["begin", "end"]
