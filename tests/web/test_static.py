from __future__ import annotations

import asyncio
import datetime
import email.parser
import email.policy
import gzip
import hashlib
import mimetypes
import os
import threading
import time
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from gustnado.errors import StreamClosedError
from gustnado.http.dates import format_timestamp
from gustnado.http.headers import HTTPHeaders
from gustnado.http.messages import RequestStartLine
from gustnado.web import Application, HTTPError, RequestHandler, StaticFileHandler

TEXT = b"User-agent: *\nDisallow: /\n"
VERSION = hashlib.sha512(TEXT).hexdigest()
ETAG = f'"{VERSION}"'
LARGE = bytes(range(256)) * 4096  # 1 MiB


class Static(StaticFileHandler):
    """One whose caches are its own in each test."""


@pytest.fixture(autouse=True)
def fresh_caches():
    Static.reset()
    StaticFileHandler.reset()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "static"
    root.mkdir()
    (root / "robots.txt").write_bytes(TEXT)
    (root / "large.bin").write_bytes(LARGE)
    (root / "empty.txt").write_bytes(b"")
    (root / "dir").mkdir()
    (root / "dir" / "index.html").write_bytes(b"index")
    (tmp_path / "secret.txt").write_bytes(b"secret")
    (tmp_path / "static-secret").mkdir()
    (tmp_path / "static-secret" / "x.txt").write_bytes(b"secret")
    return root


@pytest.fixture
def app(root: Path) -> Application:
    return make_app(root)


def make_app(root: Any, handler: Any = Static, **arguments: Any) -> Application:
    return Application([(r"/static/(.*)", handler, {"path": str(root), **arguments})])


@pytest.fixture
def fetch_both(fetch_all):
    """The first response, for which the file is read; the second, from memory, and HEAD must be the same."""

    def fetch(app: Application, path: str, **options: Any):
        first, second = fetch_all(app, [(path, options)] * 2)
        assert (second.code, second.body) == (first.code, first.body)
        assert fields(second) == fields(first)
        head = fetch_all(app, [(path, {**options, "method": "HEAD"})])[0]
        assert head.body == b""
        assert (head.code, fields(head)) == (first.code, fields(first))
        return first

    def fields(response: Any) -> dict[str, str]:
        """Those that do not tell the time: one counts from the second in which the response was made."""
        named = dict(response.headers.get_all())
        return {**named, "Expires": "counted from now"} if "Expires" in named else named

    return fetch


class TestServing:
    def test_a_file(self, fetch_both, app, root):
        response = fetch_both(app, "/static/robots.txt")
        modified = os.stat(root / "robots.txt").st_mtime
        assert response.body == TEXT
        assert response.headers["Content-Type"] == "text/plain"
        assert response.headers["Content-Length"] == "26"
        assert response.headers["Etag"] == ETAG
        assert response.headers["Accept-Ranges"] == "bytes"
        assert response.headers["Last-Modified"] == format_timestamp(modified)
        assert "Cache-Control" not in response.headers

    def test_a_large_file_comes_in_pieces(self, fetch_both, app):
        response = fetch_both(app, "/static/large.bin")
        assert response.body == LARGE
        assert len(response.chunks) > 1
        assert response.headers["Etag"] == f'"{hashlib.sha512(LARGE).hexdigest()}"'

    def test_an_empty_file(self, fetch_both, app):
        response = fetch_both(app, "/static/empty.txt")
        assert (response.code, response.body, response.headers["Content-Length"]) == (200, b"", "0")

    @pytest.mark.parametrize("size", [64 * 1024 - 1, 64 * 1024, 64 * 1024 + 1, 256 * 1024, 256 * 1024 + 1])
    def test_sizes_around_the_bounds(self, fetch_both, app, root, size):
        content = os.urandom(size)
        (root / "sized.bin").write_bytes(content)
        assert fetch_both(app, "/static/sized.bin").body == content

    def test_a_version_lets_clients_keep_it(self, fetch_both, app):
        right = fetch_both(app, f"/static/robots.txt?v={VERSION}")
        assert right.headers["Cache-Control"] == "max-age=315360000, immutable"
        expires = parsedate_to_datetime(right.headers["Expires"]).timestamp()
        assert expires == pytest.approx(time.time() + 315360000, abs=60)
        wrong = fetch_both(app, "/static/robots.txt?v=12345")
        assert wrong.headers["Cache-Control"] == "max-age=315360000"
        assert "Cache-Control" not in fetch_both(app, "/static/robots.txt?w=1").headers

    @pytest.mark.parametrize(
        ("name", "media_type"),
        [
            ("a.xml.gz", "application/gzip"),
            ("a.xml.bz2", "application/octet-stream"),
            ("a.html", "text/html"),
            ("a", "application/octet-stream"),
            ("a.nobody-knows", "application/octet-stream"),
        ],
    )
    def test_types(self, fetch_both, app, root, name, media_type):
        (root / name).write_bytes(b"x")
        assert fetch_both(app, f"/static/{name}").headers["Content-Type"] == media_type

    def test_a_changed_file_is_read_again(self, fetch, app, root):
        assert fetch(app, "/static/robots.txt").body == TEXT
        (root / "robots.txt").write_bytes(b"changed")
        response = fetch(app, "/static/robots.txt")
        assert response.body == b"changed"
        assert response.headers["Etag"] == f'"{hashlib.sha512(b"changed").hexdigest()}"'
        (root / "robots.txt").unlink()
        assert fetch(app, "/static/robots.txt").code == 404

    def test_a_name_is_percent_decoded_once(self, fetch, app, root):
        (root / "a b%20.txt").write_bytes(b"x")
        assert fetch(app, "/static/a%20b%2520.txt").body == b"x"

    def test_other_methods_are_405(self, fetch, app):
        assert fetch(app, "/static/robots.txt", method="POST").code == 405

    def test_memory_may_be_turned_off(self, fetch_both, root):
        class Unkept(Static):
            MAX_CACHED_FILE_SIZE = -1

        assert fetch_both(make_app(root, Unkept), "/static/robots.txt").body == TEXT
        assert Unkept._static_files.size == 0

    def test_compression_takes_it_in_pieces(self, fetch, root):
        app = Application([(r"/static/(.*)", Static, {"path": str(root)})], compress_response=True)
        for _ in range(2):
            response = fetch(app, "/static/robots.txt", headers={"Accept-Encoding": "gzip"})
            assert gzip.decompress(response.body) == TEXT
            assert response.headers["Content-Encoding"] == "gzip"
            assert response.headers["Etag"] == f"W/{ETAG}"
        part = fetch(app, "/static/robots.txt", headers={"Accept-Encoding": "gzip", "Range": "bytes=0-3"})
        assert (part.code, part.body, part.headers["Etag"]) == (206, TEXT[:4], ETAG)

    def test_what_is_set_for_the_application(self, fetch, root):
        app = Application([], static_path=str(root))
        for path in ("/static/robots.txt", "/robots.txt"):
            assert fetch(app, path).body == TEXT
        assert fetch(app, "/favicon.ico").code == 404


