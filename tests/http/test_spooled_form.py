"""A large form lies on disk, and looks as if it were in memory."""

from __future__ import annotations

import asyncio
import copy
import gc
import os
import pickle
import tempfile
import weakref

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gustnado.errors import HTTPInputError
from gustnado.http.headers import HTTPHeaders
from gustnado.http.limits import Limits
from gustnado.http.messages import HTTPServerRequest, RequestStartLine
from gustnado.http.multipart import HTTPFile
from gustnado.http.spooled_form import SpooledBody, SpooledForm, SpooledHTTPFile, spooled_form_for

KILO = bytes(range(256)) * 4


def multipart(*parts: tuple[str, str | None, bytes]) -> bytes:
    pieces = []
    for name, filename, content in parts:
        more = "" if filename is None else f'; filename="{filename}"\r\nContent-Type: text/plain'
        head = f'--b\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
        pieces.append(head.encode() + content + b"\r\n")
    return b"".join([*pieces, b"--b--\r\n"])


def request(content_type: str = "multipart/form-data; boundary=b", **fields: str) -> HTTPServerRequest:
    headers = HTTPHeaders({"Content-Type": content_type} | {n.replace("_", "-"): v for n, v in fields.items()})
    return HTTPServerRequest(start_line=RequestStartLine("POST", "/?q=1", "HTTP/1.1"), headers=headers)


async def read(made: HTTPServerRequest, body: bytes, size: int) -> HTTPServerRequest:
    form = spooled_form_for(made)
    assert isinstance(form, SpooledForm)
    for start in range(0, len(body), size):
        pending = form.push(body[start : start + size])
        if pending is not None:
            await pending
    form.give_to(made)
    return made


BODY = multipart(
    ("a", None, b"wind"), ("f", "x.bin", KILO * 600), ("f", "y", b""), ("a", None, b""), ("g", "z", b"gust")
)


@pytest.fixture(scope="module")
def uploaded() -> HTTPServerRequest:
    return asyncio.run(read(request(), BODY, 65536))


