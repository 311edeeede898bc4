from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gustnado.errors import HTTPInputError
from gustnado.http.multipart import (
    MAX_PART_FIELDS,
    End,
    Event,
    HTTPFile,
    MultipartParser,
    ParseMultipartConfig,
    PartBegin,
    PartData,
    PartEnd,
    parse_multipart_form_data,
    parse_parameters,
    set_default_config,
)

HEAD = b'Content-Disposition: form-data; name="a"'
FILE_HEAD = b'Content-Disposition: form-data; name="a"; filename="f"'


def encode(*parts, boundary=b"xYz"):
    """The body of parts that are given as pairs of head and content."""
    lines = [b"--%s\r\n%s\r\n\r\n%s\r\n" % (boundary, head, content) for head, content in parts]
    return b"".join([*lines, b"--%s--\r\n" % boundary])


def run(data, size=None, boundary=b"xYz", **limits):
    """Parse ``data`` in pieces of ``size``: the events, or the status and message of the error."""
    parser = MultipartParser(boundary, **limits)
    events = []
    try:
        for start in range(0, len(data), size or max(1, len(data))):
            events += parser.feed(data[start : start + size] if size else data)
        parser.finish()
    except HTTPInputError as error:
        return error.status, str(error)
    return joined(events)


def joined(events):
    """``events`` with pieces of data that follow each other put together."""
    result: list[Event] = []
    for event in events:
        if isinstance(event, PartData) and result and isinstance(result[-1], PartData):
            result[-1] = PartData(result[-1].data + event.data)
        else:
            result.append(event)
    return result


def run_in_all_pieces(data, **limits):
    """Parse ``data`` in pieces of every size; they must all give the same result, which is returned."""
    whole = run(data, **limits)
    for size in range(1, len(data)):
        assert run(data, size, **limits) == whole, size
    return whole


def parse(data, boundary=b"xYz", **config):
    arguments: dict[str, list[bytes]] = {}
    files: dict[str, list[HTTPFile]] = {}
    parse_multipart_form_data(boundary, data, arguments, files, config=ParseMultipartConfig(**config))
    return arguments, files


def parse_filename(parameters, **config):
    (file,) = parse(encode((b"Content-Disposition: form-data; name=a; " + parameters, b"")), **config)[1]["a"]
    return file.filename


def status_of(data, **limits):
    result = run_in_all_pieces(data, **limits)
    assert isinstance(result, tuple), "the body is accepted"
    return result[0]