class TestConditions:
    def test_if_none_match(self, fetch_both, app):
        for wanted in (ETAG, f'W/{ETAG}, "x"', "*"):
            response = fetch_both(app, "/static/robots.txt", headers={"If-None-Match": wanted})
            assert (response.code, response.body) == (304, b"")
            assert response.headers["Etag"] == ETAG
            assert "Content-Length" not in response.headers

    def test_if_none_match_outweighs_the_date(self, fetch_both, app, root):
        date = format_timestamp(os.stat(root / "robots.txt").st_mtime)
        headers = {"If-None-Match": '"MISMATCH"', "If-Modified-Since": date}
        assert fetch_both(app, "/static/robots.txt", headers=headers).code == 200

    @pytest.mark.parametrize(("seconds", "code"), [(-1, 200), (0, 304), (1, 304)])
    def test_if_modified_since(self, fetch_both, app, root, seconds, code):
        date = format_timestamp(os.stat(root / "robots.txt").st_mtime + seconds)
        assert fetch_both(app, "/static/robots.txt", headers={"If-Modified-Since": date}).code == code

    @pytest.mark.parametrize("date", ["!nv@l!d", "", "Fri, 01 Jan 1960 00:00:00 GMT", "9" * 5000])
    def test_t19_150_a_bad_or_old_date_is_no_condition(self, fetch_both, app, date):
        assert fetch_both(app, "/static/robots.txt", headers={"If-Modified-Since": date}).code == 200

    def test_150_a_huge_list_is_read(self, fetch, app):
        headers = {"If-None-Match": ", ".join(['"x"'] * 2000) + ", " + ETAG}
        assert fetch(app, "/static/robots.txt", headers=headers).code == 304


class TestPreconditions:
    """``If-Match`` and ``If-Unmodified-Since``: RFC 9110 section 13.1."""

    @pytest.mark.parametrize(
        ("condition", "code"),
        [(ETAG, 200), ("*", 200), (f'"a", {ETAG}', 200), ('"a"', 412), (f"W/{ETAG}", 412), ("", 412), ("x" * 999, 412)],
    )
    def test_if_match(self, fetch_both, app, condition, code):
        response = fetch_both(app, "/static/robots.txt?v=1", headers={"If-Match": condition})
        assert (response.code, response.body) == (code, TEXT if code == 200 else b"")
        assert ("Cache-Control" in response.headers) is (code == 200)

    def test_comes_before_the_others(self, fetch_both, app):
        headers = {"If-Match": '"a"', "If-None-Match": ETAG, "Range": "bytes=0-1"}
        assert fetch_both(app, "/static/robots.txt", headers=headers).code == 412

    @pytest.mark.parametrize(("seconds", "code"), [(0, 200), (1, 200), (-1, 412)])
    def test_if_unmodified_since(self, fetch_both, app, root, seconds, code):
        date = format_timestamp(os.stat(root / "robots.txt").st_mtime + seconds)
        headers = {"If-Unmodified-Since": date}
        assert fetch_both(app, "/static/robots.txt", headers=headers).code == code
        assert fetch_both(app, "/static/robots.txt", headers={**headers, "If-Match": ETAG}).code == 200

    def test_150_a_bad_date_is_none(self, fetch_both, app):
        assert fetch_both(app, "/static/robots.txt", headers={"If-Unmodified-Since": "soon"}).code == 200


