from __future__ import annotations

import asyncio
import datetime
import json
from typing import Any

import pytest

from gustnado.errors import UsageError
from gustnado.http.messages import HTTPServerRequest
from gustnado.web import Application, OutputTransform, RequestHandler


def make(**settings: Any) -> RequestHandler:
    """A handler whose response is not sent."""
    return RequestHandler(Application(**settings), HTTPServerRequest("GET", "/"))


def app(function: Any, **members: Any) -> Application:
    """An application that calls ``function(handler)`` for every request."""
    methods = dict.fromkeys(("get", "head", "post"), function)
    return Application([("/.*", type("Handler", (RequestHandler,), methods | members))])


class Text(str):
    pass


class Raw(bytes):
    pass


class Fields(dict):
    pass


class TestWrite:
    @pytest.mark.parametrize(
        ("chunk", "body"),
        [
            ("wind", b"wind"),
            ("gr\u00fc\u00df", b"gr\xc3\xbc\xc3\x9f"),
            (b"\xff\x00", b"\xff\x00"),
            ("", b""),
            (Text("text"), b"text"),
            (Raw(b"raw"), b"raw"),
        ],
    )
    def test_text_and_bytes(self, fetch, chunk, body):
        response = fetch(app(lambda self: self.write(chunk)), "/")
        assert response.body == body
        assert response.headers["Content-Type"] == "text/html; charset=UTF-8"
        assert response.headers["Content-Length"] == str(len(body))

    @pytest.mark.parametrize("chunk", [{"a": [1, None, "\u00e9</"]}, Fields(a=[1, None, "\u00e9</"])])
    def test_a_dict_is_json(self, fetch, chunk):
        response = fetch(app(lambda self: self.write(chunk)), "/")
        assert response.headers["Content-Type"] == "application/json; charset=UTF-8"
        assert json.loads(response.body) == {"a": [1, None, "\u00e9</"]}
        assert b"</" not in response.body

    def test_a_type_set_after_it_stays(self, fetch):
        def get(self):
            self.write({})
            self.set_header("Content-Type", "application/problem+json")

        assert fetch(app(get), "/").headers["Content-Type"] == "application/problem+json"

    @pytest.mark.parametrize("chunk", [None, 7, ["a"], ("a",), bytearray(b"a"), object()])
    def test_anything_else_is_an_error(self, chunk):
        handler = make()
        with pytest.raises(TypeError, match="only accepts bytes, unicode, and dict") as caught:
            handler.write(chunk)
        assert ("Lists not accepted" in str(caught.value)) == isinstance(chunk, list)

    def test_pieces_are_put_together(self, fetch):
        def get(self):
            self.write("a")
            self.write(b"b")
            self.finish("c")

        assert fetch(app(get), "/").chunks == [b"abc"]

    def test_nothing_after_the_end(self, fetch):
        def get(self):
            self.finish("end")
            with pytest.raises(RuntimeError, match=r"write\(\) after finish"):
                self.write("more")
            with pytest.raises(RuntimeError, match=r"finish\(\) called twice"):
                self.finish()

        assert fetch(app(get), "/").body == b"end"


class TestStatus:
    def test_has_its_usual_reason(self):
        handler = make()
        assert handler.get_status() == 200
        for code, reason in [(201, "Created"), (404, "Not Found"), (418, "I'm a Teapot"), (299, "Unknown")]:
            handler.set_status(code)
            assert (handler.get_status(), handler._reason.lower()) == (code, reason.lower())

    def test_or_another(self, fetch):
        response = fetch(app(lambda self: self.set_status(299, "Odd")), "/")
        assert (response.code, response.reason) == (299, "Odd")

    @pytest.mark.parametrize("reason", ["a\r\nb", "a\x00b", "\u4e2d", "<b>", ""])
    def test_or_is_replaced_where_the_handler_says_so(self, reason):
        class Handler(RequestHandler):
            refuses_reasons = False

        handler = Handler(Application(), HTTPServerRequest("GET", "/"))
        handler.set_status(400, reason)
        assert handler._reason == "Unknown"
        handler.set_status(400, "Odd \xe9")
        assert handler._reason == "Odd \xe9"

    @pytest.mark.parametrize("reason", ["a\r\nb", "a\nb", "a\x00b", "\u4e2d"])
    def test_a_reason_must_fit_a_status_line(self, reason):
        with pytest.raises(ValueError):
            make().set_status(200, reason)