class TestEvents:
    def test_one_field(self):
        assert run_in_all_pieces(encode((HEAD, b"1"))) == [
            PartBegin("a", None, None, (("Content-Disposition", 'form-data; name="a"'),)),
            PartData(b"1"),
            PartEnd(),
            End(),
        ]

    def test_a_file(self):
        head = FILE_HEAD + b"\r\ncontent-TYPE: text/plain; charset=utf-8 \r\nX-Y:z"
        (begin, *_) = run_in_all_pieces(encode((head, b"1")))
        assert begin == PartBegin(
            "a",
            "f",
            "text/plain; charset=utf-8",
            (
                ("Content-Disposition", 'form-data; name="a"; filename="f"'),
                ("content-TYPE", "text/plain; charset=utf-8"),
                ("X-Y", "z"),
            ),
        )

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"\r\n",
            b"\r\n\r\n",
            b"\r",
            b"\r\n--xY",
            b"\r\n--xYx",
            b"--xY\r\n--x\r\n-",
            b"-",
            b"\r\r\n--\r\n-xYz",
            b"--XYZ--",
            b"Content-Disposition: form-data\r\n\r\n",
            bytes(range(256)),
        ],
    )
    def test_content_is_given_byte_by_byte(self, content):
        events = run_in_all_pieces(encode((HEAD, content), (HEAD, content)))
        expected = [PartData(content)] if content else []
        assert events[1:-1] == [*expected, PartEnd(), events[0], *expected, PartEnd()]

    def test_a_part_may_end_at_the_empty_line_of_its_head(self):
        data = b"--xYz\r\n" + FILE_HEAD + b"\r\n\r\n--xYz--"
        assert run_in_all_pieces(data)[1:] == [PartEnd(), End()]

    def test_heads_may_be_of_different_lengths(self):
        events = run_in_all_pieces(
            encode((FILE_HEAD + b"\r\nX: " + b"y" * 99, b"1"), (HEAD, b"2"), (HEAD, b""))
        )
        assert [event.data for event in events if isinstance(event, PartData)] == [b"1", b"2"]

    def test_the_first_may_lack_its_delimiter_where_that_is_allowed(self):
        data = encode((HEAD, b"1"), (FILE_HEAD, b"2"))
        bare = data.removeprefix(b"--xYz\r\n")
        assert run_in_all_pieces(bare, implicit_first_part=True) == run(data)
        assert run_in_all_pieces(data, implicit_first_part=True) == run(data)
        assert run_in_all_pieces(bare) == run(encode((FILE_HEAD, b"2")))
        assert status_of(bare, implicit_first_part=True, max_parts=1) == 413
        assert status_of(b"a preamble\r\n" + data, implicit_first_part=True) == 400
        assert run_in_all_pieces(b"\r\n" + data, implicit_first_part=True) == run(data)

    def test_a_body_may_have_no_part(self):
        assert run_in_all_pieces(b"--xYz--") == [End()]

    def test_in_one_piece_data_comes_in_one_piece(self):
        content = b"\r\n--xY" * 1000
        events = MultipartParser("xYz").feed(encode((HEAD, content)))
        assert events[1] == PartData(content)

    def test_data_leaves_as_it_comes(self):
        parser = MultipartParser("xYz")
        parser.feed(b"--xYz\r\n" + FILE_HEAD + b"\r\n\r\n")
        assert parser.feed(b"x") == [PartData(b"x")]
        assert parser.feed(b"y\r\n--x") == [PartData(b"y")]
        assert parser.feed(b"z\r\r") == [PartData(b"\r\n--xz\r")]
        assert parser.feed(b"\n--xYz--") == [PartEnd(), End()]
        parser.finish()

    def test_an_empty_piece_changes_nothing(self):
        parser = MultipartParser("xYz")
        assert parser.feed(b"") == []
        assert joined(parser.feed(encode((HEAD, b"1")))) == run(encode((HEAD, b"1")))
        assert parser.feed(b"") == []
        parser.finish()

    @given(
        st.lists(
            st.sampled_from([b"\r", b"\n", b"-", b"--", b"x", b"xYz", b"\r\n--xYz", b"\r\n", HEAD, b":"])
        )
    )
    @settings(deadline=None, max_examples=200)
    def test_any_split_gives_the_same_events(self, pieces):
        data = b"--xYz\r\n" + b"".join(pieces)
        run_in_all_pieces(data, max_parts=3, max_value_size=20, max_part_header_size=60)

    @given(
        st.lists(st.tuples(st.booleans(), st.binary() | st.text("\r\n-xYz").map(str.encode)), max_size=4),
        st.integers(1, 40),
    )
    @settings(deadline=None)
    def test_what_a_client_writes_can_be_read(self, parts, size):
        parts = [(is_file, content.replace(b"--xYz", b"")) for is_file, content in parts]
        data = encode(*[(FILE_HEAD if is_file else HEAD, content) for is_file, content in parts])
        events = run(data, size)
        assert [event.data for event in events if isinstance(event, PartData)] == [c for _, c in parts if c]
        assert [event.filename for event in events if isinstance(event, PartBegin)] == [
            "f" if is_file else None for is_file, _ in parts
        ]

    @given(st.binary(), st.integers(1, 9))
    @settings(deadline=None)
    def test_139_any_input_is_parsed_or_refused(self, data, size):
        result = run(data, size)
        assert isinstance(result, list) or result[0] in (400, 413)