class TestPrecompressed:
    @pytest.fixture
    def app(self, root):
        self.write(root, "app.js", b"plain")
        self.write(root, "app.js.gz", b"as gzip")
        self.write(root, "app.js.br", b"as br")
        self.write(root, "app.js.zst", b"as zstd")
        return make_app(root, precompressed=True)

    def write(self, root, name, content, time=1_000_000_000):
        (root / name).write_bytes(content)
        os.utime(root / name, (time, time))

    @pytest.mark.parametrize(
        ("accepted", "coding"),
        [
            ("gzip, deflate, br, zstd", "br"),
            ("gzip, zstd", "zstd"),
            ("gzip", "gzip"),
            ("br;q=0.5, gzip;q=0.8", "gzip"),
            ("br;q=0, gzip;q=0", None),
            ("*", "br"),
            ("*, br;q=0", "zstd"),
            ("gzip;q=0.5, identity", None),
            ("deflate", None),
            ("", None),
        ],
    )
    def test_what_the_client_takes(self, fetch_both, app, accepted, coding):
        response = fetch_both(app, "/static/app.js", headers={"Accept-Encoding": accepted})
        body = f"as {coding}" if coding else "plain"
        assert (response.code, response.text) == (200, body)
        assert response.headers.get("Content-Encoding") == coding
        assert response.headers["Vary"] == "Accept-Encoding"
        assert response.headers["Content-Type"] == mimetypes.guess_type("app.js")[0]
        assert response.headers["Etag"] == f'"{hashlib.sha512(body.encode()).hexdigest()}"'

    def test_a_large_one_comes_in_pieces(self, fetch_both, app, root):
        self.write(root, "big.bin", LARGE * 2)
        self.write(root, "big.bin.gz", LARGE)
        response = fetch_both(app, "/static/big.bin", headers={"Accept-Encoding": "gzip"})
        assert (response.body, response.headers["Content-Encoding"]) == (LARGE, "gzip")

    def test_conditions_and_ranges_are_about_the_form(self, fetch_both, app):
        headers = {"Accept-Encoding": "gzip"}
        etag = fetch_both(app, "/static/app.js", headers=headers).headers["Etag"]
        assert fetch_both(app, "/static/app.js", headers={**headers, "If-None-Match": etag}).code == 304
        assert fetch_both(app, "/static/app.js", headers={"If-None-Match": etag}).code == 200
        part = fetch_both(app, "/static/app.js", headers={**headers, "Range": "bytes=3-6"})
        assert (part.code, part.text, part.headers["Content-Encoding"]) == (206, "gzip", "gzip")

    def test_a_versioned_url_is_immutable_in_each_form(self, fetch_both, app, root):
        version = Static.get_version({"static_path": str(root)}, "app.js")
        for accepted in ("gzip", ""):
            response = fetch_both(app, f"/static/app.js?v={version}", headers={"Accept-Encoding": accepted})
            assert response.headers["Cache-Control"].endswith(", immutable")
            other = fetch_both(app, "/static/app.js?v=old", headers={"Accept-Encoding": accepted})
            assert "immutable" not in other.headers["Cache-Control"]

    def test_one_that_was_left_behind_is_passed_over(self, fetch_both, app, root):
        headers = {"Accept-Encoding": "br"}
        assert fetch_both(app, "/static/app.js", headers=headers).text == "as br"
        self.write(root, "app.js", b"newer", time=1_000_000_001)
        response = fetch_both(app, "/static/app.js", headers=headers)
        assert (response.text, "Content-Encoding" in response.headers) == ("newer", False)

    def test_t36_a_link_that_leads_out_is_passed_over(self, fetch_both, app, root, tmp_path):
        (root / "app.js.br").unlink()
        (root / "app.js.br").symlink_to(tmp_path / "secret.txt")
        assert fetch_both(app, "/static/app.js", headers={"Accept-Encoding": "br"}).text == "plain"

    def test_of_a_directorys_default_file(self, fetch_both, root):
        self.write(root / "dir", "index.html", b"plain")
        self.write(root / "dir", "index.html.gz", b"as gzip")
        app = make_app(root, precompressed=True, default_filename="index.html")
        assert fetch_both(app, "/static/dir/", headers={"Accept-Encoding": "gzip"}).text == "as gzip"

    def test_not_unless_asked_for(self, fetch_both, app, root):
        response = fetch_both(make_app(root), "/static/app.js", headers={"Accept-Encoding": "br"})
        assert (response.text, "Vary" in response.headers) == ("plain", False)


class TestFallback:
    """For an application in the browser that has routes of its own."""

    PAGE = {"Accept": "text/html,*/*;q=0.8"}  # noqa: RUF012

    @pytest.fixture
    def app(self, root):
        (root / "index.html").write_bytes(b"the app")
        return make_app(root, fallback="index.html")

    @pytest.mark.parametrize("path", ["users/7", "users/7?v=1", "none.html", "deep/er/"])
    def test_a_page_that_is_not_there(self, fetch_both, app, path):
        response = fetch_both(app, f"/static/{path}", headers=self.PAGE)
        assert (response.code, response.text) == (200, "the app")
        assert response.headers["Content-Type"] == "text/html"
        assert response.headers["Cache-Control"] == "no-cache"

    def test_what_is_there_is_served(self, fetch_both, app):
        assert fetch_both(app, "/static/robots.txt", headers=self.PAGE).body == TEXT

    @pytest.mark.parametrize("accept", ["*/*", "application/json", "image/png", "text/html;q=0", ""])
    def test_other_things_are_404(self, fetch, app, accept):
        assert fetch(app, "/static/none.png", headers={"Accept": accept}).code == 404

    def test_148_a_way_out_is_none_in(self, fetch, app, expect_log):
        with expect_log("gustnado.general", "is not in root static directory"):
            assert fetch(app, "/static/../secret.txt", headers=self.PAGE).code == 403

    def test_where_it_is_missing_itself(self, fetch, root):
        app = make_app(root, fallback="none.html")
        assert fetch(app, "/static/x", headers=self.PAGE).code == 404

    def test_not_unless_asked_for(self, fetch, root):
        assert fetch(make_app(root), "/static/x", headers=self.PAGE).code == 404


