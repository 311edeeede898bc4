from __future__ import annotations

import gzip

import pytest

from gustnado.http.content_decoding import decoder_for
from gustnado.http.content_encoding import preferred_coding
from gustnado.http.headers import HTTPHeaders
from gustnado.http.messages import HTTPServerRequest
from gustnado.web import Application, ContentEncoding, GZipContentEncoding, OutputTransform, RequestHandler

TEXT = b"hello wind" + b"!" * 1024


def transform(accept: str | None = "gzip") -> GZipContentEncoding:
    headers = HTTPHeaders() if accept is None else HTTPHeaders({"Accept-Encoding": accept})
    return GZipContentEncoding(HTTPServerRequest("GET", "/", headers=headers))


def first(
    chunk: bytes = TEXT,
    *,
    status: int = 200,
    finishing: bool = True,
    accept: str | None = "gzip",
    **fields: str,
):
    headers = HTTPHeaders({"Content-Type": "text/html; charset=UTF-8"})
    for name, value in fields.items():
        headers[name.replace("_", "-")] = value
    return transform(accept).transform_first_chunk(status, headers, chunk, finishing)


def test_the_base_changes_nothing():
    base = OutputTransform(HTTPServerRequest("GET", "/"))
    headers = HTTPHeaders()
    assert base.transform_first_chunk(200, headers, b"x", True) == (200, headers, b"x")
    assert base.transform_chunk(b"y", True) == b"y"


def test_row_79_text_is_compressed():
    status, headers, chunk = first(Content_Length=str(len(TEXT)))
    assert status == 200
    assert gzip.decompress(chunk) == TEXT
    assert headers["Content-Encoding"] == "gzip"
    assert headers["Vary"] == "Accept-Encoding"
    assert headers["Content-Length"] == str(len(chunk))


def test_pieces_are_readable_as_they_come():
    import zlib

    encoder = transform()
    headers = HTTPHeaders({"Content-Type": "text/plain", "Content-Length": "99"})
    reader = zlib.decompressobj(31)
    _, headers, chunk = encoder.transform_first_chunk(200, headers, b"one", False)
    assert "Content-Length" not in headers
    assert reader.decompress(chunk) == b"one"
    assert reader.decompress(encoder.transform_chunk(b"two", False)) == b"two"
    assert reader.decompress(encoder.transform_chunk(b"three", True)) == b"three"
    assert reader.eof


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"accept": None}, "not asked for"),
        ({"accept": "gzip;q=0"}, "refused"),
        ({"chunk": b"short"}, "short"),
        ({"Content_Type": "image/png"}, "compressed by itself"),
        ({"Content_Encoding": "br"}, "has a coding"),
        ({"status": 206, "Content_Range": "bytes 0-1033/9999"}, "a part"),
        ({"Content_Range": "bytes 0-1033/9999"}, "a part"),
        ({"status": 304, "chunk": b""}, "no content"),
        ({"status": 204, "chunk": b"", "finishing": False}, "no content"),
    ],
)
def test_others_are_left_alone(options, why):
    _, headers, chunk = first(**options)
    assert chunk == options.get("chunk", TEXT)
    assert headers.get("Content-Encoding") == options.get("Content_Encoding")
    assert headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=UTF-8", "image/svg+xml", "Text/Plain", "text/x"]
)
def test_more_than_text_is_compressed(content_type):
    assert first(Content_Type=content_type)[1]["Content-Encoding"] == "gzip"


@pytest.mark.parametrize(
    ("vary", "wanted"),
    [
        ("Accept-Language", "Accept-Language, Accept-Encoding"),
        ("accept-encoding", "accept-encoding"),
        ("*", "*"),
    ],
)
def test_row_79_vary_is_added_to(vary, wanted):
    assert first(Vary=vary)[1]["Vary"] == wanted


def test_a_strong_etag_becomes_weak():
    assert first(Etag='"x"')[1]["Etag"] == 'W/"x"'
    assert first(Etag='W/"x"')[1]["Etag"] == 'W/"x"'
    assert first(Etag='"x"', accept=None)[1]["Etag"] == '"x"'


@pytest.mark.parametrize("accept", ["gzip, br, zstd", "gzip, br;q=0.5, zstd;q=0.9", "zstd", "deflate"])
def test_the_coding_is_the_one_that_the_client_likes_best(accept):
    coding = preferred_coding(accept, ["br", "zstd", "gzip"])
    headers = HTTPHeaders({"Content-Type": "text/html"})
    request = HTTPServerRequest("GET", "/", headers=HTTPHeaders({"Accept-Encoding": accept}))
    _, headers, chunk = ContentEncoding(request).transform_first_chunk(200, headers, TEXT, True)
    assert headers.get("Content-Encoding") == coding
    if coding is not None:
        decoder = decoder_for(coding)
        assert decoder is not None
        decoder.feed(chunk)
        assert decoder.read(10_000) == TEXT
        decoder.finish()
    assert headers["Vary"] == "Accept-Encoding"


def test_what_must_not_be_transformed_is_not():
    assert "Content-Encoding" not in first(Cache_Control="private, No-Transform")[1]


def test_in_an_application(fetch):
    class Handler(RequestHandler):
        def get(self):
            self.add_header("Vary", "Accept-Language")
            self.write(TEXT)

    app = Application([("/", Handler)], compress_response=True)
    response = fetch(app, "/", headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(response.body) == TEXT
    assert response.headers["Vary"] == "Accept-Language, Accept-Encoding"
    etag = response.headers["Etag"]
    assert etag.startswith("W/")
    assert fetch(app, "/", headers={"Accept-Encoding": "gzip", "If-None-Match": etag}).code == 304
    assert fetch(app, "/").body == TEXT
