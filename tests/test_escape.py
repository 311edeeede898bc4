"""Escaping and back, JSON of two spellings, query strings; compared with Tornado and the standard library."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import decimal
import enum
import html
import json
import subprocess
import sys
import tracemalloc
import urllib.parse
import uuid
from typing import NamedTuple

import pytest
import tornado.escape as oracle
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gustnado import escape
from gustnado.escape import (
    COMPACT_JSON,
    STANDARD_JSON,
    JSONCodec,
    json_decode,
    json_encode,
    json_encode_bytes,
    linkify,
    parse_qs_bytes,
    set_default_json,
    squeeze,
    to_unicode,
    url_escape,
    url_unescape,
    utf8,
    xhtml_escape,
    xhtml_unescape,
)
from gustnado.util import ObjectDict

quick = settings(deadline=None, max_examples=200)


class Text(str):
    """A subclass whose methods lie, as those of markup strings do."""

    def replace(self, *args, **kwargs):
        return "wrong"

    def __str__(self):
        return "wrong"


def memory_ratio(function, data):
    tracemalloc.start()
    try:
        function(data)
        return tracemalloc.get_traced_memory()[1] / len(data)
    finally:
        tracemalloc.stop()


class TestTextAndBytes:
    def test_utf8(self):
        assert utf8("\xe9") == b"\xc3\xa9"
        assert utf8(Text("a")) == b"a"
        assert utf8(None) is None
        value = b"\xff"
        assert utf8(value) is value

    def test_to_unicode(self):
        assert to_unicode(b"\xc3\xa9") == "\xe9"
        assert to_unicode(None) is None
        value = "\xe9"
        assert to_unicode(value) is value
        assert escape.unicode_type is escape.basestring_type is str
        assert escape.native_str is escape.to_basestring is escape._unicode is to_unicode

    def test_nothing_is_not_html(self):
        with pytest.raises(TypeError, match="expected str or bytes, not None"):
            escape.xhtml_escape(None)

    @pytest.mark.parametrize("function", [utf8, to_unicode])
    @pytest.mark.parametrize("value", [1, ["a"], bytearray(b"a"), object])
    def test_anything_else_is_a_type_error(self, function, value):
        with pytest.raises(TypeError, match="expected str, bytes or None"):
            function(value)

    def test_bytes_that_are_no_text(self):
        with pytest.raises(UnicodeDecodeError):
            to_unicode(b"\xff")

    def test_recursive_unicode(self):
        value = {b"a": [b"b", (b"c", 1)], "d": None}
        assert escape.recursive_unicode(value) == {"a": ["b", ("c", 1)], "d": None}
        assert escape.recursive_unicode(b"x") == "x"


class TestXHTML:
    @quick
    @given(st.text() | st.text(alphabet="&<>\"'x;#3\xe9"))
    def test_as_the_standard_library_and_back(self, text):
        assert xhtml_escape(text) == html.escape(text)
        assert xhtml_unescape(xhtml_escape(text)) == text

    def test_bytes_are_utf8(self):
        assert xhtml_escape(b"<\xc3\xa9>") == "&lt;\xe9&gt;"
        assert xhtml_unescape(b"&lt;\xc3\xa9") == "<\xe9"

    def test_nothing_to_escape_costs_no_copy(self):
        text = "plain text"
        assert xhtml_escape(text) is text

    def test_subclasses_become_plain_text(self):
        escaped = xhtml_escape(Text("<b>"))
        assert escaped == "&lt;b&gt;"
        assert type(escaped) is str

    def test_what_is_no_text_is_refused(self):
        with pytest.raises(TypeError):
            xhtml_escape(1)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("escaped", "text"),
        [
            ("foo&#32;bar", "foo bar"),
            ("foo&#x20;bar", "foo bar"),
            ("foo&#X20;bar", "foo bar"),
            ("&#xabc;", "\u0abc"),
            ("&#xyz;", "&#xyz;"),
            ("&#;&#x;", "&#;&#x;"),
            ("&eacute;&amp;amp;", "\xe9&amp;"),
            ("&#0000000065;&#000000000;", "A\ufffd"),
            ("&#99999999;&#65", "\ufffdA"),
            ("&#" + "9" * 10_000 + ";x", "\ufffdx"),
            ("&#x" + "9" * 10_000 + ";x", "\ufffdx"),
            ("&#" + "0" * 10_000 + "65;", "A"),
        ],
    )
    def test_references(self, escaped, text):
        assert xhtml_unescape(escaped) == text


@quick
@given(st.text(alphabet="a \t\n\r\0\x1f\xa0\u3000"))
def test_squeeze(text):
    assert squeeze(text) == oracle.squeeze(text)


class TestLinkify:
    WORDS = (
        """http: https: / // www. ftp:// a - _ . & < " ' ( ) ; amp quot \xe9 ? ! javascript: w : x.com 0"""
    )
    ALPHABET = st.sampled_from([*WORDS.split(), " ", "\n"])
    TEXT = st.lists(ALPHABET, max_size=25).map("".join)

    @settings(deadline=None, max_examples=400)
    @given(TEXT, st.booleans(), st.booleans())
    @example("a-http://x www.", False, False)
    @example("http:///", False, False)
    @example("http://x.com/a(b)&amp;", True, False)
    def test_the_same_as_ever(self, text, shorten, require_protocol):
        assert linkify(text, shorten, "", require_protocol) == oracle.linkify(
            text, shorten, "", require_protocol
        )

    @settings(deadline=None, max_examples=300)
    @given(TEXT.map(lambda text: f"http://{text}"), st.integers(0, 60))
    def test_shortened_the_same_as_ever(self, text, padding):
        text = text.replace(" ", "y") + "/" + "z" * padding
        assert linkify(text, shorten=True) == oracle.linkify(text, shorten=True)

    def test_only_permitted_protocols(self):
        text = "javascript:/alert(1) ftp://a http://b"
        assert linkify(text).count("<a ") == 1
        assert linkify(text, permitted_protocols={"ftp"}) == (
            'javascript:/alert(1) <a href="ftp://a">ftp://a</a> http://b'
        )

    def test_no_way_out_of_the_attribute(self):
        assert linkify("http://a/\"onclick='x'<b>") == (
            '<a href="http://a/&quot;onclick">http://a/&quot;onclick</a>=&#x27;x&#x27;&lt;b&gt;'
        )

    def test_attributes_of_the_program(self):
        link = '<a href="http://www.a.com" rel="nofollow">www.a.com</a>'
        assert linkify("www.a.com", extra_params=' rel="nofollow" ') == link
        assert linkify("www.a.com", extra_params=lambda href: f'rel="{"nofollow" if href else ""}"') == link
        assert (
            linkify(b"www.a.com", extra_params=lambda href: "") == '<a href="http://www.a.com">www.a.com</a>'
        )

    def test_a_shortened_link_tells_all_in_its_title(self):
        url = "http://reallylong.com/link/that/exceedsthelenglimit.html"
        assert linkify(url, shorten=True) == (
            f'<a href="{url}" title="{url}">http://reallylong.com/link...</a>'
        )

    @pytest.mark.parametrize(
        "text",
        [
            "a-" * 100_000,
            "a-" * 100_000 + ":",
            "-" * 200_000 + "http://x",
            "http://x" + "(a)" * 60_000,
            "http://x" + "(" * 200_000,
            "http://" + "." * 200_000,
            "http://" + "&" * 40_000,
            "www.(" * 40_000,
            "http:/" * 40_000,
            "a:/ " * 50_000,
        ],
        ids=lambda text: text[:10],
    )
    def test_hostile_text_is_read_once(self, text):
        """In a process that is ended after a minute: a pattern that tried each place would take hours."""
        program = f"from gustnado.escape import linkify; print(len(linkify({text!r})))"
        done = subprocess.run(
            [sys.executable, "-"], input=program, capture_output=True, text=True, timeout=60
        )
        assert int(done.stdout) >= len(text)

    @pytest.mark.parametrize(
        "text", ["www.a " * 10_000, "http://x" + "(a)" * 20_000, "http://" + "a" * 60_000]
    )
    def test_memory_is_a_small_multiple_of_the_text(self, text):
        assert memory_ratio(linkify, text) < 30


