"""What is said of a static file; the whole handler is in test_static.py."""

from __future__ import annotations

import datetime

import pytest

from gustnado.http.headers import HTTPHeaders
from gustnado.http.messages import HTTPServerRequest, RequestStartLine
from gustnado.http.ranges import ByteRange
from gustnado.web import Application
from gustnado.web.static_response import StaticResponse

DATE = datetime.datetime(2026, 1, 1)  # naive, as a subclass may give it
HTTP_DATE = "Thu, 01 Jan 2026 00:00:00 GMT"
ETAG = '"' + "ab" * 32 + '"'


class Said(StaticResponse):
    """Content that is only said to be there."""

    absolute_path = "gust.txt"
    path = "gust.txt"
    modified = DATE

    def compute_etag(self):
        return ETAG


def start(size=100, target="/", **headers):
    fields = HTTPHeaders({name.replace("_", "-"): value for name, value in headers.items()})
    start_line = RequestStartLine("GET", target, "HTTP/1.1")
    handler = Said(Application(), HTTPServerRequest(start_line=start_line, headers=fields))
    return handler, handler._start_response(size)


def test_all_of_it():
    handler, parts = start()
    assert parts == [ByteRange(0, 100)]
    assert handler.get_status() == 200
    fields = dict(handler._headers.get_all())
    assert (fields["Etag"], fields["Last-Modified"], fields["Content-Type"]) == (ETAG, HTTP_DATE, "text/plain")
    assert (fields["Accept-Ranges"], fields["Content-Length"]) == ("bytes", "100")
    assert "Cache-Control" not in fields


def test_several_parts():
    handler, parts = start(Range="bytes=0-1,4-5")
    assert parts == [ByteRange(0, 2), ByteRange(4, 6)]
    assert handler._headers["Content-Type"] == f"multipart/byteranges; boundary={'ab' * 20}"
    assert handler._headers["Content-Length"] == str(len(handler._multipart))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If_Match": ETAG}, 200),
        ({"If_Match": '"other"'}, 412),
        ({"If_Match": '"other"', "If_None_Match": ETAG}, 412),
        ({"If_None_Match": ETAG}, 304),
        ({"If_None_Match": f"W/{ETAG}"}, 304),
        ({"If_None_Match": '"other"', "If_Modified_Since": HTTP_DATE}, 200),
        ({"If_Modified_Since": HTTP_DATE}, 304),
        ({"If_Unmodified_Since": HTTP_DATE}, 200),
        ({"If_Unmodified_Since": "Wed, 31 Dec 2025 23:59:59 GMT"}, 412),
        ({"If_Unmodified_Since": "Wed, 31 Dec 2025 23:59:59 GMT", "If_Match": "*"}, 200),
        ({"Range": "bytes=0-1"}, 206),
        ({"Range": "bytes=0-1", "If_Range": ETAG}, 206),
        ({"Range": "bytes=0-1", "If_Range": f"W/{ETAG}"}, 200),
        ({"Range": "bytes=0-1", "If_Range": HTTP_DATE}, 206),
        ({"Range": "bytes=100-"}, 416),
    ],
)
def test_150_conditions(headers, status):
    handler, parts = start(**headers)
    assert handler.get_status() == status
    assert bool(parts) is (status in (200, 206))


def test_a_version_may_be_kept_and_the_right_one_for_good():
    assert start(target="/?v=old")[0]._headers["Cache-Control"] == f"max-age={Said.CACHE_MAX_AGE}"
    assert start(target=f"/?v={ETAG[1:-1]}")[0]._headers["Cache-Control"].endswith(", immutable")


def test_what_is_not_the_content_is_not_kept():
    handler, _ = start(target="/?v=1", Range="bytes=100-")
    assert not {"Cache-Control", "Expires"} & set(handler._headers)
