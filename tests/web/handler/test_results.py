"""What methods return, and JSON bodies."""

from __future__ import annotations

import asyncio
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.testing import InMemoryClient
from gustnado.web import Application, RequestHandler, stream_request_body

APPLICATION = "gustnado.application"
JSON = "application/json; charset=UTF-8"
HTML = "text/html; charset=UTF-8"


def returning(value, kind="plain", before=None, **members):
    """An application whose handler does ``before(self)`` and returns ``value``."""

    def now(self):
        if before is not None:
            before(self)
        return value

    async def later(self):
        await asyncio.sleep(0)
        return now(self)

    handler = type("Returns", (RequestHandler,), {"get": now if kind == "plain" else later, **members})
    return Application([("/", handler)])


@pytest.fixture(params=["plain", "coroutine"])
def kind(request):
    return request.param


class TestReturnedValues:
    @pytest.mark.parametrize(
        ("value", "content_type", "body"),
        [
            ({"a": [1]}, JSON, b'{"a":[1]}'),
            ([1, "</b>"], JSON, b'[1,"<\\/b>"]'),
            ([], JSON, b"[]"),
            ({}, JSON, b"{}"),
            ("wind", HTML, b"wind"),
            ("", HTML, b""),
            (b"\xff", HTML, b"\xff"),
            (None, HTML, b""),
        ],
    )
    def test_become_the_response(self, fetch, kind, value, content_type, body):
        response = fetch(returning(value, kind), "/")
        assert (response.code, response.headers["Content-Type"], response.body) == (200, content_type, body)

    def test_come_after_what_was_written(self, fetch, kind):
        assert fetch(returning("wind", kind, lambda self: self.write("gust ")), "/").text == "gust wind"

    def test_status_and_type_are_the_handlers(self, fetch, kind):
        def before(self):
            self.set_status(201)
            self.set_header("Content-Type", "text/plain")

        response = fetch(returning("wind", kind, before), "/")
        assert (response.code, response.headers["Content-Type"]) == (201, "text/plain")

    @pytest.mark.parametrize("value", [7, 0, False, 1.5, ("a",), object(), print])
    def test_nonsense_is_a_500_and_says_what_it_was(self, fetch, expect_log, kind, value):
        with expect_log(APPLICATION, "Uncaught exception GET") as seen:
            response = fetch(returning(value, kind), "/")
        assert response.code == 500
        (record,) = seen.records
        assert str(record.exc_info[1]).startswith(f"Returns.get() returned {value!r:.50}")
        assert "None or an awaitable is wanted" in str(record.exc_info[1])

    def test_after_the_end_they_are_an_error_in_the_log(self, fetch, expect_log, kind):
        with expect_log(APPLICATION, "Uncaught exception GET") as seen:
            response = fetch(returning("late", kind, lambda self: self.finish("early")), "/")
        assert (response.code, response.text) == (200, "early")
        assert "returned 'late' after finish()" in str(seen.records[0].exc_info[1])

    def test_a_long_one_is_cut_in_the_message(self, fetch, expect_log):
        with expect_log(APPLICATION, "Uncaught exception GET") as seen:
            fetch(returning({1} | set(range(10_000))), "/")
        assert len(str(seen.records[0].exc_info[1])) < 250

    def test_a_coroutine_may_end_in_what_finish_returns(self, fetch):
        class Ends(RequestHandler):
            async def get(self):
                return self.finish("wind")

        assert fetch(Application([("/", Ends)]), "/").text == "wind"

    def test_of_a_handler_that_streams_its_body(self, run):
        @stream_request_body
        class Counts(RequestHandler):
            def prepare(self):
                self.count = 0

            def data_received(self, chunk):
                self.count += len(chunk)

            def put(self):
                return {"bytes": self.count}

        async def main():
            async with InMemoryClient(Application([("/", Counts)])) as client:
                return await client.put("/", body=b"12345")

        assert run(main()).body == b'{"bytes":5}'

    def test_of_coroutines_are_dropped_as_in_tornado(self, fetch, expect_log):
        assert fetch(returning("wind", "coroutine", returns_responses=False), "/").text == ""
        with expect_log(APPLICATION, "Uncaught exception GET"):
            assert fetch(returning("wind", "plain", returns_responses=False), "/").code == 500


