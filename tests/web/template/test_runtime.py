from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gustnado.escape import xhtml_escape
from gustnado.web.template.runtime import BASE_NAMESPACE, encode_value, join, output, text, verbatim


class Shout(str):
    def __str__(self):
        return "wrong"


@pytest.mark.parametrize(
    ("value", "expected"), [("a", "a"), (b"\xc3\xa9", "é"), (1, "1"), (None, "None"), ([1], "[1]")]
)
def test_values_become_text(value, expected):
    assert text(value) == verbatim(value) == expected
    assert encode_value(value) == expected.encode()


def test_a_str_subclass_is_the_text_that_it_holds():
    assert join(["", text(Shout("right"))]) == b"right"
    assert encode_value(Shout("right")) == b"right"


def test_bytes_that_are_not_utf8():
    assert verbatim(b"\xff") == b"\xff"
    assert encode_value(b"\xff") == b"\xff"
    with pytest.raises(UnicodeDecodeError):
        text(b"\xff")


@pytest.mark.parametrize("value", [None, 1, ["a"]])
def test_functions_must_return_text(value):
    with pytest.raises(TypeError, match="must return str or bytes"):
        output(value)


def test_join_escapes_at_odd_places_only():
    assert join(["<a>", "<b>", "<c>", "d'"]) == b"<a>&lt;b&gt;<c>d&#x27;"


def test_join_of_nothing():
    assert join([]) == b""
    assert join(["", ""]) == b""


def test_join_lets_bytes_through():
    assert join([b"\xff<", "&", "é", ""]) == b"\xff<&amp;" + "é".encode()


@given(
    st.lists(
        st.tuples(st.text(st.characters(codec="utf-8")), st.text(alphabet=st.sampled_from("ab<>&\"'\0é;")))
    )
)
@settings(deadline=None, max_examples=200)
def test_join_equals_escaping_each_value(pairs):
    expected = "".join(before + xhtml_escape(value) for before, value in pairs)
    assert join([piece for pair in pairs for piece in pair]) == expected.encode()


def test_the_documented_names_are_there():
    names = {"escape", "xhtml_escape", "url_escape", "json_encode", "squeeze", "linkify", "datetime"}
    assert names | {"_tt_utf8", "_tt_string_types"} <= set(BASE_NAMESPACE)