class TestCatalogue:
    """Rows of the catalogue of bad inputs, in pieces of every size."""

    @pytest.mark.parametrize("preamble", [b"", b"\r\n", b"for old mail readers\r\n", b"-\r\n", b"--xY\r\n"])
    @pytest.mark.parametrize("epilogue", [b"", b"\r\n", b"bye", b"\r\n--xYz\r\n\r\nbye"])
    def test_135_preamble_and_epilogue_are_skipped(self, preamble, epilogue):
        events = run_in_all_pieces(preamble + encode((HEAD, b"1"))[:-2] + epilogue)
        assert events[1:] == [PartData(b"1"), PartEnd(), End()]

    def test_135_huge_ones_are_skipped_in_linear_time(self, assert_linear):
        def attempt(size):
            data = b"x\r\n" * size + encode((HEAD, b"1")) + b"\r\n--xYz" * size
            return lambda: run(data, 64)

        assert_linear(attempt, 1000)

    @pytest.mark.parametrize("data", [b"xx--xYz\r\n", b"x\n--xYz\r\n", b"\n--xYz\r\n", b"--xYz\n"])
    def test_135_a_boundary_stands_at_the_start_of_a_line(self, data):
        assert status_of(data + encode((HEAD, b"1")).removeprefix(b"--xYz\r\n")) == 400

    @pytest.mark.parametrize(
        "tail", [b"", b"\r\n--xYz", b"\r\n--xYz-", b"--xYz--", b"\n--xYz--", b"\r\n--xyz--"]
    )
    def test_139_a_missing_final_boundary_is_refused(self, tail):
        assert status_of(b"--xYz\r\n" + HEAD + b"\r\n\r\n1" + tail) == 400

    @pytest.mark.parametrize("data", [b"", b"\r\n", b"--xY", b"--xYz\r\n", b"--xYz\r\n" + HEAD, b"x" * 200])
    def test_139_a_truncated_body_is_refused(self, data):
        assert status_of(data) == 400

    @pytest.mark.parametrize("tail", [b"x", b"\n\n", b"\r\r", b" \r\n", b"-x", b"0--"])
    def test_134_a_boundary_with_other_bytes_behind_it_is_refused(self, tail):
        assert status_of(b"--xYz\r\n" + HEAD + b"\r\n\r\n1\r\n--xYz" + tail + b"\r\n--xYz--") == 400

    @pytest.mark.parametrize(
        "content",
        [b"\r\n", b"\r", b"\n", b"\r\n--xY", b"\r\n--", b"x", b"--xYz "],
        ids=["CRLF", "CR", "LF", "prefixes", "dashes", "no newline", "boundary without CRLF"],
    )
    @pytest.mark.parametrize("size", [7, 1000])
    def test_134_dense_content_takes_linear_time(self, content, size, assert_linear):
        def attempt(count):
            data = encode((FILE_HEAD, b"x" + content * count))
            return lambda: run(data, size)

        assert_linear(attempt, 1000)
        assert run(encode((FILE_HEAD, b"x" + content * 1000)), size)[1] == PartData(b"x" + content * 1000)

    @pytest.mark.parametrize("content", [b"\r\n--xY", b"\r\n", b"x"])
    def test_134_what_waits_is_shorter_than_a_delimiter(self, content):
        parser = MultipartParser("xYz")
        parser.feed(b"--xYz\r\n" + FILE_HEAD + b"\r\n\r\n")
        received = 0
        for fed, byte in enumerate(content * 50, 1):
            received += sum(
                len(event.data) for event in parser.feed(bytes([byte])) if isinstance(event, PartData)
            )
            assert fed - received < len(b"\r\n--xYz")

    def test_T25_133_parts_are_limited(self):
        parts = [(HEAD, b"1")] * 3
        assert run_in_all_pieces(encode(*parts), max_parts=3)[-1] == End()
        assert status_of(encode(*parts), max_parts=2) == 413
        with pytest.raises(HTTPInputError, match="too many parts") as caught:
            parse(encode(*[(HEAD, b"1")] * 101))
        assert caught.value.status == 413

    def test_T34_133_a_part_too_many_is_refused_at_its_delimiter(self):
        parser = MultipartParser("xYz", max_parts=1)
        parser.feed(encode((HEAD, b"1")).removesuffix(b"--\r\n"))
        with pytest.raises(HTTPInputError):
            parser.feed(b"\r\n")

    @pytest.mark.parametrize("limit", [len(HEAD), len(HEAD) + 1, 8192])
    def test_133_a_head_within_the_limit(self, limit):
        assert run_in_all_pieces(encode((HEAD, b"")), max_part_header_size=limit)[-1] == End()

    @pytest.mark.parametrize("end", [b"", b"\r\n\r\n", b"\r\n", b"\r"])
    def test_T25_133_a_head_over_the_limit(self, end):
        data = b"--xYz\r\n" + HEAD + b"\r\nX: " + b"y" * 20 + end
        assert status_of(data, max_part_header_size=len(HEAD) + 4) == 413

    def test_133_a_head_is_refused_as_soon_as_it_is_too_large(self):
        parser = MultipartParser("xYz", max_part_header_size=100)
        parser.feed(b"--xYz\r\n")
        parser.feed(b"x" * 103)
        with pytest.raises(HTTPInputError, match="header too large"):
            parser.feed(b"x")

    def test_133_fields_of_a_head_are_limited(self):
        fields = b"\r\nX-Y: z" * (MAX_PART_FIELDS - 1)
        assert len(run(encode((HEAD + fields, b"")))[0].headers) == MAX_PART_FIELDS
        assert run(encode((HEAD + fields + b"\r\nX-Y: z", b"")))[0] == 413

    def test_133_heads_are_read_in_linear_time(self, assert_linear):
        def attempt(size):
            data = encode((HEAD + b"\r\nX: " + b"y" * size, b""))
            return lambda: run(data, 1)

        assert_linear(attempt, 1000)

    def test_138_a_field_that_is_no_file_is_limited(self):
        assert run_in_all_pieces(encode((HEAD, b"12345")), max_value_size=5)[1] == PartData(b"12345")
        assert status_of(encode((HEAD, b"123456")), max_value_size=5) == 413
        assert status_of(encode((FILE_HEAD.replace(b'"f"', b'""'), b"123456")), max_value_size=5) == 413
        assert run(encode((HEAD, b"123456")), max_value_size=None)[1] == PartData(b"123456")
        large = b"x" * (1024 * 1024 + 1)
        assert run(encode((HEAD, large)))[0] == 413
        assert parse(encode((HEAD, large)), max_value_size=len(large))[0] == {"a": [large]}

    def test_138_each_field_has_its_own_count(self):
        assert run_in_all_pieces(encode(*[(HEAD, b"1234")] * 3), max_value_size=5)[-1] == End()

    def test_138_a_file_is_not_limited(self):
        content = b"x" * (1024 * 1024 + 1)
        assert run(encode((FILE_HEAD, content)), 65536)[1] == PartData(content)

    @pytest.mark.parametrize(
        "field",
        [
            b"Content-Transfer-Encoding: base64",
            b"Content-Transfer-Encoding: quoted-printable",
            b"Content-Encoding: gzip",
            b"Content-Length: +5",
            b"Content-Length: 1",
        ],
    )
    def test_138_content_is_never_decoded_and_inner_lengths_are_ignored(self, field):
        assert run(encode((HEAD + b"\r\n" + field, b"QUJD=41")))[1] == PartData(b"QUJD=41")

    @pytest.mark.parametrize("boundary", ["b", "b" * 70, "0aZ'()+_,-./:=?"])
    def test_137_boundaries_of_rfc_2046(self, boundary):
        data = encode((HEAD, b"1"), boundary=boundary.encode())
        assert run(data, boundary=boundary)[-1] == End()
        assert run(data, boundary=boundary.encode())[-1] == End()

    @pytest.mark.parametrize(
        "boundary",
        [
            "",
            "b" * 71,
            "b" * 257,
            "a b",
            "b ",
            " b",
            "a\tb",
            "a\r\nb",
            "a\nb",
            "a\0b",
            'a"b',
            "a;b",
            "\u00e9",
            b"\xff",
        ],
    )
    def test_137_other_boundaries_are_refused(self, boundary):
        with pytest.raises(HTTPInputError) as caught:
            MultipartParser(boundary)
        assert caught.value.status == 400

    @pytest.mark.parametrize("control", [*map(chr, [*range(9), 11, 12, *range(14, 32), 127])], ids=ascii)
    def test_T27_control_characters_in_a_head_are_refused(self, control):
        for head in (
            FILE_HEAD.replace(b'"f"', b'"f%b"'),
            FILE_HEAD + b"\r\nX: y%b",
            b"X%b: y\r\n" + FILE_HEAD,
        ):
            assert run(encode((head % control.encode(), b"")))[0] == 400

    @pytest.mark.parametrize(
        "head",
        [
            b"",
            b"\r",
            b'Content-Disposition: form-data; name="a\rb"',
            b'Content-Disposition: form-data; name="a\nb"',
            b"X: y\rContent-Disposition: form-data; name=a",
            b"X: y\nContent-Disposition: form-data; name=a",
            b'Content-Disposition: form-data;\r\n name="a"',
            b'Content-Disposition: form-data;\r\n\tname="a"',
            b' Content-Disposition: form-data; name="a"',
            b'Content-Disposition : form-data; name="a"',
            b'Content-Disposition form-data; name="a"',
            b": x",
            HEAD + b"\r\nno colon",
            HEAD + b"\r\n\xc3\xa9: x",
            HEAD + b"\r\nX: \xff",
        ],
    )
    def test_T27_malformed_heads_are_refused(self, head):
        assert status_of(encode((head, b"1"))) == 400

    @pytest.mark.parametrize(
        "head",
        [
            b"Content-Type: text/plain",
            b"Content-Disposition:",
            b"Content-Disposition: form-data",
            b'Content-Disposition: form-data; filename="f"',
            b'Content-Disposition: form-data; name=""; filename="f"',
            b"Content-Disposition: form-data; name=",
            b"Content-Disposition: form-data; name*=UTF-8''a",
            b"Content-Disposition: form-data; name*0=a",
            b'Content-Disposition: attachment; name="a"',
            b'Content-Disposition: name="a"',
            b'Content-Disposition: form-data; name="a"; name="b"',
            b'Content-Disposition: form-data; name="a"; NAME="a"',
            b'Content-Disposition: form-data; name="a" filename="f"',
            b'Content-Disposition: form-data; name="a"x',
            b'Content-Disposition: form-data; name=a"b"',
            b'Content-Disposition: form-data; name="a',
            b'Content-Disposition: form-data; name="a\\"',
            b'Content-Disposition: form-data; name; name="a"',
            HEAD + b"\r\n" + HEAD,
            HEAD + b"\r\nContent-Type: a/b\r\ncontent-type: a/b",
        ],
    )
    def test_T17_malformed_dispositions_are_refused_once(self, head, caplog):
        assert status_of(encode(*[(head, b"1")] * 3)) == 400
        assert caplog.records == []

    @pytest.mark.parametrize(
        "parameters",
        [
            'x="' + ";" * 8000 + '"',
            "; x1=" + "y" * 8000,
            '"' * 4000,
            "\\" * 8000,
            ";" * 8000,
            " " * 8000 + "x",
        ],
    )
    def test_T21_136_dispositions_are_read_in_linear_time(self, parameters, assert_linear):
        def attempt(size):
            head = HEAD + b"; " + parameters[: 2 * size].encode()
            return lambda: run(encode((head, b"")))

        assert_linear(attempt, 500)