class TestHiddenFiles:
    @pytest.mark.parametrize("path", [".env", ".git/config", "dir/.htpasswd", "dir/%2eenv"])
    def test_148_are_404(self, fetch, app, root, expect_log, path):
        (root / ".git").mkdir()
        for name in (".env", ".git/config", "dir/.htpasswd", "dir/.env"):
            (root / name).write_bytes(b"secret")
        with expect_log("gustnado.general", "is hidden"):
            assert fetch(app, f"/static/{path}").code == 404

    def test_but_for_those_that_are_known(self, fetch_both, app, root):
        (root / ".well-known").mkdir()
        (root / ".well-known" / "x").write_bytes(b"known")
        assert fetch_both(app, "/static/.well-known/x").body == b"known"

    def test_may_be_served(self, fetch_both, root):
        class Open(Static):
            serves_hidden_files = True

        (root / ".env").write_bytes(b"open")
        assert fetch_both(make_app(root, Open), "/static/.env").body == b"open"


class TestRanges:
    @pytest.mark.parametrize(
        ("value", "content_range", "part"),
        [
            ("bytes=0-9", "bytes 0-9/26", TEXT[:10]),
            ("bytes=1-10000000", "bytes 1-25/26", TEXT[1:]),
            ("bytes=22-", "bytes 22-25/26", TEXT[22:]),
            ("bytes=-4", "bytes 22-25/26", TEXT[-4:]),
        ],
    )
    def test_a_part(self, fetch_both, app, value, content_range, part):
        response = fetch_both(app, "/static/robots.txt", headers={"Range": value})
        assert (response.code, response.body) == (206, part)
        assert response.headers["Content-Range"] == content_range
        assert response.headers["Content-Length"] == str(len(part))
        assert response.headers["Etag"] == ETAG

    @pytest.mark.parametrize(
        "value",
        ["bytes=0-", "bytes=-1000000", "asdf", "bytes=1-2,x", "lines=1-2,6-10", "bytes=0-20,1-25", "bytes=0-,1-2"],
    )
    def test_149_the_whole(self, fetch_both, app, value):
        response = fetch_both(app, "/static/robots.txt", headers={"Range": value})
        assert (response.code, response.body) == (200, TEXT)
        assert "Content-Range" not in response.headers

    @pytest.mark.parametrize("value", ["bytes=26-", "bytes=-0", "bytes=10-3", "bytes=26"])
    def test_149_nothing(self, fetch_both, app, value):
        response = fetch_both(app, "/static/robots.txt", headers={"Range": value})
        assert (response.code, response.body) == (416, b"")
        assert response.headers["Content-Range"] == "bytes */26"

    def test_of_a_large_file(self, fetch_both, app):
        response = fetch_both(app, "/static/large.bin", headers={"Range": "bytes=1000-999999"})
        assert response.body == LARGE[1000:1000000]

    def test_a_condition_comes_first(self, fetch_both, app):
        headers = {"Range": "bytes=1-4", "If-None-Match": ETAG}
        assert fetch_both(app, "/static/robots.txt", headers=headers).code == 304

    @pytest.mark.parametrize(
        ("condition", "code"),
        [(ETAG, 206), ('"other"', 200), (f"W/{ETAG}", 200), ("DATE", 206), ("Mon", 200)],
    )
    def test_if_range(self, fetch_both, app, root, condition, code):
        date = format_timestamp(os.stat(root / "robots.txt").st_mtime)
        headers = {"Range": "bytes=0-3", "If-Range": condition.replace("DATE", date)}
        assert fetch_both(app, "/static/robots.txt", headers=headers).code == code

    @pytest.mark.parametrize("path", ["robots.txt", "large.bin"])
    def test_several_are_a_multipart(self, fetch_both, app, root, path):
        content = (root / path).read_bytes()
        response = fetch_both(app, f"/static/{path}", headers={"Range": "bytes=2-3,-4, 10-12,900000000-"})
        assert response.code == 206
        assert "Content-Range" not in response.headers
        content_type = response.headers["Content-Type"]
        assert content_type.startswith("multipart/byteranges; boundary=")
        head = b"Content-Type: " + content_type.encode() + b"\r\n\r\n"
        message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + response.body)
        size = len(content)
        expected = [(2, 4), (size - 4, size), (10, 13)]
        parts = message.get_payload()
        assert [part["Content-Range"] for part in parts] == [f"bytes {a}-{b - 1}/{size}" for a, b in expected]
        assert [part.get_payload(decode=True) for part in parts] == [content[a:b] for a, b in expected]
        assert len(response.body) == int(response.headers["Content-Length"])

    def test_of_several_one_is_left(self, fetch_both, app):
        response = fetch_both(app, "/static/robots.txt", headers={"Range": "bytes=2-3,26-,100-"})
        assert (response.code, response.body) == (206, TEXT[2:4])
        assert response.headers["Content-Range"] == "bytes 2-3/26"

    def test_149_none_of_several_is_416(self, fetch_both, app):
        assert fetch_both(app, "/static/robots.txt", headers={"Range": "bytes=26-,27-28"}).code == 416

    def test_149_a_thousand_are_the_whole(self, fetch_both, app):
        value = "bytes=" + ",".join(f"{n}-{n}" for n in range(1000))
        response = fetch_both(app, "/static/large.bin", headers={"Range": value})
        assert (response.code, response.body) == (200, LARGE)

    def test_without_a_version_the_boundary_is_random(self, fetch, root):
        class Plain(Static):
            MAX_VERSION_CONTENT_SIZE = MAX_CACHED_FILE_SIZE = 10

        app = make_app(root, Plain)
        boundaries = {
            fetch(app, "/static/robots.txt", headers={"Range": "bytes=0-1,4-5"}).headers["Content-Type"] for _ in "abc"
        }
        assert len(boundaries) == 3

    def test_none_of_what_is_not_there(self, fetch, app):
        assert fetch(app, "/static/none", headers={"Range": "bytes=0-3"}).code == 404