class Pair(NamedTuple):
    a: int
    b: int


class Shade(enum.Enum):
    DARK = "dark"


class Level(enum.IntEnum):
    LOW = 1


class MyInt(int):
    pass


class MyFloat(float):
    pass


@dataclasses.dataclass
class Point:
    x: int
    y: object


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=20,
)


@pytest.fixture
def default_codec():
    previous = set_default_json(COMPACT_JSON)
    yield
    set_default_json(previous)


class TestJSONEncode:
    @quick
    @given(JSON)
    def test_compact_is_read_by_all(self, value):
        encoded = COMPACT_JSON.encode(value)
        assert json.loads(encoded) == value
        assert COMPACT_JSON.decode(encoded) == COMPACT_JSON.decode(encoded.decode()) == value

    @quick
    @given(JSON)
    def test_standard_is_that_of_the_standard_library(self, value):
        assert STANDARD_JSON.encode(value) == json.dumps(value).encode()
        assert COMPACT_JSON.decode(STANDARD_JSON.encode(value)) == value

    @quick
    @given(JSON)
    def test_json_encode_under_as_tornado_is_tornados(self, value):
        previous = set_default_json(STANDARD_JSON)
        try:
            assert json_encode(value) == oracle.json_encode(value)
        finally:
            set_default_json(previous)

    def test_spelling(self):
        value = {"a": [1, 2.0, None, True], "\u20ac": "\x00\x7f"}
        assert COMPACT_JSON.encode(value) == '{"a":[1,2.0,null,true],"\u20ac":"\\u0000\x7f"}'.encode()
        assert STANDARD_JSON.encode(value) == (b'{"a": [1, 2.0, null, true], "\\u20ac": "\\u0000\\u007f"}')

    @pytest.mark.parametrize("codec", [COMPACT_JSON, STANDARD_JSON])
    def test_a_script_element_is_not_ended(self, codec):
        assert json_encode_bytes("</script></", codec) == b'"<\\/script><\\/"'
        assert json.loads(json_encode_bytes("</script>", codec)) == "</script>"

    @pytest.mark.usefixtures("default_codec")
    def test_the_default_can_be_chosen_for_the_process(self):
        class Shouting(JSONCodec):
            def encode(self, value):
                return b'"</' + str(value).upper().encode() + b'"'

            def decode(self, data):
                return "decoded"

        previous = set_default_json(Shouting())
        assert previous is COMPACT_JSON
        assert json_encode("hey") == '"<\\/HEY"'
        assert json_decode("anything") == "decoded"
        assert json_encode_bytes([1, 2], STANDARD_JSON) == b"[1, 2]"

    def test_a_codec_says_what_it_does(self):
        with pytest.raises(NotImplementedError):
            JSONCodec().encode(1)
        with pytest.raises(NotImplementedError):
            JSONCodec().decode("1")

    @pytest.mark.parametrize(
        "value",
        [
            {1: 2, 1.5: 2},
            {None: 1, True: 2, False: 3},
            {"s": Text("a"), "i": MyInt(3), "f": MyFloat(1.5), "l": Level.LOW},
            {MyInt(3): 1, Text("k"): 2, Level.LOW: 3},
            ObjectDict(a=ObjectDict(b=1)),
            collections.OrderedDict(b=1, a=2),
            collections.defaultdict(int, a=1),
            Pair(1, 2),
            (1, (2, [])),
            "\ud800",
            {"\udfff": "\ud83d\ude00"},
            [2**64, -(2**63), 2**200],
            1e300,
            "",
        ],
        ids=repr,
    )
    def test_what_the_standard_library_takes_compact_takes_too(self, value):
        assert json.loads(COMPACT_JSON.encode(value)) == json.loads(json.dumps(value))

    def test_what_only_compact_takes(self):
        value = {
            "when": datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=datetime.UTC),
            "id": uuid.UUID(int=1),
            "price": decimal.Decimal("1.50"),
            "raw": b"\xff\x00",
            "shade": Shade.DARK,
            "tags": {"a"},
            "at": Point(1, None),
        }
        expected = {
            "when": "2024-01-02T03:04:05Z",
            "id": "00000000-0000-0000-0000-000000000001",
            "price": "1.50",
            "raw": "/wA=",
            "shade": "dark",
            "tags": ["a"],
            "at": {"x": 1, "y": None},
        }
        assert json.loads(COMPACT_JSON.encode(value)) == expected
        # The same where one key makes the standard library do it:
        assert json.loads(COMPACT_JSON.encode({None: value})) == {"null": expected}
        for item in value.values():
            with pytest.raises(TypeError):
                STANDARD_JSON.encode(item)

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
    def test_what_is_no_number_in_json(self, value):
        assert COMPACT_JSON.encode([value]) == b"[null]"
        assert COMPACT_JSON.encode({None: (value, 1.5)}) == b'{"null":[null,1.5]}'
        assert STANDARD_JSON.encode([value]) == json.dumps([value]).encode()

    @pytest.mark.parametrize("codec", [COMPACT_JSON, STANDARD_JSON])
    @pytest.mark.parametrize("value", [object(), {(1, 2): 3}, {None: object()}, range(3), iter([])], ids=repr)
    def test_what_has_no_form_is_a_type_error(self, codec, value):
        with pytest.raises(TypeError):
            codec.encode(value)

    @pytest.mark.parametrize("codec", [COMPACT_JSON, STANDARD_JSON])
    @pytest.mark.parametrize("key", ["key", None])
    def test_what_has_no_end_is_a_value_error(self, codec, key):
        circle: list[object] = []
        circle.append({key: circle})
        deep: object = None
        for _ in range(100_000):
            deep = {key: deep}
        for value in (circle, deep):
            with pytest.raises(ValueError, match=r"deep|itself|[Cc]ircular"):
                codec.encode(value)