class TestFilenames:
    @pytest.mark.parametrize(
        ("parameters", "expected"),
        [
            (b'filename="ab.txt"', "ab.txt"),
            (b"filename=ab.txt", "ab.txt"),
            (b"filename=a b.txt ", "a b.txt"),
            (b'FileName = "ab.txt" ; x=y', "ab.txt"),
            (b'filename="a;b.txt"', "a;b.txt"),
            (b'filename="a\\"b.txt"', 'a"b.txt'),
            (b'filename="a\\";b.txt"', 'a";b.txt'),
            (b'filename="a;\\"b.txt"', 'a;"b.txt'),
            (b'filename="a\\";\\";.txt"', 'a";";.txt'),
            (b'filename="a\\\\\\"b.txt"', 'a\\"b.txt'),
            (b'filename="a\\\\b.txt"', "a\\b.txt"),
            (b'filename="a\tb.txt"', "a\tb.txt"),
            (b'filename="C:\\dir\\new.txt"', "C:\\dir\\new.txt"),
            (b'filename="%22a%0D%0A.txt"', "%22a%0D%0A.txt"),
            (b'filename="../../etc/passwd"', "../../etc/passwd"),
            ('filename="测试.txt"'.encode(), "测试.txt"),
            (b"filename=\"f\"; filename*0*=UTF-8''x; filename*1=y", "f"),
        ],
    )
    def test_141_is_what_the_client_sent(self, parameters, expected):
        assert parse_filename(parameters) == expected

    def test_136_filename_wins_over_the_extended_one(self):
        parameters = b"filename=\"ab.txt\"; filename*=UTF-8''%C3%A1b.txt"
        assert parse_filename(parameters) == "ab.txt"
        assert parse_filename(parameters, extended_filenames=True) == "\u00e1b.txt"

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (b"UTF-8''%C3%A1b.txt", "\u00e1b.txt"),
            (b"utf-8'en'a%20b", "a b"),
            (b"ISO-8859-1''%E1b.txt", "\u00e1b.txt"),
            (b"UTF-8''a'b", "a'b"),
        ],
    )
    def test_136_the_extended_one_counts_where_it_is_alone(self, value, expected):
        assert parse_filename(b"filename*=" + value) == expected

    @pytest.mark.parametrize(
        "value",
        [
            b"nosuch''a",
            b"utf-7''a",
            b"''a",
            b"UTF-8'a",
            b"UTF-8",
            b"",
            b"UTF-8''%FF",
            b"UTF-8''a%00",
            b"UTF-8''%0D%0A",
        ],
    )
    def test_136_a_malformed_extended_one_is_refused(self, value):
        data = encode((HEAD + b"; filename*=" + value, b""))
        assert status_of(data) == 400
        ignored = data.replace(b"; filename*", b"; filename=f; filename*")
        assert run(ignored)[0].filename == "f"

    def test_an_empty_one_is_no_file(self):
        assert parse(encode((FILE_HEAD.replace(b'"f"', b'""'), b""))) == ({"a": [b""]}, {})


