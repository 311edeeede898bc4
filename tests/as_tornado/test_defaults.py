"""Each test runs a program of its own, after a call of ``install``."""

from __future__ import annotations


class TestDefaults:
    def test_json_is_spelled_as_by_the_standard_library(self, run_program):
        assert run_program("""
            import json, tornado.escape
            value = {"a": [1, "\\u20ac"]}
            print(tornado.escape.json_encode(value) == json.dumps(value))
        """) == ["True"]

    def test_bodies_may_have_100_mib(self, run_program):
        assert run_program("""
            from tornado.web import Application
            from tornado.httpserver import HTTPServer
            for server in HTTPServer(Application()), HTTPServer(Application(), max_body_size=5):
                print(server.conn_params.limits.max_body_size)
        """) == [str(100 * 1024 * 1024), "5"]

    def test_heads_may_have_64_kib_in_one_field(self, run_program):
        assert run_program("""
            from tornado.web import Application
            from tornado.httpserver import HTTPServer
            for server in HTTPServer(Application()), HTTPServer(Application(), max_header_size=1 << 20):
                limits = server.conn_params.limits
                print(limits.max_header_size, limits.max_field_size, limits.max_request_line)
        """) == ["65536 65536 65536", "1048576 1048576 1048576"]

    def test_websockets_are_not_pinged_unless_a_setting_says_so(self, run_program):
        assert run_program("""
            from tornado.httputil import HTTPServerRequest
            from tornado.web import Application
            from tornado.websocket import WebSocketHandler
            for settings in {}, {"websocket_ping_interval": 7}:
                request = HTTPServerRequest(method="GET", uri="/")
                print(WebSocketHandler(Application(**settings), request).ping_interval)
        """) == ["None", "7"]

    def test_coroutines_are_no_tests_unless_they_are_decorated(self, run_program):
        assert run_program("""
            import sys
            print("unittest" in sys.modules)
            from tornado.testing import AsyncTestCase
            from gustnado.testing import AsyncTestCase as ours
            print(AsyncTestCase.runs_coroutines, ours is AsyncTestCase)
        """) == ["False", "False True"]

    def test_redirects_and_clients_do_as_tornados(self, run_program):
        assert run_program("""
            from tornado.simple_httpclient import SimpleAsyncHTTPClient
            from tornado.web import RequestHandler
            print(RequestHandler.encodes_locations)
            print(SimpleAsyncHTTPClient.cancels_requests, SimpleAsyncHTTPClient.sends_backslashes)
        """) == ["False", "False True"]

    def test_forms_are_as_wide_as_tornados(self, run_program):
        assert run_program("""
            from tornado.httputil import parse_multipart_form_data
            def part(parameters, value=b""):
                head = b"Content-Disposition: form-data; " + parameters
                return b"\\r\\n".join([b"--x", head, b"", value, b""])
            value = b"v" * (2 << 20)
            field = part(b"name=a; pad=" + b"p" * 9000, value)
            file = part(b"name=f; filename=a; filename*=utf-8''b")
            arguments, files = {}, {}
            parse_multipart_form_data(b"x", field + file + b"--x--\\r\\n", arguments, files)
            print(arguments == {"a": [value]}, files["f"][0].filename)
        """) == ["True b"]


class TestHandlers:
    def test_have_tornados_defaults(self, run_program):
        assert run_program("""
            import asyncio
            from gustnado.testing import InMemoryClient
            from tornado.web import Application, RequestHandler

            class Handler(RequestHandler):
                async def get(self):
                    self.set_cookie("a", "b")
                    self.xsrf_token
                    return "dropped"

                post = get

            async def main():
                app = Application([("/", Handler)], xsrf_cookies=True, log_function=None)
                async with InMemoryClient(app, base_url="https://example.org") as client:
                    got = await client.get("/")
                    print(got.body, [c.partition("=")[0] for c in got.headers.get_list("Set-Cookie")])
                    print(got.headers.get_list("Set-Cookie")[0])
                    refused = await client.post("/", body="", headers={"Sec-Fetch-Site": "same-origin"})
                    missing = await client.get("/none", headers={"Accept": "application/json"})
                    print(refused.code, missing.body.decode())

            asyncio.run(main())
        """) == [
            "b'' ['a', '_xsrf']",
            "a=b; Path=/",
            "403 <html><title>404: Not Found</title><body>404: Not Found</body></html>",
        ]