class TestHeaders:
    @pytest.mark.parametrize(
        ("value", "field"),
        [
            ("text", "text"),
            (b"bytes", "bytes"),
            ("", ""),
            (7, "7"),
            (True, "True"),
            (Text("sub"), "sub"),
            (datetime.datetime(2026, 3, 1, 12, 30, tzinfo=datetime.UTC), "Sun, 01 Mar 2026 12:30:00 GMT"),
            (datetime.datetime(2026, 3, 1, 12, 30), "Sun, 01 Mar 2026 12:30:00 GMT"),
        ],
    )
    def test_values(self, fetch, value, field):
        assert fetch(app(lambda self: self.set_header("X-Value", value)), "/").headers["X-Value"] == field

    @pytest.mark.parametrize("value", [None, 1.5, ["a"], object()])
    def test_other_types_are_errors(self, value):
        handler = make()
        for method in (handler.set_header, handler.add_header):
            with pytest.raises(TypeError, match="str, bytes, int or datetime"):
                method("X-Value", value)

    @pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\x00b", b"a\r\nb", "a\x7fb"])
    def test_a_value_cannot_hold_control_characters(self, value):
        handler = make()
        for method in (handler.set_header, handler.add_header):
            with pytest.raises(ValueError):
                method("X-Value", value)
        assert "X-Value" not in handler._headers

    @pytest.mark.parametrize("name", ["", "a b", "a:b", "a\r\nb", "\u00e9", "a\x00"])
    def test_a_name_is_a_token(self, name):
        handler = make()
        for method in (handler.set_header, handler.add_header):
            with pytest.raises(ValueError):
                method(name, "value")

    def test_set_add_and_clear(self):
        handler = make()
        handler.set_header("x-wind", "1")
        handler.set_header("X-Wind", "2")
        handler.add_header("X-WIND", "3")
        assert handler._headers.get_list("X-Wind") == ["2", "3"]
        handler.set_header("X-Wind", "4")
        assert handler._headers.get_list("X-Wind") == ["4"]
        handler.clear_header("x-wind")
        handler.clear_header("x-wind")
        assert "X-Wind" not in handler._headers

    def test_defaults_may_be_replaced(self, fetch):
        def defaults(self):
            self.set_header("Server", "Wind")
            self.add_header("X-Default", "1")

        def get(self):
            self.set_header("X-Get", "1")
            self.clear()

        response = fetch(app(get, set_default_headers=defaults), "/")
        assert response.headers["Server"] == "Wind"
        assert response.headers.get_list("X-Default") == ["1"]
        assert "X-Get" not in response.headers

    def test_one_response_does_not_colour_the_next(self, fetch_all):
        def get(self):
            self.add_header("X-Wind", self.request.path)
            self.set_header("Content-Type", "text/plain")

        first, second = fetch_all(app(get, post=lambda self: None), [("/a", {}), ("/b", {"method": "POST"})])
        assert first.headers["X-Wind"] == "/a"
        assert "X-Wind" not in second.headers
        assert second.headers["Content-Type"] == "text/html; charset=UTF-8"


class TestRedirect:
    @pytest.mark.parametrize(
        ("options", "code"),
        [
            ({}, 302),
            ({"permanent": True}, 301),
            ({"status": 307}, 307),
            ({"status": 303, "permanent": True}, 303),
        ],
    )
    def test_has_a_status_and_no_body(self, fetch, options, code):
        response = fetch(app(lambda self: self.redirect("/there?a=b", **options)), "/")
        assert (response.code, response.headers["Location"], response.body) == (code, "/there?a=b", b"")

    @pytest.mark.parametrize(
        ("url", "location"),
        [
            ("there", "there"),
            ("https://example.org/%20", "https://example.org/%20"),
            ("/gr\u00fc\u00df e?x=\u00e9#f", "/gr%C3%BC%C3%9F%20e?x=%C3%A9#f"),
            (b"/bytes", "/bytes"),
        ],
    )
    def test_the_location_is_ascii(self, fetch, url, location):
        assert fetch(app(lambda self: self.redirect(url)), "/").headers["Location"] == location

    def test_or_utf8_where_the_handler_wants_it(self, fetch):
        response = fetch(app(lambda self: self.redirect("/gr\u00fcn"), encodes_locations=False), "/")
        assert response.headers["Location"].encode("latin-1") == b"/gr\xc3\xbcn"

    @pytest.mark.parametrize("status", [200, 299, 400, "302"])
    def test_other_statuses_are_errors(self, status):
        with pytest.raises(ValueError, match="redirection"):
            make().redirect("/", status=status)

    def test_so_are_control_characters(self, fetch, expect_log):
        with expect_log("gustnado.application", "Uncaught exception"):
            response = fetch(app(lambda self: self.redirect("/\r\nX-Evil: 1")), "/")
        assert response.code == 500
        assert not {"Location", "X-Evil"} & set(response.headers)

    def test_what_was_written_is_kept(self, fetch):
        def get(self):
            self.write("moved")
            self.redirect("/")

        assert fetch(app(get), "/").body == b"moved"

    def test_not_after_the_head(self, fetch):
        async def get(self):
            await self.flush()
            with pytest.raises(UsageError, match="after headers"):
                self.redirect("/")

        assert fetch(app(get), "/").code == 200