class TestConfinement:
    @pytest.mark.parametrize(
        "path",
        [
            "../secret.txt", "../static-secret/x.txt", "%2e%2e/secret.txt", "..%2fsecret.txt",
            "dir/../../secret.txt", "/etc/passwd", "//etc/passwd", "%2fetc%2fpasswd",
            "../static-secret", "..",
        ],
    )  # fmt: skip
    def test_t8_16_148_nothing_outside_the_root(self, fetch, app, expect_log, path):
        with expect_log("gustnado.general", "is not in root static directory"):
            assert fetch(app, f"/static/{path}").code == 403

    @pytest.mark.parametrize(
        "path", ["none", "robots.txt/x", "dir/none", "%252e%252e/secret.txt", "..%5csecret.txt", "x" * 300]
    )
    def test_what_is_not_there_is_404(self, fetch, app, path):
        assert fetch(app, f"/static/{path}").code == 404

    def test_16_nul_is_404(self, fetch, app, expect_log):
        with expect_log("gustnado.general", "holds NUL"):
            assert fetch(app, "/static/robots.txt%00.html").code == 404

    @pytest.mark.parametrize("path", ["dir", "dir/", ""])
    def test_a_directory_is_403(self, fetch, app, expect_log, path):
        with expect_log("gustnado.general", "is not a file"):
            assert fetch(app, f"/static/{path}").code == 403

    def test_148_a_fifo_and_a_device_are_403(self, fetch, app, root, expect_log):
        os.mkfifo(root / "fifo")
        with expect_log("gustnado.general", "is not a file"):
            assert fetch(app, "/static/fifo").code == 403
        (root / "zero").symlink_to("/dev/zero")
        with expect_log("gustnado.general", "not in root static directory"):
            assert fetch(app, "/static/zero").code == 403
        permissive = make_app(root, allowed_symlink_directory="/")
        with expect_log("gustnado.general", "is not a file"):
            assert fetch(permissive, "/static/zero").code == 403

    def test_t36_links_do_not_lead_out(self, fetch, app, root, expect_log):
        (root / "near.txt").symlink_to(root / "robots.txt")
        (root / "link.txt").symlink_to(root.parent / "secret.txt")
        (root / "linkdir").symlink_to(root.parent)
        assert fetch(app, "/static/near.txt").body == TEXT
        for path in ("link.txt", "linkdir/secret.txt"):
            with expect_log("gustnado.general", "is not in root static directory"):
                assert fetch(app, f"/static/{path}").code == 403

    def test_a_link_that_is_turned_outside_is_noticed(self, fetch, app, root, expect_log):
        link = root / "near.txt"
        link.symlink_to(root / "robots.txt")
        assert fetch(app, "/static/near.txt").body == TEXT
        link.unlink()
        link.symlink_to(root.parent / "secret.txt")
        with expect_log("gustnado.general", "is not in root static directory"):
            assert fetch(app, "/static/near.txt").code == 403

    @pytest.mark.parametrize("listed", [False, True])
    def test_links_may_lead_where_they_are_allowed_to(self, fetch_both, root, listed):
        (root / "link.txt").symlink_to(root.parent / "secret.txt")
        allowed = [str(root), str(root.parent)] if listed else str(root.parent)
        app = make_app(root, allowed_symlink_directory=allowed)
        assert fetch_both(app, "/static/link.txt").body == b"secret"

    def test_what_one_route_allows_does_not_count_for_another(self, fetch, root, expect_log):
        (root / "link.txt").symlink_to(root.parent / "secret.txt")
        assert fetch(make_app(root, allowed_symlink_directory="/"), "/static/link.txt").body == b"secret"
        with expect_log("gustnado.general", "is not in root static directory"):
            assert fetch(make_app(root), "/static/link.txt").code == 403

    def test_the_root_may_be_a_link(self, fetch_both, root):
        (root.parent / "alias").symlink_to(root)
        assert fetch_both(make_app(root.parent / "alias"), "/static/robots.txt").body == TEXT

    def test_a_root_of_everything_checks_nothing(self, fetch, root):
        assert fetch(make_app("/"), f"/static{root}/robots.txt").body == TEXT