class TestParseMultipartFormData:
    def test_fills_arguments_and_files_in_order(self):
        data = encode(
            (HEAD, b"1"), (FILE_HEAD, b"2"), (FILE_HEAD + b"\r\nContent-Type: a/b", b"3"), (HEAD, b"")
        )
        arguments, files = parse(data)
        assert arguments == {"a": [b"1", b""]}
        assert [(f.filename, f.body, f.content_type) for f in files["a"]] == [
            ("f", b"2", "application/unknown"),
            ("f", b"3", "a/b"),
        ]

    def test_names_are_utf_8(self):
        assert parse(encode(('Content-Disposition: form-data; name="é☃"'.encode(), b"1")))[0] == {
            "é☃": [b"1"]
        }

    @pytest.mark.parametrize("boundary", [b"xYz", "xYz", b'"xYz"', '"xYz"'])
    def test_the_boundary_may_be_quoted(self, boundary):
        assert parse(encode((HEAD, b"1")), boundary)[0] == {"a": [b"1"]}

    @pytest.mark.parametrize("boundary", [b'"', b'""', b'"xYz', b'xYz"'])
    def test_137_quotes_come_in_pairs(self, boundary):
        with pytest.raises(HTTPInputError):
            parse(encode((HEAD, b"1")), boundary)

    def test_can_be_disabled(self):
        with pytest.raises(HTTPInputError, match="parsing is disabled") as caught:
            parse(encode((HEAD, b"1")), enabled=False)
        assert caught.value.status == 415

    def test_without_a_config_the_default_is_used(self):
        data = encode((HEAD, b"1"))
        arguments: dict[str, list[bytes]] = {}
        parse_multipart_form_data(b"xYz", data, arguments, {})
        assert arguments == {"a": [b"1"]}
        set_default_config(ParseMultipartConfig(max_parts=0))
        try:
            with pytest.raises(HTTPInputError, match="too many parts"):
                parse_multipart_form_data(b"xYz", data, {}, {})
        finally:
            set_default_config(ParseMultipartConfig())

    def test_after_an_error_the_parser_stays_closed(self):
        parser = MultipartParser("xYz")
        with pytest.raises(HTTPInputError):
            parser.feed(b"--xYz?!")
        with pytest.raises(HTTPInputError):
            parser.feed(encode((HEAD, b"1")))
        with pytest.raises(HTTPInputError):
            parser.finish()

    @given(
        st.lists(
            st.tuples(
                st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1),
                st.none() | st.text(st.characters(exclude_categories=("Cc", "Cs"))),
                st.binary().filter(lambda content: b"--xYz" not in content),
            ),
            max_size=5,
        )
    )
    @settings(deadline=None)
    def test_agrees_with_tornado(self, parts):
        httputil = pytest.importorskip("tornado.httputil")

        def quote(value):
            return value.replace("\\", "\\\\").replace('"', '\\"')

        heads = [
            f'Content-Disposition: form-data; name="{quote(name)}"'
            + ("" if filename is None else f'; filename="{quote(filename)}"')
            for name, filename, _ in parts
        ]
        data = encode(*[(head.encode(), content) for head, (*_, content) in zip(heads, parts, strict=True)])
        arguments, files = parse(data)
        expected: tuple[dict, dict] = {}, {}
        for name, filename, content in parts:
            if filename:
                file = HTTPFile(filename=filename, body=content, content_type="application/unknown")
                expected[1].setdefault(name, []).append(file)
            else:
                expected[0].setdefault(name, []).append(content)
        assert (arguments, files) == expected
        # Tornado takes a backslash in front of the closing quote for an escape even if it is escaped itself.
        if not any("\\" in name + (filename or "") for name, filename, _ in parts):
            theirs: tuple[dict, dict] = {}, {}
            httputil.parse_multipart_form_data(b"xYz", data, *theirs)
            assert (arguments, files) == theirs