class TestGetJSON:
    def fetch_json(self, fetch, body, content_type="application/json", **settings):
        class Reads(RequestHandler):
            def post(self):
                return {"got": self.get_json()}

        return fetch(
            Application([("/", Reads)], **settings),
            "/",
            method="POST",
            body=body,
            headers={"Content-Type": content_type, "Accept": "application/json"},
        )

    @pytest.mark.parametrize("value", [{"a": [1, None]}, [1], "é", 7, None, True])
    def test_gives_the_value(self, fetch, value):
        response = self.fetch_json(fetch, json.dumps(value).encode())
        assert (response.code, json.loads(response.body)) == (200, {"got": value})

    @pytest.mark.parametrize(
        ("body", "why"),
        [
            (b'{"a": tru}', "line 1, column"),
            (b"{", "line 1, column"),
            (b'\xff"', "Not UTF-8"),
            (b"[" * 100_000, "Nested too deeply"),
            (b"NaN", "line 1, column 1"),
        ],
    )
    def test_143_bad_json_is_400_and_says_why(self, fetch, expect_log, body, why):
        with expect_log("gustnado.general", "400 POST / .*: the body is not the JSON that is wanted: "):
            response = self.fetch_json(fetch, body)
        assert response.code == 400
        assert why in response.text

    def test_no_body_is_400(self, fetch, expect_log):
        with expect_log("gustnado.general", "the body is empty, and JSON is wanted"):
            response = self.fetch_json(fetch, b"")
        assert (response.code, json.loads(response.body)["detail"]) == (400, "The body is empty; send JSON.")

    def test_the_decoder_is_a_setting(self, fetch, expect_log):
        decoder = msgspec.json.Decoder(dict[str, int]).decode
        assert self.fetch_json(fetch, b'{"a":1}', json_decoder=decoder).code == 200
        with expect_log("gustnado.general", "Expected `int`, got `str`"):
            response = self.fetch_json(fetch, b'{"a":"secret"}', json_decoder=decoder)
        assert response.code == 400
        assert "secret" not in response.text

    def test_a_decoder_that_is_broken_is_a_500(self, fetch, expect_log):
        def broken(data):
            raise KeyError("no")

        with expect_log(APPLICATION, "Uncaught exception POST"):
            assert self.fetch_json(fetch, b"{}", json_decoder=broken).code == 500

    @given(st.binary(min_size=1, max_size=40))
    def test_any_body_is_read_or_refused(self, body):
        from types import SimpleNamespace

        from gustnado.web import HTTPError

        handler = RequestHandler(Application(), SimpleNamespace(body=body, method="POST", headers={}))
        try:
            handler.get_json()
        except HTTPError as error:
            assert (error.status_code, bool(error.detail)) == (400, True)


class TestEncoder:
    @pytest.mark.parametrize("value", [{"a": 1}, [1]])
    @pytest.mark.parametrize("kind_of_text", [str, str.encode])
    def test_is_a_setting(self, fetch, value, kind_of_text):
        class Returns(RequestHandler):
            def get(self):
                return value

        app = Application([("/", Returns)], json_encoder=lambda value: kind_of_text(f"<{value}>"))
        response = fetch(app, "/")
        assert (response.text, response.headers["Content-Type"]) == (f"<{value}>", JSON)

    def test_is_used_by_write(self, fetch):
        class Writes(RequestHandler):
            def get(self):
                self.write({"a": 1})

        app = Application([("/", Writes)], json_encoder=lambda value: json.dumps(value, indent=1))
        assert fetch(app, "/").text == '{\n "a": 1\n}'
