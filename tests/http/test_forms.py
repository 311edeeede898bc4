from __future__ import annotations

import dataclasses
from urllib.parse import parse_qsl, unquote_to_bytes, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gustnado.errors import HTTPInputError
from gustnado.http.forms import (
    HTTPFile,
    ParseBodyConfig,
    ParseMultipartConfig,
    ParseUrlEncodedConfig,
    parse_body_arguments,
    parse_multipart_form_data,
    parse_urlencoded,
    set_parse_body_config,
)
from gustnado.http.limits import Limits

URLENCODED = "application/x-www-form-urlencoded"
UPLOAD = (
    b"--b\r\n"
    b'Content-Disposition: form-data; name="files"; filename="ab.txt"\r\n'
    b"Content-Type: text/plain\r\n\r\n"
    b"Foo\r\n"
    b"--b\r\n"
    b'Content-Disposition: form-data; name="note"\r\n\r\n'
    b"hello\r\n"
    b"--b--\r\n"
)

# Pieces that meet at every edge of percent-decoding and field-splitting.
pieces = st.sampled_from(
    [bytes([code]) for code in b"%=&+a25;D_. \t\r\n\0\xff"]
    + [b"%41", b"%3d", b"%3D", b"%25", b"%26", b"%e9", b"%0A"]
)
bodies = st.lists(pieces, max_size=30).map(b"".join)


@pytest.fixture
def default_config():
    """Puts the process's default back after the test."""
    yield
    set_parse_body_config(ParseBodyConfig())


def parse(content_type, body, headers=None, config=None):
    arguments: dict[str, list[bytes]] = {}
    files: dict[str, list[HTTPFile]] = {}
    parse_body_arguments(content_type, body, arguments, files, headers, config=config)
    return arguments, files


class TestParseUrlencoded:
    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            (b"", {}),
            (b"a=1&b=2&a=3", {"a": [b"1", b"3"], "b": [b"2"]}),
            (b"a=b+c&d+e=f%20g", {"a": [b"b c"], "d e": [b"f g"]}),
            (b"a=%C3%A9&%C3%A9=b", {"a": [b"\xc3\xa9"], "\xc3\xa9": [b"b"]}),
            (b"a=&b&=c&=", {"a": [b""], "b": [b""], "": [b"c", b""]}),
            (b"&&a=1&&", {"a": [b"1"]}),
            (b"a=b=c%3Dd", {"a": [b"b=c=d"]}),
            (b"a=%2B%26", {"a": [b"+&"]}),
            (b"a=%&b=%2&c=%zz&d=%%41", {"a": [b"%"], "b": [b"%2"], "c": [b"%zz"], "d": [b"%A"]}),
            (b"a=%2541", {"a": [b"%41"]}),
            (b"a=%0D%0A%00", {"a": [b"\r\n\0"]}),
            (b"\xff=\xfe", {"\xff": [b"\xfe"]}),
        ],
    )
    def test_reads_fields(self, body, expected):
        assert parse_urlencoded(body, 100) == expected

    def test_T10_only_an_ampersand_separates(self):
        assert parse_urlencoded(b"a=1;b=2&c=3", 10) == {"a": [b"1;b=2"], "c": [b"3"]}

    @pytest.mark.parametrize("field", [b"&", b"a&", b"a=%41&"])
    def test_T33_140_fields_are_counted_before_the_body_is_split(self, field, assert_linear):
        def attempt(size):
            body = field * (1000 * size)

            def refuse():
                with pytest.raises(HTTPInputError) as caught:
                    parse_urlencoded(body, 1000)
                assert caught.value.status == 413

            return refuse

        assert_linear(attempt, 1)
        attempt(10_000)()

    def test_T33_the_limit_itself_is_allowed(self):
        body = b"&".join([b"a=1"] * 1000)
        assert parse_urlencoded(body, 1000) == {"a": [b"1"] * 1000}
        with pytest.raises(HTTPInputError):
            parse_urlencoded(body + b"&", 1000)
        assert parse_urlencoded(b"", 0) == {}

    @pytest.mark.parametrize("piece", [b"%", b"%41", b"%4", b"=", b"+", b"%25"])
    def test_T52_decodes_in_linear_time(self, piece, assert_linear):
        assert_linear(lambda size: lambda: parse_urlencoded(b"a=" + piece * size, 10), 1000)
        assert parse_urlencoded(b"&".join([b"a=%41" + piece * 100_000] * 10), 10)

    @given(bodies)
    @settings(deadline=None, max_examples=300)
    def test_agrees_with_the_standard_library(self, body):
        expected: dict[str, list[bytes]] = {}
        for name, value in parse_qsl(body.decode("latin-1"), keep_blank_values=True, encoding="latin-1"):
            expected.setdefault(name, []).append(value.encode("latin-1"))
        assert parse_urlencoded(body, 1000) == expected

    @given(bodies)
    @settings(deadline=None, max_examples=300)
    def test_decodes_escapes_as_the_standard_library(self, value):
        field = value.replace(b"&", b"").replace(b"+", b"")
        assert parse_urlencoded(b"a=" + field, 10) == {"a": [unquote_to_bytes(field)]}

    @given(st.lists(st.tuples(st.binary(), st.binary())))
    @settings(deadline=None)
    def test_what_a_client_writes_can_be_read(self, pairs):
        expected: dict[str, list[bytes]] = {}
        for name, value in pairs:
            expected.setdefault(name.decode("latin-1"), []).append(value)
        assert parse_urlencoded(urlencode(pairs).encode(), 1000) == expected