class TestFinish:
    def test_head_has_the_length_of_get(self, fetch):
        application = app(lambda self: self.write("wind"))
        get, head = fetch(application, "/"), fetch(application, "/", method="HEAD")
        assert head.code == 200
        assert {**head.headers} == {**get.headers}
        assert get.headers["Content-Length"] == "4"

    @pytest.mark.parametrize("status", [204, 304])
    def test_some_have_no_body(self, fetch, status):
        def get(self):
            self.set_status(status)
            self.set_header("X-Kept", "1")
            self.set_header("Content-Language", "en")

        response = fetch(app(get), "/")
        assert (response.code, response.body, response.headers["X-Kept"]) == (status, b"", "1")
        assert not {"Content-Length", "Content-Type", "Content-Language"} & set(response.headers)

    def test_without_a_body_what_describes_the_resource_stays(self, fetch):
        class Handler(RequestHandler):
            def options(self):
                self.set_status(204)
                self.set_header("Allow", "GET, OPTIONS")  # RFC 9110 section 10.2.1: of the resource, not of a body

        response = fetch(Application([("/", Handler)]), "/", method="OPTIONS")
        assert (response.code, response.headers["Allow"]) == (204, "GET, OPTIONS")

    @pytest.mark.parametrize("status", [204, 304])
    def test_t52_a_body_for_these_is_an_error(self, fetch, expect_log, status):
        def get(self):
            self.set_status(status)
            self.write("wind")

        with expect_log("gustnado.application", "Uncaught exception"):
            assert fetch(app(get), "/").code == 500

    def test_a_length_of_ones_own_is_kept(self, fetch):
        def head(self):
            self.set_header("Content-Length", 1000)

        assert fetch(app(head), "/", method="HEAD").headers["Content-Length"] == "1000"

    def test_can_be_awaited(self, fetch):
        async def get(self):
            assert await self.finish("wind") is None

        assert fetch(app(get), "/").body == b"wind"

    def test_a_handler_that_flushes_itself_sees_the_length(self, fetch):
        seen = []

        class Handler(RequestHandler):
            def flush(self, include_footers=False):
                seen.append((include_footers, self._headers["Content-Length"]))
                return super().flush(include_footers)

            def get(self):
                self.write("wind")

        assert fetch(Application([("/", Handler)]), "/").body == b"wind"
        assert seen == [(True, "4")]


class TestFlush:
    def test_streams(self, fetch):
        async def get(self):
            for piece in ("a", "bb", "", "ccc"):
                self.write(piece)
                await self.flush()
            self.write("d")

        response = fetch(app(get), "/")
        assert response.chunks == [b"a", b"bb", b"ccc", b"d"]
        assert not {"Content-Length", "Etag"} & set(response.headers)

    def test_works_without_await(self, fetch):
        def get(self):
            self.write("a")
            self.flush()
            self.write("b")

        assert fetch(app(get), "/").chunks == [b"a", b"b"]

    def test_once_more_after_the_end(self, fetch):
        def get(self):
            self.finish("all")
            seen.append(self.flush().done())

        seen = []
        assert fetch(app(get), "/").body == b"all"
        assert seen == [True]

    def test_sends_the_head_before_there_is_a_body(self, fetch, memory):
        seen = []

        async def get(self):
            self.set_cookie("a", "b")
            self.set_status(201)
            await self.flush()
            seen.append(connections[0].head[0].code)
            self.set_header("X-Late", "1")
            self.set_status(500)
            self.write("body")

        async def main() -> Any:
            connections.append(memory.Connection("http"))
            return await memory.request(app(get), "/", connection=connections[0])

        connections: list[Any] = []
        response = asyncio.run(main())
        assert seen == [201]
        assert (response.code, response.body) == (201, b"body")
        assert response.headers["Set-Cookie"] == "a=b; HttpOnly; Path=/; SameSite=Lax"
        assert "X-Late" not in response.headers

    def test_nothing_of_it_for_head(self, fetch):
        async def head(self):
            for _ in range(2):
                self.write("a")
                await self.flush()

        response = fetch(app(head), "/", method="HEAD")
        assert (response.code, response.body) == (200, b"")

    def test_goes_through_transforms_piece_by_piece(self, fetch):
        class Tag(OutputTransform):
            def __init__(self, request):
                self.count = 0

            def transform_first_chunk(self, status_code, headers, chunk, finishing):
                return 202, headers, self.transform_chunk(chunk, finishing)

            def transform_chunk(self, chunk, finishing):
                self.count += 1
                return b"<%d%s %b>" % (self.count, b"!" if finishing else b"", chunk)

        async def get(self):
            self.write("a")
            await self.flush()
            self.write("b")
            await self.flush()

        application = app(get)
        application.add_transform(Tag)
        response = fetch(application, "/")
        assert (response.code, response.body) == (202, b"<1 a><2 b><3! >")


def test_detach_gives_the_stream_and_ends_the_handler(memory):
    finished = []

    class Connection(memory.Connection):
        def detach(self):
            self.ended.set_result(False)
            return self.stream

    class Handler(RequestHandler):
        def get(self):
            finished.append(self.detach() is connections[0].stream)

        def on_finish(self):
            finished.append("on_finish")

    async def main() -> None:
        connections.append(Connection("http"))
        with pytest.raises(ConnectionAbortedError):
            await memory.request(Application([("/", Handler)]), "/", connection=connections[0])

    connections: list[Any] = []
    asyncio.run(main())
    assert finished == [True]
    assert connections[0].head is None