class TestForm:
    @pytest.mark.parametrize("size", [1000, 65536, len(BODY)])
    def test_a_request_has_all_that_it_would_have_in_memory(self, run, size: int) -> None:
        made, expected = run(read(request(), BODY, size)), request()
        expected.body = BODY
        expected._parse_body()
        assert made.body == BODY
        assert made.body_arguments == expected.body_arguments == {"a": [b"wind", b""]}
        assert made.arguments == {"q": [b"1"], "a": [b"wind", b""]}
        assert made.files == expected.files
        assert [file.body for file in made.files["f"]] == [KILO * 600, b""]
        assert [file.size for file in made.files["f"]] == [len(KILO) * 600, 0]

    @given(
        st.lists(st.tuples(st.sampled_from("abc"), st.none() | st.just("x"), st.binary(max_size=40)), max_size=6),
        st.integers(1, 50),
    )
    @settings(deadline=None, max_examples=60)
    def test_whatever_its_parts_and_pieces(self, parts: list, size: int) -> None:
        body = multipart(*parts)
        made, expected = asyncio.run(read(request(), body, size)), request()
        expected.body = body
        expected._parse_body()
        assert (made.body, made.files, made.arguments) == (body, expected.files, expected.arguments)

    def test_most_of_it_is_not_in_memory(self, run) -> None:
        made = run(read(request(), multipart(("f", "x", KILO * 4096)), 65536))
        assert made._spooled._written > 3900 * 1024
        assert sum(map(len, made._spooled._tail)) < 256 * 1024
        assert "body" not in dict.keys(made.files["f"][0])

    def test_it_has_one_temporary_file_which_is_gone_with_it(self, run) -> None:
        made = run(read(request(), BODY, 65536))
        number = made._spooled._file.fileno()
        os.fstat(number)
        kept, gone = made.files["f"][0], weakref.ref(made._spooled)
        del made
        gc.collect()
        assert kept.body == KILO * 600
        del kept
        gc.collect()
        assert gone() is None
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(number)

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            (BODY[:-10], 400),
            (BODY.replace(b"form-data", b"form", 1), 400),
            (multipart(*[("a", None, b"")] * 6), 413),
            (multipart(("a", None, b"12345")), 413),
        ],
    )
    def test_what_is_malformed_or_over_a_limit(self, run, body: bytes, status: int) -> None:
        made = request()
        made.limits = Limits(max_parts=5, max_value_size=4)
        with pytest.raises(HTTPInputError) as caught:
            run(read(made, body, 100_000))
        assert caught.value.status == status
        assert (made.files, made.body_arguments) == ({}, {})

    def test_what_belongs_in_memory(self) -> None:
        assert spooled_form_for(request("application/x-www-form-urlencoded")) is None
        assert spooled_form_for(request(Content_Encoding="gzip")) is None
        with pytest.raises(HTTPInputError, match="boundary"):
            spooled_form_for(request("multipart/form-data"))

    def test_a_disk_that_is_full_is_an_error(self, run, monkeypatch) -> None:
        def fail(*args: object, **kwargs: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(tempfile, "TemporaryFile", fail)
        with pytest.raises(OSError, match="No space left"):
            spooled_form_for(request())


class TestFiles:
    """A file is a dictionary with ``body`` in it, however one looks."""

    @pytest.fixture
    def file(self) -> HTTPFile:
        made = asyncio.run(read(request(), multipart(("f", "x.txt", b"wind")), 65536))
        [file] = made.files["f"]
        assert isinstance(file, SpooledHTTPFile)
        return file

    EXPECTED = HTTPFile(filename="x.txt", content_type="text/plain", body=b"wind")

    @pytest.mark.parametrize(
        "look",
        [
            lambda file: file.body,
            lambda file: file["body"],
            lambda file: file.get("body"),
            lambda file: file.get("nothing", 1),
            lambda file: file.size,
            lambda file: file.open().read(),
            lambda file: ("body" in file, "filename" in file, "nothing" in file),
            lambda file: sorted(file),
            lambda file: sorted(file.keys()),
            lambda file: sorted(map(str, file.values())),
            lambda file: sorted(file.items()),
            lambda file: dict(file),
            lambda file: {**file},
            lambda file: len(file),
            lambda file: file == TestFiles.EXPECTED,
            lambda file: file.copy(),
            lambda file: copy.copy(file),
            lambda file: copy.deepcopy(file),
            lambda file: pickle.loads(pickle.dumps(file)),
        ],
    )
    def test_it_looks_the_same(self, file: HTTPFile, look) -> None:
        assert look(file) == look(self.EXPECTED)

    def test_other_keys_are_not_there(self, file: HTTPFile) -> None:
        with pytest.raises(KeyError, match="nothing"):
            file["nothing"]
        with pytest.raises(AttributeError, match="nothing"):
            _ = file.nothing

    def test_it_may_be_changed(self, file: HTTPFile) -> None:
        file.body = b"else"
        file.note = 1
        assert (file.body, file["note"]) == (b"else", 1)

    def test_it_can_be_read_without_being_held(self, uploaded: HTTPServerRequest) -> None:
        file = uploaded.files["f"][0]
        with file.open() as opened:
            assert opened.read(3) == KILO[:3]
            opened.seek(-1024, os.SEEK_END)
            opened.seek(1, os.SEEK_CUR)
            assert opened.read() == KILO[1:]
            assert opened.read() == b""
            opened.seek(file.size + 5)
            assert opened.read() == b""
            with pytest.raises(ValueError, match="before the file"):
                opened.seek(-1, os.SEEK_SET)
        assert "body" not in dict.keys(file)
        assert file.open().read(3) == KILO[:3]


class TestBody:
    @pytest.mark.parametrize(
        ("start", "size"), [(0, -1), (0, 10), (262_140, 10), (300_000, -1), (307_190, 100), (400_000, 5)]
    )
    def test_any_place_can_be_read(self, run, start: int, size: int) -> None:
        async def main() -> bytes:
            body = SpooledBody()
            for _ in range(300):
                pending = body.append(KILO)
                if pending is not None:
                    await pending
            assert body.size == 307_200
            assert body._written == 262_144
            return body.read(start, size)

        assert run(main()) == (KILO * 300)[start : None if size < 0 else start + size]

    def test_a_file_that_has_shrunk_is_an_error(self, run) -> None:
        async def main() -> None:
            body = SpooledBody()
            await body.append(KILO * 256)  # type: ignore[misc]
            body._file.truncate(1000)
            with pytest.raises(OSError, match="shorter"):
                body.read()

        run(main())