class TestJSONDecode:
    @pytest.mark.parametrize("codec", [COMPACT_JSON, STANDARD_JSON])
    @pytest.mark.parametrize(
        ("data", "value"),
        [
            ('"\\ud83d\\ude00 \u20ac"', "\U0001f600 \u20ac"),
            ('{"a": 1, "b": 2, "a": 3}', {"a": 3, "b": 2}),
            (str(2**64), 2**64),
            (str(-(2**200)), -(2**200)),
            (" [1, 2.5e3, -0.0, null, true] \r\n", [1, 2500.0, -0.0, None, True]),
        ],
    )
    def test_values(self, codec, data, value):
        assert codec.decode(data) == codec.decode(data.encode()) == value

    @pytest.mark.parametrize("codec", [COMPACT_JSON, STANDARD_JSON])
    @pytest.mark.parametrize(
        "data",
        [
            "",
            " ",
            "nul",
            "[1,]",
            "{'a': 1}",
            '{"a" 1}',
            "[1] 2",
            '"\x01"',
            '"\\x"',
            "01",
            "\ufeff1",
            "[" * 50,
            "+1",
            "1" * 5000,
            "[" * 100_000,
            '{"a":' * 100_000,
            b"\xff",
            b'"\xff"',
            b'{"\xe9": 1}',
        ],
        ids=lambda data: repr(data[:8]),
    )
    def test_what_is_not_json_is_a_value_error(self, codec, data):
        with pytest.raises(ValueError):
            codec.decode(data)

    @pytest.mark.parametrize("data", ["NaN", "[Infinity]", "-Infinity", "1e999", '"\\ud800"'])
    def test_what_only_the_standard_library_reads(self, data):
        assert STANDARD_JSON.decode(data) is not None
        with pytest.raises(json.JSONDecodeError):
            COMPACT_JSON.decode(data)

    @pytest.mark.parametrize(
        ("data", "line", "column", "position"),
        [
            ('["\u20ac" x', 1, 6, 5),
            ("[1,\n2 3]", 2, 3, 6),
            ("", 1, 1, 0),
            (b'"a\xff"', 1, 3, 2),
            ('"a\ud800"', 1, 3, 2),
            ("[1", 1, 3, 2),
        ],
    )
    def test_an_error_tells_where(self, data, line, column, position):
        with pytest.raises(json.JSONDecodeError) as caught:
            COMPACT_JSON.decode(data)
        assert (caught.value.lineno, caught.value.colno, caught.value.pos) == (line, column, position)
        assert "byte" not in str(caught.value)

    def test_a_byte_order_mark_is_ignored_once(self):
        assert COMPACT_JSON.decode(b"\xef\xbb\xbf[1]") == [1]
        with pytest.raises(ValueError):
            COMPACT_JSON.decode(b"\xef\xbb\xbf" * 2 + b"[1]")
        with pytest.raises(ValueError):
            COMPACT_JSON.decode(b"\xef\xbb\xbf\xff")

    def test_what_is_no_text_is_a_type_error(self):
        for codec in (COMPACT_JSON, STANDARD_JSON):
            with pytest.raises(TypeError):
                codec.decode(1)  # type: ignore[arg-type]

    @quick
    @given(st.text(alphabet='[]{}",:019.eE+-tfn\\u \n\xe9') | st.binary())
    def test_it_raises_value_errors_only(self, data):
        try:
            value = json_decode(data)
        except ValueError:
            return
        assert COMPACT_JSON.decode(COMPACT_JSON.encode(value)) == value

    def test_json_decode_takes_both(self):
        assert json_decode(b'"\xc3\xa9"') == json_decode('"\xe9"') == "\xe9"