class TestDefaultFilename:
    @pytest.fixture
    def app(self, root):
        return make_app(root, default_filename="index.html")

    def test_a_directory_has_it(self, fetch_both, app):
        assert fetch_both(app, "/static/dir/").body == b"index"

    def test_a_directory_without_a_slash_is_redirected(self, fetch, app):
        assert fetch(app, "/static/dir/").code == 200
        response = fetch(app, "/static/dir")
        assert (response.code, response.headers["Location"]) == (301, "/static/dir/")

    def test_the_end_of_the_url_counts_where_the_path_is_empty(self, fetch, root):
        (root / "index.html").write_bytes(b"root index")
        app = Application([(r"/static/?(.*)", Static, {"path": str(root), "default_filename": "index.html"})])
        assert fetch(app, "/static/").body == b"root index"
        assert fetch(app, "/static").headers["Location"] == "/static/"

    def test_a_directory_without_one_is_404(self, fetch, app, root):
        (root / "bare").mkdir()
        assert fetch(app, "/static/bare/").code == 404

    @pytest.mark.parametrize(
        "path", ["//evil.com/..{root}/dir", "/\\evil.com/../dir", "///evil.com/../..{root}/dir"]
    )
    def test_t11_no_redirect_to_another_host(self, fetch, root, expect_log, path):
        app = Application(
            [], static_path=str(root), static_url_prefix="/", static_handler_args={"default_filename": "i"}
        )
        with expect_log("gustnado.general", "cannot redirect path with two initial slashes|not in root"):
            response = fetch(app, path.format(root=root))
        assert response.code == 403
        assert "Location" not in response.headers

    def test_it_may_not_be_a_link_outside(self, fetch, app, root, expect_log):
        (root / "linked").mkdir()
        (root / "linked" / "index.html").symlink_to(root.parent / "secret.txt")
        with expect_log("gustnado.general", "is not in root static directory"):
            assert fetch(app, "/static/linked/").code == 403

    def test_t36_nobody_learns_what_is_outside(self, fetch, app, root, expect_log):
        (root / "exists").symlink_to(root.parent)
        (root / "missing").symlink_to(root.parent / "nothing")
        for name in ("exists", "missing"):
            with expect_log("gustnado.general", "is not in root static directory"):
                assert fetch(app, f"/static/{name}").code == 403


class TestVersions:
    def version(self, root, path, handler=Static):
        return handler.get_version({"static_path": str(root)}, path)

    def test_is_a_hash_of_the_content(self, root):
        assert self.version(root, "robots.txt") == VERSION
        (root / "robots.txt").write_bytes(b"changed")
        assert self.version(root, "robots.txt") == hashlib.sha512(b"changed").hexdigest()

    def test_makes_urls(self, root):
        settings = {"static_path": str(root), "static_url_prefix": "/s/"}
        assert Static.make_static_url(settings, "robots.txt") == f"/s/robots.txt?v={VERSION}"
        assert Static.make_static_url(settings, "robots.txt", include_version=False) == "/s/robots.txt"

    def test_t46_nothing_outside_is_read(self, root):
        with pytest.raises(HTTPError) as caught:
            self.version(root, "../secret.txt")
        assert caught.value.status_code == 403

    @pytest.mark.parametrize(
        ("name", "why"), [("dir", "not a file"), ("fifo", "not a file"), ("none", "404")]
    )
    def test_t46_what_is_no_file_has_none(self, root, expect_log, name, why):
        os.mkfifo(root / "fifo")
        with expect_log("gustnado.general", f"Could not open static file.*{why}"):
            assert self.version(root, name) is None
        assert self.version(root, name) is None  # and is said once
        settings = {"static_path": str(root)}
        assert Static.make_static_url(settings, name) == f"/static/{name}"

    def test_t46_a_device_is_not_read(self, root, expect_log):
        (root / "zero").symlink_to("/dev/zero")
        with expect_log("gustnado.general", "not a file"):
            assert self.version(root, "zero") is None

    def test_t46_large_content_has_none(self, root, expect_log):
        class Small(Static):
            MAX_VERSION_CONTENT_SIZE = len(TEXT)

        assert self.version(root, "robots.txt", Small) == VERSION
        Small.reset()
        Small.MAX_VERSION_CONTENT_SIZE -= 1
        with expect_log("gustnado.general", "larger than MAX_VERSION_CONTENT_SIZE"):
            assert self.version(root, "robots.txt", Small) is None

    def test_content_without_a_version_has_no_etag(self, fetch, root):
        class Small(Static):
            MAX_VERSION_CONTENT_SIZE = 1024

        response = fetch(make_app(root, Small), "/static/large.bin")
        assert (response.code, response.body) == (200, LARGE)
        assert "Etag" not in response.headers

    def test_a_large_file_is_hashed_off_the_loop_and_once(self, root, run):
        threads: list[int] = []

        class Slow(StaticFileHandler):
            MAX_HASHED_AT_ONCE = 10

            @classmethod
            def _check_size(cls, size):
                threads.append(threading.get_ident())
                assert gate.wait(30)

        gate = threading.Event()
        gate.set()
        Slow.reset()
        settings = {"static_path": str(root)}
        assert Slow.make_static_url(settings, "empty.txt").startswith("/static/empty.txt?v=cf83e1357eef")

        async def main():
            threads.clear()
            gate.clear()
            urls = [Slow.make_static_url(settings, "robots.txt") for _ in range(5)]
            assert urls == ["/static/robots.txt"] * 5
            gate.set()
            assert threading.get_ident() not in threads
            while "?v=" not in (url := Slow.make_static_url(settings, "robots.txt")):
                await asyncio.sleep(0.001)
            return url

        assert run(main()) == f"/static/robots.txt?v={ETAG.strip(chr(34))}"
        assert len(threads) == 2  # once before reading, once while
        (root / "robots.txt").write_bytes(b"changed, and long")
        assert run(main()) == f"/static/robots.txt?v={hashlib.sha512(b'changed, and long').hexdigest()}"

    def test_t46_so_many_are_kept(self, root):
        reads: list[str] = []

        class Limited(StaticFileHandler):
            MAX_CACHED_VERSIONS = 2

            @classmethod
            def get_content_version(cls, abspath):
                reads.append(os.path.basename(abspath))
                return super().get_content_version(abspath)

        Limited.reset()
        for name in "abc":
            (root / name).write_text(name)
        for name in ["a", "b", "a", "c", "a", "b"]:
            assert self.version(root, name, Limited) == hashlib.sha512(name.encode()).hexdigest()
        assert reads == ["a", "b", "c", "b"]
        assert len(Limited._static_hashes) == 2


