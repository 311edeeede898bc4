"""Multipart bodies as they arrive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.errors import HTTPInputError, UsageError
from gustnado.http.limits import Limits
from gustnado.http.parts import read_form, read_parts

TYPE = "multipart/form-data; boundary=xYz"


def multipart(*parts: tuple[str, str | None, bytes]) -> bytes:
    body = b""
    for name, filename, data in parts:
        file = f'; filename="{filename}"\r\nContent-Type: text/plain' if filename else ""
        body += f'--xYz\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + data + b"\r\n"
    return body + b"--xYz--\r\n"


async def chunks(data: bytes, size: int = 7) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


BODY = multipart(("a", None, b"wind"), ("f", "x.txt", b"gust" * 100), ("b", None, b""))


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_part_by_part(run, size: int) -> None:
    async def main() -> list:
        found = []
        async for part in read_parts(chunks(BODY, size), TYPE):
            data = b"".join([chunk async for chunk in part])
            found.append((part.name, part.filename, part.content_type, data))
        return found

    assert run(main()) == [
        ("a", None, None, b"wind"),
        ("f", "x.txt", "text/plain", b"gust" * 100),
        ("b", None, None, b""),
    ]


def test_what_is_not_read_of_a_part_is_skipped(run) -> None:
    async def main() -> list:
        names = []
        async for part in read_parts(chunks(BODY), TYPE):
            names.append(part.name)
            async for _ in part:
                break
        return names

    assert run(main()) == ["a", "f", "b"]


def test_a_part_that_is_over_cannot_be_read(run) -> None:
    async def main() -> None:
        parts = [part async for part in read_parts(chunks(BODY), TYPE)]
        with pytest.raises(UsageError, match="part 'a' is over"):
            await parts[0].read_all(10)

    run(main())


@pytest.mark.parametrize(
    ("body", "content_type", "limits", "status"),
    [
        (BODY, "text/plain", Limits(), 415),
        (BODY, "multipart/form-data", Limits(), 415),
        (BODY[:-10], TYPE, Limits(), 400),
        (b"nonsense", TYPE, Limits(), 400),
        (b"", TYPE, Limits(), 400),
        (BODY, TYPE, Limits(max_parts=2), 413),
        (BODY, TYPE, Limits(max_part_header_size=10), 413),
    ],
)
def test_what_is_malformed_or_over_a_limit(run, body: bytes, content_type: str, limits: Limits, status: int) -> None:
    async def main() -> None:
        async for part in read_parts(chunks(body), content_type, limits):
            await part.skip()

    with pytest.raises(HTTPInputError) as caught:
        run(main())
    assert caught.value.status == status


def test_a_part_may_be_bounded(run) -> None:
    async def main(limit: int) -> bytes:
        async for part in read_parts(chunks(BODY), TYPE):
            return await part.read_all(limit)
        return b""

    assert run(main(4)) == b"wind"
    with pytest.raises(HTTPInputError, match="over 3 bytes"):
        run(main(3))


class TestForms:
    @pytest.mark.parametrize("spool_size", [1, 400, 1 << 20])
    def test_arguments_and_files(self, run, spool_size: int) -> None:
        async def main() -> None:
            with await read_form(chunks(BODY), TYPE, spool_size=spool_size) as form:
                assert form.arguments == {"a": [b"wind"], "b": [b""]}
                (file,) = form.files["f"]
                assert (file.filename, file.content_type, file.size) == ("x.txt", "text/plain", 400)
                assert file.file._rolled is (spool_size == 1)
                assert await file.read(4) == b"gust"
                assert await file.read() == b"gust" * 99
                assert await file.read() == b""
            assert file.file.closed

        run(main())

    def test_nothing_is_left_open_where_it_fails(self, run) -> None:
        """An unclosed temporary file would be a ResourceWarning, which fails the test."""
        with pytest.raises(HTTPInputError):
            run(read_form(chunks(BODY[:-10]), TYPE, spool_size=1))

    def test_fields_are_bounded(self, run) -> None:
        with pytest.raises(HTTPInputError, match="over 1048576 bytes"):
            run(read_form(chunks(multipart(("a", None, b"0" * 1_048_577)), 65536), TYPE))

    @given(
        parts=st.lists(
            st.tuples(st.sampled_from("abc"), st.sampled_from([None, "f.txt"]), st.binary(max_size=50)), max_size=5
        ),
        size=st.integers(1, 60),
    )
    def test_what_went_in_comes_out(self, parts: list, size: int) -> None:
        async def main() -> list:
            found = []
            async for part in read_parts(chunks(multipart(*parts), size), TYPE):
                found.append((part.name, part.filename, await part.read_all(100)))
            return found

        if any(b"--xYz" in data for _, _, data in parts):
            return
        assert asyncio.run(main()) == parts
