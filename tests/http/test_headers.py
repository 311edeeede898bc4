"""HTTPHeaders: one spelling, many values, nothing that could not stand on the wire."""

from __future__ import annotations

import copy
import io
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gustnado.errors import HTTPInputError
from gustnado.http.headers import HeaderMap, HTTPHeaders, check_value, normalize_name


def test_names_in_any_case() -> None:
    headers = HTTPHeaders({"content-TYPE": "a/b"})
    assert headers["Content-type"] == headers.get("CONTENT-TYPE") == "a/b"
    assert "cOnTent-Type" in headers
    assert list(headers) == ["Content-Type"]
    del headers["CONTENT-type"]
    assert len(headers) == 0


def test_many_values() -> None:
    headers = HTTPHeaders()
    for value in "abc":
        headers.add("X-Letter", value)
    headers.add("y", "z")
    assert headers["x-letter"] == "a,b,c"
    assert headers.get("x-letter") == "a,b,c"
    assert headers.get_list("x-letter") == ["a", "b", "c"]
    assert list(headers.get_all()) == [("X-Letter", "a"), ("X-Letter", "b"), ("X-Letter", "c"), ("Y", "z")]
    headers["X-Letter"] = "d"
    assert headers.get_list("x-letter") == ["d"]


@pytest.mark.parametrize("values", [["a", "b"], ("a", b"b")])
def test_many_values_at_once(values) -> None:
    headers = HTTPHeaders({"X": values})
    assert headers.get_list("x") == ["a", "b"]
    headers["x"] = ["c"]
    assert headers.get_list("x") == ["c"]
    headers["x"] = []
    assert "x" not in headers


@pytest.mark.parametrize(("values", "error"), [(["a", "b\r\nC: d"], ValueError), (["a", 1], TypeError)])
def test_each_of_them_is_looked_at_before_one_is_set(values, error) -> None:
    headers = HTTPHeaders({"X": "a"})
    with pytest.raises(error):
        headers["X"] = values
    assert headers.get_list("X") == ["a"]


def test_the_list_is_a_copy() -> None:
    headers = HTTPHeaders({"A": "b"})
    headers.get_list("a").append("c")
    headers.add("a", "d")
    headers.get_list("a").append("c")
    assert headers.get_list("a") == ["b", "d"]


def test_what_is_missing() -> None:
    headers = HTTPHeaders()
    assert headers.get("x") is None
    assert headers.get("x", "y") == "y"
    assert headers.get_list("x") == []
    assert "x" not in headers
    assert "not a name" not in headers
    assert 5 not in headers  # type: ignore[comparison-overlap]
    with pytest.raises(KeyError):
        headers["x"]
    with pytest.raises(KeyError):
        del headers["x"]
    with pytest.raises(KeyError):
        del headers["not a name"]


def test_made_from_mappings_pairs_and_keywords() -> None:
    assert dict(HTTPHeaders({"a": "b"})) == {"A": "b"}
    assert dict(HTTPHeaders([("a", "b")])) == {"A": "b"}
    assert dict(HTTPHeaders(a="b")) == {"A": "b"}
    several = HTTPHeaders()
    several.add("a", "b")
    several.add("a", "c")
    assert HTTPHeaders(several).get_list("a") == ["b", "c"]


def test_copies_are_their_own() -> None:
    headers = HTTPHeaders({"A": "b"})
    headers.add("a", "c")
    for other in (
        headers.copy(),
        copy.copy(headers),
        copy.deepcopy(headers),
        pickle.loads(pickle.dumps(headers)),
    ):
        assert other == headers
        assert type(other) is HTTPHeaders
        other.add("a", "d")
        assert headers.get_list("a") == ["b", "c"]


class AsTornado(pickle.Unpickler):
    """Finds our class under Tornado's name, as it is under ``as_tornado``."""

    def find_class(self, module: str, name: str) -> Any:
        return (
            HTTPHeaders if (module, name) == ("tornado.httputil", "HTTPHeaders") else super().find_class(module, name)
        )


def test_a_pickle_of_tornados_can_be_read() -> None:
    """It makes an object without calling its class, and sets its state."""
    theirs = pytest.importorskip("tornado.httputil").HTTPHeaders({"A": "b"})
    theirs.add("Set-Cookie", "x")
    theirs.add("Set-Cookie", "y")
    headers = AsTornado(io.BytesIO(pickle.dumps(theirs))).load()
    assert type(headers) is HTTPHeaders
    assert list(headers.get_all()) == [("A", "b"), ("Set-Cookie", "x"), ("Set-Cookie", "y")]
    with pytest.raises(ValueError, match="Unsafe"):
        HTTPHeaders.__new__(HTTPHeaders).__setstate__({"_as_list": {"A": ["b\r\nc"]}})


def test_comparison() -> None:
    assert HTTPHeaders({"A": "b"}) == {"A": "b"}
    assert HTTPHeaders({"A": "b"}) != HTTPHeaders({"A": "c"})
    assert HTTPHeaders() != 5
    with pytest.raises(TypeError):
        hash(HTTPHeaders())