URL_BYTES = st.lists(
    st.sampled_from(
        [b"%", b"=", b"a", b"F", b"3D", b"25", b"0", b"z", b"+", b"&", b"\r", b"\n", b" ", b"\xff", b";"]
    ),
    max_size=12,
).map(b"".join)


class TestURLs:
    @quick
    @given(st.text(st.characters(exclude_categories=["Cs"])), st.booleans())
    def test_there_and_back(self, text, plus):
        escaped = url_escape(text, plus)
        assert escaped == oracle.url_escape(text, plus)
        assert url_unescape(escaped, plus=plus) == text
        assert url_unescape(escaped.encode(), None, plus) == text.encode()

    def test_bytes_are_escaped_as_they_are(self):
        assert url_escape(b"\xe9 /") == "%E9+%2F"
        assert url_escape(b"\xe9 /", plus=False) == "%E9%20/"

    @quick
    @given(
        st.text(alphabet="%+aF3Dz \xe9\u20ac&") | URL_BYTES.map(lambda data: data.decode("latin-1")),
        st.sampled_from(["utf-8", "latin-1", None]),
        st.booleans(),
    )
    def test_unescape_is_tornados(self, text, encoding, plus):
        assert url_unescape(text, encoding, plus) == oracle.url_unescape(text, encoding, plus)
        assert url_unescape(text.encode(), encoding, plus) == oracle.url_unescape(
            text.encode(), encoding, plus
        )

    @settings(deadline=None, max_examples=400)
    @given(URL_BYTES)
    def test_unquoting_is_that_of_the_standard_library(self, data):
        assert escape._unquote_to_bytes(data) == urllib.parse.unquote_to_bytes(data)

    @settings(deadline=None, max_examples=250)
    @given(URL_BYTES, st.booleans(), st.booleans(), st.none() | st.integers(0, 4))
    def test_query_strings_are_tornados(self, data, keep_blank, strict, limit):
        def outcome(module):
            try:
                return module.parse_qs_bytes(data, keep_blank, strict, max_num_fields=limit)
            except ValueError:
                return ValueError

        assert outcome(escape) == outcome(oracle)

    def test_query_strings(self):
        assert parse_qs_bytes("a=1&b=%41+%2B&a=2;x&&c&d=", keep_blank_values=True) == {
            "a": [b"1", b"2;x"],
            "b": [b"A +"],
            "c": [b""],
            "d": [b""],
        }
        assert parse_qs_bytes("%E9=%E9") == {"\xe9": [b"\xe9"]}
        assert parse_qs_bytes("") == {}

    def test_too_many_fields(self):
        assert len(parse_qs_bytes(b"a=1&b=2", max_num_fields=2)) == 2
        with pytest.raises(ValueError, match="more than 1 fields"):
            parse_qs_bytes(b"a=1&b=2", max_num_fields=1)

    def test_text_that_is_not_latin1(self):
        with pytest.raises(ValueError):
            parse_qs_bytes("a=\u20ac")

    @pytest.mark.parametrize("unit", [b"%41", b"%", b"a%41", b"%z", b"%3D", b"%\r", b"%25", b"=%"])
    def test_memory_is_a_small_multiple_of_the_query(self, unit):
        assert memory_ratio(parse_qs_bytes, b"a=" + unit * (200_000 // len(unit))) < 12


def test_importing_loads_nothing_slow():
    program = "import sys, gustnado.escape; print(sorted({'msgspec', 'html', 'asyncio'} & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "[]"
