"""ResponseWriter: what leaves is well-formed, or does not leave."""

from __future__ import annotations

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gustnado.errors import HTTPOutputError
from gustnado.http.h1.writer import REASONS, ResponseWriter, check_reason, informational, refusal
from gustnado.http.headers import HTTPHeaders

DATE = "Mon, 23 Nov 2026 18:35:42 GMT"


def begun(is_head: bool = False, http11: bool = True, keep_alive: bool = True) -> ResponseWriter:
    writer = ResponseWriter()
    writer.begin(is_head, http11, keep_alive)
    return writer


def lines(head: bytes) -> list[str]:
    return head.decode("latin-1").split("\r\n")[:-2]


def test_with_a_length() -> None:
    writer = begun()
    assert lines(writer.head(200, "", HTTPHeaders({"Content-Length": "2"}), DATE)) == [
        "HTTP/1.1 200 OK", "Content-Length: 2", f"Date: {DATE}",
    ]  # fmt: skip
    assert writer.data(b"h") + writer.data(b"i") + writer.end() == b"hi"
    assert writer.keep_alive


def test_without_a_length_chunks_for_http11() -> None:
    writer = begun()
    assert "Transfer-Encoding: chunked" in lines(writer.head(200, "", HTTPHeaders(), DATE))
    assert writer.data(b"x" * 17) + writer.data(b"") + writer.end() == b"11\r\n" + b"x" * 17 + b"\r\n0\r\n\r\n"


def test_trailers_end_a_chunked_body() -> None:
    writer = begun()
    writer.head(200, "", HTTPHeaders(), DATE)
    assert writer.end(HTTPHeaders({"Digest": "abc"})) == b"0\r\nDigest: abc\r\n\r\n"


def test_without_a_length_http10_gets_the_end_of_the_connection() -> None:
    writer = begun(http11=False)
    head = lines(writer.head(200, "", HTTPHeaders(), DATE))
    assert "Connection: close" in head
    assert not [line for line in head if line.startswith("Transfer-Encoding")]
    assert (writer.data(b"hi") + writer.end(), writer.keep_alive) == (b"hi", False)


def test_http10_is_told_that_it_is_kept() -> None:
    assert "Connection: Keep-Alive" in lines(
        begun(http11=False).head(200, "", HTTPHeaders({"Content-Length": "0"}), DATE)
    )


def test_row_76_close_is_announced_and_honoured() -> None:
    assert "Connection: close" in lines(
        begun(keep_alive=False).head(200, "", HTTPHeaders({"Content-Length": "0"}), DATE)
    )
    writer = begun()
    writer.head(200, "", HTTPHeaders({"Content-Length": "0", "Connection": "Close"}), DATE)
    assert writer.keep_alive is False


@pytest.mark.parametrize("code", [204, 304])
def test_row_71_no_body_where_none_may_be(code: int) -> None:
    writer = begun()
    assert not [
        line for line in lines(writer.head(code, "", HTTPHeaders(), DATE)) if line.startswith(("Content-", "Tr"))
    ]
    with pytest.raises(HTTPOutputError, match="no body"):
        writer.data(b"x")
    assert writer.end() == b""
    assert writer.keep_alive


def test_row_71_head_keeps_the_length_and_loses_the_body() -> None:
    writer = begun(is_head=True)
    assert "Content-Length: 5" in lines(writer.head(200, "", HTTPHeaders({"Content-Length": "5"}), DATE))
    assert writer.data(b"hello") + writer.end() == b""


def test_row_71_no_length_on_204() -> None:
    with pytest.raises(HTTPOutputError, match="204"):
        begun().head(204, "", HTTPHeaders({"Content-Length": "0"}), DATE)


def test_row_72_more_than_the_length_is_refused() -> None:
    writer = begun()
    writer.head(200, "", HTTPHeaders({"Content-Length": "2"}), DATE)
    with pytest.raises(HTTPOutputError, match="more data than Content-Length"):
        writer.data(b"hi!")


def test_row_72_less_than_the_length_ends_the_connection() -> None:
    writer = begun()
    writer.head(200, "", HTTPHeaders({"Content-Length": "2"}), DATE)
    writer.data(b"h")
    with pytest.raises(HTTPOutputError, match="1 bytes less"):
        writer.end()
    assert (writer.ended, writer.keep_alive) == (True, False)


@pytest.mark.parametrize("length", ["", "-1", "+1", "1, 1", "x", "9" * 19])
def test_a_malformed_length_is_refused(length: str) -> None:
    with pytest.raises(HTTPOutputError, match="Content-Length"):
        begun().head(200, "", HTTPHeaders({"Content-Length": length}), DATE)


