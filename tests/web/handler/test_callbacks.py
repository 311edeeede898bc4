"""Handlers in the callback style."""

from __future__ import annotations

import asyncio

import pytest

from gustnado.errors import StreamClosedError
from gustnado.events.coroutines import coroutine
from gustnado.events.loop import IOLoop
from gustnado.http.messages import HTTPServerRequest
from gustnado.web import Application, HTTPError, RequestHandler, asynchronous

APPLICATION = "gustnado.application"


def app(**members):
    return Application([("/", type("Calls", (RequestHandler,), members))])


class TestAsynchronous:
    def test_the_request_is_open_until_finish(self, fetch):
        @asynchronous
        def get(self):
            self.write("gust")
            IOLoop.current().add_callback(later, self)

        def later(self):
            self.write(" wind")
            self.finish()

        assert fetch(app(get=get), "/").text == "gust wind"

    def test_an_exception_of_the_method_is_its_error_page(self, fetch, expect_log):
        @asynchronous
        def get(self):
            raise KeyError("x")

        with expect_log(APPLICATION, "Uncaught exception GET"):
            assert fetch(app(get=get), "/").code == 500

    @pytest.mark.parametrize("depth", [1, 3])
    def test_an_exception_of_a_callback_is_the_requests_error_page(self, fetch, depth):
        def later(self, left):
            if left > 1:
                IOLoop.current().add_callback(later, self, left - 1)
            else:
                raise HTTPError(503)

        @asynchronous
        def get(self):
            IOLoop.current().add_callback(later, self, depth)

        assert fetch(app(get=get), "/").code == 503

    def test_each_request_has_its_own(self, memory, run):
        @asynchronous
        def get(self):
            def later():
                raise HTTPError(int(self.get_argument("code")))

            IOLoop.current().add_callback(later)

        application = app(get=get)

        async def main():
            return await asyncio.gather(*(memory.request(application, f"/?code={code}") for code in (410, 503)))

        assert [response.code for response in run(main())] == [410, 503]

    def test_a_coroutine_ends_the_request(self, fetch):
        @asynchronous
        async def later(self):
            await asyncio.sleep(0)
            self.write("wind")

        @asynchronous
        @coroutine
        def generator(self):
            yield asyncio.sleep(0)
            self.write("wind")

        assert fetch(app(get=later), "/").text == "wind"
        assert fetch(app(get=generator), "/").text == "wind"

    def test_what_it_returns_is_followed(self, fetch, expect_log):
        @asynchronous
        def get(self):
            future = asyncio.get_running_loop().create_future()
            future.set_exception(KeyError("x"))
            return future

        with expect_log(APPLICATION, "Uncaught exception GET"):
            assert fetch(app(get=get), "/").code == 500

    def test_a_future_that_it_returns_does_not_end_the_request(self, fetch):
        @asynchronous
        def get(self):
            done = asyncio.get_running_loop().create_future()
            done.set_result(None)
            IOLoop.current().call_later(0.01, self.finish, "wind")
            return done

        assert fetch(app(get=get), "/").text == "wind"

    def test_other_values_are_an_error(self, fetch, expect_log):
        @asynchronous
        def get(self):
            return "text"

        with expect_log(APPLICATION, "Uncaught exception GET"):
            assert fetch(app(get=get), "/").code == 500

    def test_it_keeps_the_name(self):
        @asynchronous
        def get(self):
            """Doc."""

        assert (get.__name__, get.__doc__) == ("get", "Doc.")


class TestAsyncCallback:
    def test_nothing_for_none(self, fetch):
        assert RequestHandler.async_callback(None, None) is None

    def test_an_exception_is_the_requests_error_page(self, fetch):
        def later(self, *args, **kwargs):
            assert (args, kwargs) == ((1, 2), {"a": 3, "b": 4})
            raise HTTPError(409)

        @asynchronous
        def get(self):
            callback = self.async_callback(later.__get__(self), 1, a=3)
            asyncio.get_running_loop().call_soon(lambda: callback(2, b=4))

        assert fetch(app(get=get), "/").code == 409

    def test_its_value_is_given_back(self, fetch):
        def get(self):
            self.write(self.async_callback(str.upper)("wind"))

        assert fetch(app(get=get), "/").text == "WIND"


class TestFlush:
    @pytest.mark.parametrize("times", [1, 2])
    def test_calls_back(self, fetch, times):
        @asynchronous
        def get(self):
            self.left = times
            piece(self)

        def piece(self):
            if self.left:
                self.left -= 1
                self.write("wind ")
                self.flush(callback=lambda: piece(self))
            else:
                self.finish("gust")

        assert fetch(app(get=get), "/").text == "wind " * times + "gust"

    def test_an_exception_there_is_the_requests(self, memory, run, expect_log):
        @asynchronous
        def get(self):
            def fail():
                raise KeyError("x")

            self.flush(callback=fail)

        async def main():
            connection = memory.Connection("http")
            with pytest.raises(ConnectionAbortedError):
                await memory.request(app(get=get), "/", connection=connection)

        with expect_log(APPLICATION, "Uncaught exception GET"), expect_log(
            "gustnado.general", "Cannot send error response after headers written"
        ):
            run(main())

    def test_a_client_that_is_gone_is_not_called_back(self, memory, run):
        called = []

        class Gone(memory.Connection):
            def write_headers(self, start_line, headers, chunk=None):
                done = asyncio.get_running_loop().create_future()
                done.set_exception(StreamClosedError())
                self.stream = None
                return done

        async def get(self):
            future = self.flush(callback=lambda: called.append(1))
            with pytest.raises(StreamClosedError):
                await future

        async def main():
            connection = Gone("http")
            task = application(HTTPServerRequest("GET", "/", connection=connection))
            await asyncio.wait_for(task, 30)
            assert connection.ended.result() is True

        application = app(get=asynchronous(get))

        run(main())
        assert called == []