class TestSubclasses:
    def test_content_from_elsewhere(self, fetch_both):
        class Elsewhere(StaticFileHandler):
            @classmethod
            def get_absolute_path(cls, root, path):
                return "elsewhere:" + path

            def validate_absolute_path(self, root, absolute_path):
                return absolute_path

            @classmethod
            def get_content(cls, abspath, start=None, end=None):
                assert abspath == "elsewhere:foo.txt"
                return b"0123456789"[start:end]

            def get_content_size(self):
                return 10

            def get_modified_time(self):
                return datetime.datetime(2026, 1, 1)  # naive, as Tornado allows

            @classmethod
            def get_version(cls, settings, path):
                return "42"

        Elsewhere.reset()
        app = make_app("dummy", Elsewhere)
        response = fetch_both(app, "/static/foo.txt")
        assert response.body == b"0123456789"
        assert response.headers["Last-Modified"] == "Thu, 01 Jan 2026 00:00:00 GMT"
        assert response.headers["Etag"] == f'"{hashlib.sha512(b"0123456789").hexdigest()}"'
        assert fetch_both(app, "/static/foo.txt", headers={"Range": "bytes=2-4"}).body == b"234"
        date = {"If-Modified-Since": "Thu, 01 Jan 2026 00:00:00 GMT"}
        assert fetch_both(app, "/static/foo.txt", headers=date).code == 304
        assert Elsewhere.make_static_url({}, "foo.txt") == "/static/foo.txt?v=42"

    def test_content_in_pieces_and_without_a_date(self, fetch_both):
        class Pieces(StaticFileHandler):
            @classmethod
            def get_absolute_path(cls, root, path):
                return path

            def validate_absolute_path(self, root, absolute_path):
                return absolute_path

            @classmethod
            def get_content(cls, abspath, start=None, end=None):
                assert start is None and end is None
                yield b"one"
                yield b"two"

            def get_content_size(self):
                return 6

            def get_modified_time(self):
                return None

        Pieces.reset()
        response = fetch_both(make_app("dummy", Pieces), "/static/x.txt")
        assert response.chunks == [b"one", b"two"]
        assert "Last-Modified" not in response.headers

    def test_headers_and_cache_time(self, fetch_both, root):
        class Own(Static):
            def set_extra_headers(self, path):
                self.set_header(
                    "X-Path", f"{path} {self.absolute_path is not None} {self.modified is not None}"
                )

            def get_cache_time(self, path, modified, mime_type):
                return 60

            def get_content_type(self):
                return "text/x-own"

        response = fetch_both(make_app(root, Own), "/static/robots.txt")
        assert response.headers["X-Path"] == "robots.txt True True"
        assert response.headers["Cache-Control"] == "max-age=60"
        assert response.headers["Content-Type"] == "text/x-own"

    def test_what_is_set_before_it_is_kept(self, fetch_both, root):
        class Own(Static):
            def set_default_headers(self):
                self.set_header("X-Own", "1")

            def prepare(self):
                self.set_cookie("seen", "yes")

        response = fetch_both(make_app(root, Own), "/static/robots.txt")
        assert response.headers["X-Own"] == "1"
        assert response.headers["Set-Cookie"].startswith("seen=yes")
        assert response.headers["Etag"] == ETAG

    @pytest.mark.parametrize("name", ["finish", "write"])
    def test_a_patch_of_what_sends_counts(self, fetch, app, monkeypatch, name):
        fetch(app, "/static/robots.txt")  # now it is in memory
        original, called = getattr(RequestHandler, name), []

        def patched(self, *args):
            called.append(name)
            return original(self, *args)

        monkeypatch.setattr(RequestHandler, name, patched)
        assert fetch(app, "/static/robots.txt").body == TEXT
        assert called == [name]

    @pytest.mark.parametrize("name", ["set_extra_headers", "set_headers", "get_cache_time"])
    def test_what_is_put_into_the_class_later_counts(self, fetch, app, monkeypatch, name):
        fetch(app, "/static/robots.txt")  # now it is in memory
        called = []

        def patched(self, *args):
            called.append(name)
            return 0

        monkeypatch.setattr(StaticFileHandler, name, patched)
        assert fetch(app, "/static/robots.txt").body == TEXT
        assert called == [name]

    def test_a_status_of_ones_own_is_kept(self, fetch, root):
        class Own(Static):
            def prepare(self):
                self.set_status(299, "Windy")

        app = make_app(root, Own)
        assert [fetch(app, "/static/robots.txt").code for _ in range(2)] == [299, 299]

    def test_the_path_of_a_url_may_be_another(self, fetch_both, root):
        class Suffixed(Static):
            def parse_url_path(self, url_path):
                return url_path.removesuffix(".v1")

        assert fetch_both(make_app(root, Suffixed), "/static/robots.txt.v1").body == TEXT

    def test_several_roots(self, fetch_both, fetch, root, tmp_path, expect_log):
        """As Jupyter does: no ``super().initialize()``, and a root that is no string."""
        other = tmp_path / "other"
        other.mkdir()
        (other / "two.txt").write_bytes(b"two")
        (other / "link.txt").symlink_to(root / "robots.txt")

        class Several(StaticFileHandler):
            def initialize(self, path):
                self.root = tuple(path)
                self.default_filename = None

            @classmethod
            def get_absolute_path(cls, roots, path):
                found = [
                    os.path.join(root, path) for root in roots if os.path.exists(os.path.join(root, path))
                ]
                return found[0] if found else os.path.join(roots[0], path)

            def validate_absolute_path(self, root, absolute_path):
                (own,) = [one for one in self.root if absolute_path.startswith(one)]
                return super().validate_absolute_path(own, absolute_path)

        Several.reset()
        app = Application([(r"/static/(.*)", Several, {"path": [str(root), str(other)]})])
        assert fetch_both(app, "/static/robots.txt").body == TEXT
        assert fetch_both(app, "/static/two.txt").body == b"two"
        assert fetch(app, "/static/none").code == 404
        with expect_log("gustnado.general", "is not in root static directory"):
            assert fetch(app, "/static/link.txt").code == 403

    def test_get_may_be_called_by_a_subclass(self, fetch_both, root):
        class Fallback(Static):
            async def get(self, path, include_body=True):
                try:
                    await super().get(path, include_body)
                except HTTPError:
                    await super().get("robots.txt", include_body)

        app = make_app(root, Fallback)
        assert fetch_both(app, "/static/none").body == TEXT