def test_mutable_mapping_methods() -> None:
    headers = HTTPHeaders({"A": "b"})
    assert headers.setdefault("a", "c") == "b"
    assert headers.pop("A") == "b"
    headers.update({"x": "y"}, z="0")
    assert dict(headers.items()) == {"X": "y", "Z": "0"}
    headers.clear()
    assert not headers


@pytest.mark.parametrize("name", ["", " a", "a b", "a:", "a\r", "\xe4", "a\x00", "(a)", "a" * 300 + "(", "a,b"])
def test_row_70_names_are_tokens(name: str) -> None:
    headers = HTTPHeaders()
    with pytest.raises(ValueError, match="not a header name"):
        headers[name] = "x"
    with pytest.raises(ValueError, match="not a header name"):
        headers.add(name, "x")
    assert len(headers) == 0


@pytest.mark.parametrize("value", ["a\r\nb", "a\nb", "a\rb", "\x00", "\x1b[2J", "\x7f", "\u20ac", "\u2028"])
def test_rows_69_and_t4_values_cannot_break_the_line(value: str) -> None:
    headers = HTTPHeaders()
    with pytest.raises(ValueError, match="Unsafe header value: X-Y "):
        headers["x-y"] = value
    with pytest.raises(ValueError, match="Unsafe header value: X-Y "):
        headers.add("x-y", value)
    with pytest.raises(ValueError):
        check_value("X-Y", value)
    assert len(headers) == 0


@pytest.mark.parametrize("value", ["", "a", "a\tb", "\xa0\xad\xff", " a "])
def test_values_that_may_be(value: str) -> None:
    assert HTTPHeaders({"a": value})["a"] == value


def test_fields_of_form_parts_may_hold_any_text_but_controls() -> None:
    headers = HTTPHeaders()
    headers.add("Content-Disposition", 'form-data; filename="\u20ac"', _chars_are_bytes=False)
    assert "\u20ac" in headers["content-disposition"]
    with pytest.raises(ValueError, match="control"):
        headers.add("A", "b\r\nc", _chars_are_bytes=False)


def test_parse() -> None:
    headers = HTTPHeaders.parse("Content-Type: text/html\r\nA:b\r\nA: \tc \r\n\r\n")
    assert list(headers.get_all()) == [("Content-Type", "text/html"), ("A", "b"), ("A", "c")]


@pytest.mark.parametrize("text", ["a", "a : b", " a: b", "a: b\r\n c", "a: b\n c", ": b", "a: \x00", "a: b\rc"])
def test_parse_refuses(text: str) -> None:
    with pytest.raises(HTTPInputError):
        HTTPHeaders.parse(text)


def test_str_and_repr() -> None:
    headers = HTTPHeaders({"A": "b"})
    headers.add("A", "c")
    assert str(headers) == "A: b\nA: c\n"
    assert repr(headers) == "HTTPHeaders([('A', 'b'), ('A', 'c')])"


def test_row_t22_a_name_repeated_is_linear(assert_linear) -> None:  # type: ignore[no-untyped-def]
    def make(size: int):  # type: ignore[no-untyped-def]
        lines = ["A: b"] * size
        return lambda: HTTPHeaders().read_lines(lines, 0)

    assert_linear(make, 1000)


def test_spelling() -> None:
    assert normalize_name("sec-websocket-KEY") == "Sec-Websocket-Key"
    assert normalize_name("ETAG") == "Etag"
    assert normalize_name("x" * 300) == "X" + "x" * 299


def test_the_compiled_half_is_enough_for_the_wire() -> None:
    fields = HeaderMap()
    fields.read_lines(["GET / HTTP/1.1", "A: b", "a: c"], 1)
    assert fields.to_wire() == "A: b\r\nA: c\r\n"


NAMES = st.text("!#$%&'*+-.^_`|~09azAZ", min_size=1, max_size=20)
VALUES = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters=[chr(i) for i in range(0x7F, 0x80)]),
    max_size=30,
)


@settings(max_examples=200, deadline=None)
@given(pairs=st.lists(st.tuples(NAMES, VALUES), max_size=10))
def test_what_is_written_is_what_is_read(pairs: list[tuple[str, str]]) -> None:
    headers = HTTPHeaders()
    for name, value in pairs:
        headers.add(name, value)
    wire = headers.to_wire()
    again = HTTPHeaders()
    again.read_lines(wire.split("\r\n")[:-1], 0)
    assert again == headers
    assert sum(len(headers.get_list(name)) for name in headers) == len(pairs)


def test_values_that_are_no_plain_strings() -> None:
    class Text(str):
        pass

    headers = HTTPHeaders({"A": Text("a")})
    headers["B"] = b"\xe4"  # type: ignore[assignment]
    headers.add("B", b"c")  # type: ignore[arg-type]
    assert dict(headers) == {"A": "a", "B": "\xe4,c"}
    for bad in (5, None, {"a"}):
        with pytest.raises(TypeError, match="header C: a value is str or bytes, not"):
            headers["C"] = bad  # type: ignore[assignment]
    with pytest.raises(ValueError, match="control character"):
        headers["C"] = b"a\r\nb"  # type: ignore[assignment]