class TestParseBodyArguments:
    @pytest.mark.parametrize(
        "content_type",
        [
            URLENCODED,
            f"{URLENCODED}; charset=UTF-8",
            f"{URLENCODED};charset=utf-8",
            f" {URLENCODED.title()} ",
        ],
    )
    def test_urlencoded(self, content_type):
        assert parse(content_type, b"a=1&b=2&a=3") == ({"a": [b"1", b"3"], "b": [b"2"]}, {})

    @pytest.mark.parametrize(
        "content_type",
        [
            "multipart/form-data; boundary=b",
            'multipart/form-data; boundary="b"',
            "Multipart/Form-Data; Boundary=b",
            "multipart/form-data; charset=utf-8; boundary=b;",
            "multipart/form-data;boundary=b ",
        ],
    )
    def test_multipart(self, content_type):
        arguments, files = parse(content_type, UPLOAD)
        assert arguments == {"note": [b"hello"]}
        assert files == {"files": [HTTPFile(filename="ab.txt", body=b"Foo", content_type="text/plain")]}

    @pytest.mark.parametrize(
        "content_type",
        [
            "",
            "text/plain",
            "application/json",
            "application/x-www-form-urlencodedx",
            "multipart/mixed; boundary=b",
            ";",
        ],
    )
    def test_other_types_are_left_alone(self, content_type):
        assert parse(content_type, b"a=1&b=2", {"Content-Encoding": "gzip"}) == ({}, {})

    def test_what_is_there_stays(self):
        arguments = {"a": [b"query"], "z": [b"0"]}
        parse_body_arguments(URLENCODED, b"a=1&b=2", arguments, {})
        assert arguments == {"a": [b"query", b"1"], "z": [b"0"], "b": [b"2"]}

    @pytest.mark.parametrize("content_type", [URLENCODED, "multipart/form-data; boundary=b"])
    def test_an_encoded_body_is_refused(self, content_type):
        with pytest.raises(HTTPInputError) as caught:
            parse(content_type, UPLOAD, {"Content-Encoding": "gzip"})
        assert caught.value.status == 415
        assert parse(content_type, b"--b--", {"Content-Length": "5"})[1] == {}

    @pytest.mark.parametrize(
        "content_type",
        [
            "multipart/form-data",
            "multipart/form-data;",
            "multipart/form-data; charset=utf-8",
            "multipart/form-data boundary=b",
            "multipart/form-dataxyz; boundary=b",
            "multipart/form-data; boundary=",
            'multipart/form-data; boundary=""',
            'multipart/form-data; boundary="b',
            'multipart/form-data; boundary="a b"',
            "multipart/form-data; boundary=a b",
            "multipart/form-data; boundary=a\tb",
            "multipart/form-data; boundary=\x00",
            "multipart/form-data; boundary=b\u00e9",
            "multipart/form-data; boundary=b\u2603",
            "multipart/form-data; boundary=" + "b" * 71,
            "multipart/form-data; boundary=b; boundary=c",
            "multipart/form-data; boundary=b; Boundary=b",
        ],
    )
    def test_137_a_bad_boundary_is_refused(self, content_type):
        with pytest.raises(HTTPInputError) as caught:
            parse(content_type, UPLOAD)
        assert caught.value.status == 400

    @pytest.mark.parametrize("parameters", ['; x="' + ";" * 10_000, "; x=" * 10_000, ";" * 10_000 + "="])
    def test_T21_136_content_types_are_read_in_linear_time(self, parameters, assert_linear):
        def attempt(size):
            def run():
                with pytest.raises(HTTPInputError):
                    parse("multipart/form-data" + parameters[: 2 * size], UPLOAD)

            return run

        assert_linear(attempt, 1000)

    def test_an_error_leaves_the_dictionaries_as_they_were(self):
        arguments: dict[str, list[bytes]] = {"a": [b"query"]}
        files: dict[str, list[HTTPFile]] = {}
        with pytest.raises(HTTPInputError):
            parse_body_arguments("multipart/form-data; boundary=b", UPLOAD[:-4], arguments, files)
        with pytest.raises(HTTPInputError):
            parse_body_arguments(URLENCODED, b"a=1&" * 1001, arguments, files)
        assert (arguments, files) == ({"a": [b"query"]}, {})

    @given(st.text(), st.binary())
    @settings(deadline=None)
    def test_any_input_is_parsed_or_refused(self, parameters, body):
        for prefix in ("", URLENCODED, "multipart/form-data; boundary=b", "multipart/form-data; boundary="):
            try:
                arguments, files = parse(prefix + parameters, body)
            except HTTPInputError as error:
                assert error.status in (400, 413)
            else:
                assert all(values for values in [*arguments.values(), *files.values()])


