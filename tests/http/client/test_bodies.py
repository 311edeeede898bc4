"""Bodies made of data; what is encoded is read back by the server's own parsers."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.http.client.bodies import encode_form, encode_json, encode_multipart
from gustnado.http.client.errors import RequestError
from gustnado.http.forms import parse_body_arguments


def read_back(body, content_type):
    arguments, files = {}, {}
    parse_body_arguments(content_type, body, arguments, files)
    return arguments, files


def test_json():
    body, content_type = encode_json({"ä": [1, None, True]})
    assert json.loads(body) == {"ä": [1, None, True]}
    assert content_type == "application/json"
    with pytest.raises(TypeError):
        encode_json(object())


TEXTS = st.text(min_size=1, max_size=8)


@given(st.dictionaries(TEXTS, st.lists(TEXTS, min_size=1, max_size=3), max_size=4))
def test_forms(fields):
    arguments, _ = read_back(*encode_form(fields))
    # Names of arguments are Latin-1 to the server, as they are to Tornado.
    expected = {name.encode().decode("latin-1"): [value.encode() for value in fields[name]] for name in fields}
    assert arguments == expected


def test_forms_of_pairs_and_numbers():
    assert encode_form([("a", 1), ("a", [2, b"\xff"])])[0] == b"a=1&a=2&a=%FF"


def test_multipart():
    files = [("f", ("a.txt", b"one", "text/plain")), ("f", b"two"), ("g", ("b", bytearray(b"three")))]
    arguments, found = read_back(*encode_multipart({"x": ["1", 2], "y": b"\xff"}, files))
    assert arguments == {"x": [b"1", b"2"], "y": [b"\xff"]}
    assert [(one.filename, one.body, one.content_type) for one in found["f"]] == [
        ("a.txt", b"one", "text/plain"),
        ("f", b"two", "application/octet-stream"),
    ]
    assert found["g"][0].body == b"three"


def test_names_cannot_break_out():
    body, _ = encode_multipart({'a"\r\nX: y': "1"}, {"f": ('q"\r\n\0.txt', b"")}, "b")
    assert b'name="a%22%0D%0AX: y"\r\n\r\n' in body
    assert b'filename="q%22%0D%0A%00.txt"' in body


@pytest.mark.parametrize("content_type", ["a/b\r\nX: y", "", "é", "a\0"])
def test_content_types_cannot_break_out(content_type):
    with pytest.raises(RequestError, match="content type of 'f'"):
        encode_multipart(None, {"f": ("x", b"", content_type)})


@pytest.mark.parametrize("value", ["text", ("x",), ("x", "text"), (1, b""), ("x", b"", "a/b", 1), None, 5])
def test_files_that_are_none(value):
    with pytest.raises(RequestError, match="'f' must be bytes"):
        encode_multipart(None, {"f": value})


def test_boundaries_are_random():
    assert encode_multipart(None, {})[1] != encode_multipart(None, {})[1]


@given(st.binary(max_size=100), st.text(max_size=10))
def test_any_content_comes_through(data, text):
    arguments, files = read_back(*encode_multipart({"t": text}, {"f": ("n", data)}))
    assert files["f"][0].body == data
    assert arguments.get("t", [b""]) == [text.encode()] or text.strip() == ""