def test_two_lengths_are_refused() -> None:
    headers = HTTPHeaders({"Content-Length": "1"})
    headers.add("Content-Length", "1")
    with pytest.raises(HTTPOutputError, match="Content-Length"):
        begun().head(200, "", headers, DATE)


def test_row_73_transfer_encoding_is_the_servers() -> None:
    with pytest.raises(HTTPOutputError, match="Transfer-Encoding"):
        begun().head(200, "", HTTPHeaders({"Transfer-Encoding": "chunked"}), DATE)


@pytest.mark.parametrize("reason", ["a\r\nb: c", "a\nb", "a\x00", "\u20ac"])
def test_row_69_a_reason_cannot_break_the_line(reason: str) -> None:
    with pytest.raises(HTTPOutputError, match="reason"):
        begun().head(200, reason, HTTPHeaders(), DATE)
    with pytest.raises(ValueError, match="reason"):
        check_reason(reason)


def test_row_74_a_head_is_written_once() -> None:
    writer = begun()
    writer.head(200, "", HTTPHeaders(), DATE)
    with pytest.raises(HTTPOutputError, match="already"):
        writer.head(500, "", HTTPHeaders(), DATE)


def test_order_is_head_body_end() -> None:
    writer = begun()
    with pytest.raises(HTTPOutputError):
        writer.data(b"x")
    with pytest.raises(HTTPOutputError):
        writer.end()
    writer.head(200, "", HTTPHeaders(), DATE)
    writer.end()
    with pytest.raises(HTTPOutputError):
        writer.data(b"x")
    with pytest.raises(HTTPOutputError, match="already"):
        writer.end()


@pytest.mark.parametrize("code", [0, 99, 199, 1000])
def test_only_final_statuses(code: int) -> None:
    with pytest.raises(HTTPOutputError, match="final"):
        begun().head(code, "x", HTTPHeaders(), DATE)


def test_unusual_statuses_and_reasons() -> None:
    assert lines(begun().head(200, "Fine", HTTPHeaders(), DATE))[0] == "HTTP/1.1 200 Fine"
    assert lines(begun().head(299, "", HTTPHeaders(), DATE))[0] == "HTTP/1.1 299 Unknown"


def test_a_date_of_the_programs_own_is_kept() -> None:
    head = lines(begun().head(200, "", HTTPHeaders({"Date": "now"}), DATE))
    assert [line for line in head if line.startswith("Date")] == ["Date: now"]


def test_informational() -> None:
    assert informational(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert informational(103, HTTPHeaders({"Link": "</a>"})) == b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"


@settings(max_examples=200, deadline=None)
@given(
    code=st.sampled_from(sorted(code for code in REASONS if code >= 200)),
    pieces=st.lists(st.binary(max_size=50), max_size=5),
    with_length=st.booleans(),
    method=st.sampled_from(["GET", "HEAD"]),
    http11=st.booleans(),
    keep_alive=st.booleans(),
)
def test_h11_reads_what_was_written(
    code: int, pieces: list[bytes], with_length: bool, method: str, http11: bool, keep_alive: bool
) -> None:
    bodiless = code in (204, 304)
    body = b"" if bodiless else b"".join(pieces)
    headers = HTTPHeaders({"X": "y"})
    if with_length and not bodiless:
        headers["Content-Length"] = str(len(body))
    writer = begun(method == "HEAD", http11, keep_alive)
    wire = writer.head(code, "", headers, DATE)
    wire += b"".join([writer.data(piece) for piece in pieces if not bodiless]) + writer.end()

    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method=method, target="/", headers=[("Host", "h")]))
    client.send(h11.EndOfMessage())
    client.receive_data(wire)
    if not writer.keep_alive:
        client.receive_data(b"")
    response = client.next_event()
    assert isinstance(response, h11.Response)
    assert (response.status_code, dict(response.headers)[b"x"]) == (code, b"y")
    told = b""
    while isinstance(event := client.next_event(), h11.Data):
        told += event.data
    assert isinstance(event, h11.EndOfMessage)
    assert told == (b"" if method == "HEAD" else body)


def test_a_refusal_is_a_whole_response() -> None:
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="GET", target="/", headers=[("Host", "h")]))
    client.send(h11.EndOfMessage())
    client.receive_data(refusal(431, DATE))
    response = client.next_event()
    assert isinstance(response, h11.Response)
    assert response.status_code == 431
    assert dict(response.headers)[b"connection"] == b"close"
    body = client.next_event()
    assert isinstance(body, h11.Data)
    assert body.data == b"431 Request Header Fields Too Large\n"