class TestParseParameters:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("", ("", {})),
            ("text/plain", ("text/plain", {})),
            ("Text/Plain ; Charset=UTF-8", ("text/plain", {"charset": "UTF-8"})),
            ('a; b="c\\\\\\"\\d;e"; f=', ("a", {"b": 'c\\"\\d;e', "f": ""})),
            (";a=b;;c=d;", ("", {"a": "b", "c": "d"})),
            ("a;\tb\t=\tc d\t", ("a", {"b": "c d"})),
        ],
    )
    def test_splits(self, value, expected):
        assert parse_parameters(value) == expected

    @pytest.mark.parametrize(
        "value",
        ["a; b", "a; =b", "a; b=c; B=d", 'a; b="', 'a; b="c" d', "a; b c=d", "a; (=b", 'a; b=c"', "a; b;c=d"],
    )
    def test_refuses_what_is_malformed(self, value):
        with pytest.raises(HTTPInputError) as caught:
            parse_parameters(value)
        assert caught.value.status == 400

    @given(st.text('a;="\\ \t'))
    @settings(deadline=None, max_examples=200)
    def test_any_input_is_split_or_refused(self, value):
        try:
            kind, parameters = parse_parameters("x;" + value)
        except HTTPInputError:
            return
        assert kind == "x"
        assert all(parameters)

    @given(st.dictionaries(st.text("abc*-", min_size=1), st.text()))
    @settings(deadline=None)
    def test_quoted_values_are_read_back(self, parameters):
        quoted = "".join(
            '; {}="{}"'.format(name, value.replace("\\", "\\\\").replace('"', '\\"'))
            for name, value in parameters.items()
        )
        assert parse_parameters("x" + quoted) == ("x", parameters)
