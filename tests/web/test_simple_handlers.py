from __future__ import annotations

import urllib.parse

import pytest

from gustnado.web import Application, ErrorHandler, FallbackHandler, RedirectHandler

REDIRECTS = Application(
    [
        ("/src", RedirectHandler, {"url": "/dst"}),
        ("/src2", RedirectHandler, {"url": "/dst2?foo=bar"}),
        ("/found", RedirectHandler, {"url": "/dst", "permanent": False}),
        (r"/named/(?P<name>.*)", RedirectHandler, {"url": "/photos/{name}"}),
        (r"/any/(.*)", RedirectHandler, {"url": "{0}"}),
        (r"/moved(.*)", RedirectHandler, {"url": "https://example.com{0}"}),
        (r"/(.*)/target", RedirectHandler, {"url": "/{0}/destination"}),
        (r"/hostless/(.*)", RedirectHandler, {"url": "https://{0}"}),
        (r"/schemeonly/(.*)", RedirectHandler, {"url": "https:{0}"}),
        (r"/(.*?)/(.*?)/(.*)", RedirectHandler, {"url": "/{1}/{0}/{2}"}),
    ]
)


class TestErrorHandler:
    APP = Application(
        [("/error", ErrorHandler, {"status_code": 417})], xsrf_cookies=True, cross_origin_protection=True
    )

    @pytest.mark.parametrize(("path", "code"), [("/error", 417), ("/nowhere", 404)])
    @pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
    def test_says_so_to_everybody(self, fetch, path, code, method):
        headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
        assert fetch(self.APP, path, method=method, headers=headers).code == code


class TestRedirectHandler:
    @pytest.mark.parametrize(
        ("path", "code", "location"),
        [
            ("/src", 301, "/dst"),
            ("/src?foo=bar", 301, "/dst?foo=bar"),
            ("/src2?foo2=bar2", 301, "/dst2?foo=bar&foo2=bar2"),
            ("/src?a=%FF&a=%C3%A9", 301, "/dst?a=%FF&a=%C3%A9"),
            ("/found", 302, "/dst"),
            ("/named/x", 301, "/photos/x"),
            ("/a/b/c", 301, "/b/a/c"),
            ("/a/example.com/b", 301, "/example.com/a/b"),
            ("/ok/target?x=1", 301, "/ok/destination?x=1"),
            ("/moved/x", 301, "https://example.com/x"),
            ("/any/foo/bar", 301, "foo/bar"),
        ],
    )
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_leads_on(self, fetch, path, code, location, method):
        response = fetch(REDIRECTS, path, method=method)
        assert (response.code, response.headers["Location"]) == (code, location)

    @pytest.mark.parametrize(
        "path",
        [
            "/a//example.com/a/b", "/a/%5Cexample.com/b", "/a/%09/example.com/b", "/a///example.com/b",
            "/a////example.com/b", "/a/%2F%2F%5Cexample.com/b", "/%2Fevil.com/target",
            "/%2F%2Fevil.com/target", "/%5C%5Cevil.com/target", "/%09//evil.com/target",
            "/%2Fevil.com/target?x=1", "/hostless/evil.com", "/hostless//evil.com", "/schemeonly/evil.com",
            "/schemeonly/evil.com?x=1", "/schemeonly////evil.com", "/moved.evil.com/x", "/moved@evil.com/x",
            "/moved:8080/x", "/any/https://evil.com/", "/any/%5C%5Cevil.com/", "/any////evil.com/",
            "/any/javascript:alert(1)", "/any/%2F%2F%5B?x=1",
        ],
    )  # fmt: skip
    def test_t43_t44_151_not_to_another_host(self, fetch, expect_log, path):
        with expect_log("gustnado.general", "Redirect URL cannot change the scheme or netloc"):
            response = fetch(REDIRECTS, path)
        assert response.code == 400
        assert "Location" not in response.headers

    @pytest.mark.parametrize("path", ["/any/%0Afoo", "/any/a%00b", "/any/./a%0D%0AX-Injected:1"])
    def test_nor_with_what_a_header_cannot_hold(self, fetch, expect_log, path):
        with expect_log("gustnado.general", "Redirect URL contains invalid"):
            response = fetch(REDIRECTS, path)
        assert response.code == 400
        assert "X-Injected" not in response.headers

    def test_other_letters_are_sent_on(self, fetch):
        quoted = urllib.parse.quote("\u00e9\uff0f\uff0fexample.com")
        response = fetch(REDIRECTS, "/any/" + quoted)
        assert (response.code, response.headers["Location"]) == (301, quoted)

    def test_only_get_and_head(self, fetch):
        assert fetch(REDIRECTS, "/src", method="POST").code == 405


class TestFallbackHandler:
    def test_the_fallback_answers(self, fetch):
        from gustnado.http.headers import HTTPHeaders
        from gustnado.http.messages import ResponseStartLine

        finished = []

        class Handler(FallbackHandler):
            def on_finish(self):
                finished.append(self.request.path)

        def answer(request):
            headers = HTTPHeaders({"Content-Length": str(len(request.body))})
            request.connection.write_headers(ResponseStartLine("", 200, "OK"), headers, request.body)
            request.connection.finish()

        app = Application([("/.*", Handler, {"fallback": answer})])
        assert fetch(app, "/x", method="POST", body=b"a=b").body == b"a=b"
        assert finished == ["/x"]

    def test_it_may_be_another_application(self, fetch):
        inner = Application([("/src", RedirectHandler, {"url": "/dst"})])
        outer = Application([("/.*", FallbackHandler, {"fallback": inner})])
        assert fetch(outer, "/src").headers["Location"] == "/dst"