class TestInterruptions:
    def test_149_a_file_that_shrinks_cuts_the_response_short(self, fetch, root, expect_log):
        class Shrinking(Static):
            def flush(self, *args, **kwargs):
                os.truncate(root / "large.bin", 300_000)
                return super().flush(*args, **kwargs)

        with (
            expect_log("gustnado.application", "Uncaught exception"),
            expect_log("gustnado.general", "Cannot send error response after headers written"),
            pytest.raises(ConnectionAbortedError),
        ):
            fetch(make_app(root, Shrinking), "/static/large.bin")

    def test_one_that_is_replaced_before_its_head_is_sent_is_not_mixed_up(self, fetch, root, expect_log):
        class Replacing(Static):
            def set_extra_headers(self, path):
                (root / "new").write_bytes(bytes(len(LARGE)))
                os.replace(root / "new", root / "large.bin")

        with expect_log("gustnado.general", "has been replaced"):
            response = fetch(make_app(root, Replacing), "/static/large.bin")
        assert (response.code, response.headers.get("Etag")) == (503, None)

    def test_a_large_one_that_vanishes_is_404(self, fetch, root, expect_log):
        class Vanishing(Static):
            def set_extra_headers(self, path):
                os.unlink(root / "large.bin")

        with expect_log("gustnado.general", "No such file"):
            assert fetch(make_app(root, Vanishing), "/static/large.bin").code == 404

    def test_a_file_that_vanishes_is_404(self, fetch, root, expect_log):
        path = str(root / "robots.txt")

        class Vanishing(Static):
            def _stat(self):
                status = super()._stat()
                os.unlink(self.absolute_path or path)
                return status

        with expect_log("gustnado.general", "No such file"):
            assert fetch(make_app(root, Vanishing), "/static/robots.txt").code == 404

    @pytest.mark.parametrize("handler", [Static, "own"])
    def test_reading_ends_when_the_client_goes(self, memory, run, root, handler):
        finished: list[bool] = []

        class Gone(Static):
            def on_finish(self):
                finished.append(True)

        class Own(Gone):
            @classmethod
            def get_content(cls, abspath, start=None, end=None):
                for _ in range(1000):
                    yield bytes(1000)

            def get_content_size(self):
                return 1000 * 1000

        class Closing(memory.Connection):
            def write(self, chunk):
                done = super().write(chunk)
                if len(self.chunks) > 1:
                    done = asyncio.get_running_loop().create_future()
                    done.set_exception(StreamClosedError())
                    done.exception()  # looked at: the handler need not
                return done

        async def check() -> int:
            connection = Closing("http")
            app = make_app(root, Own if handler == "own" else Gone)
            delegate = app.start_request(object(), connection)
            headers = HTTPHeaders({"Host": "example.org"})
            delegate.headers_received(RequestStartLine("GET", "/static/large.bin", "HTTP/1.1"), headers)
            delegate.finish()
            await connection.ended
            return len(connection.chunks)

        assert run(check()) == 2
        assert finished == [True]