class TestConfig:
    def test_defaults_are_those_of_the_limits(self):
        assert ParseBodyConfig() == ParseBodyConfig.from_limits(Limits())
        assert ParseUrlEncodedConfig().max_arguments == 1000
        assert ParseMultipartConfig().max_parts == 100
        assert ParseMultipartConfig().max_part_header_size == 8 * 1024

    def test_140_one_object_of_limits_serves_both_encodings(self):
        config = ParseBodyConfig.from_limits(Limits(max_form_fields=2, max_parts=1, max_part_header_size=20))
        for content_type, body in [
            (URLENCODED, b"a&b&c"),
            ("multipart/form-data; boundary=b", UPLOAD),
        ]:
            with pytest.raises(HTTPInputError) as caught:
                parse(content_type, body, config=config)
            assert caught.value.status == 413

    def test_set_parse_body_config_reaches_every_caller(self, default_config):
        set_parse_body_config(
            ParseBodyConfig(
                multipart=ParseMultipartConfig(enabled=False), urlencoded=ParseUrlEncodedConfig(1)
            )
        )
        with pytest.raises(HTTPInputError, match="disabled") as caught:
            parse("multipart/form-data; boundary=b", UPLOAD)
        assert caught.value.status == 415
        with pytest.raises(HTTPInputError, match="disabled"):
            parse_multipart_form_data(b"b", UPLOAD, {}, {})
        with pytest.raises(HTTPInputError, match="Max number of fields exceeded"):
            parse(URLENCODED, b"a&b")

    def test_it_reaches_servers_too_where_their_limits_say_nothing_else(self, default_config):
        wanted = ParseMultipartConfig(enabled=False, max_parts=7, max_value_size=70, extended_filenames=True)
        set_parse_body_config(ParseBodyConfig(multipart=wanted, urlencoded=ParseUrlEncodedConfig(8)))
        assert ParseBodyConfig.from_limits(Limits()) == ParseBodyConfig(wanted, ParseUrlEncodedConfig(8))
        own = ParseBodyConfig.from_limits(Limits(max_value_size=9, max_form_fields=10))
        assert own.multipart == dataclasses.replace(wanted, max_value_size=9)
        assert own.urlencoded.max_arguments == 10

    def test_a_config_that_is_passed_wins_over_the_default(self, default_config):
        set_parse_body_config(ParseBodyConfig(multipart=ParseMultipartConfig(enabled=False)))
        assert parse("multipart/form-data; boundary=b", UPLOAD, config=ParseBodyConfig())[0] == {
            "note": [b"hello"]
        }
