"""A body that the program reads at its own pace."""

from __future__ import annotations

import asyncio

import pytest

from gustnado.errors import HTTPInputError, StreamClosedError, UsageError
from gustnado.http.body_stream import BodyStream
from gustnado.http.limits import Limits


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_nothing_is_wanted_before_it_is_read(run) -> None:
    async def main() -> None:
        stream = BodyStream()
        wanted = stream.open()
        await turns()
        assert not wanted.done()
        reading = asyncio.ensure_future(stream.read())
        await turns()
        assert wanted.done()
        more = stream.push(b"wind")
        assert await reading == b"wind"
        assert more.done()
        stream.end()
        assert await stream.read() == await stream.read() == b""
        assert stream.bytes_read == 4

    run(main())


def test_a_piece_that_nobody_takes_holds_up_the_next(run) -> None:
    async def main() -> None:
        stream = BodyStream()
        stream.open()
        more = stream.push(b"windy")
        await turns()
        assert not more.done()
        assert await stream.read(3) == b"win"
        assert not more.done()
        assert await stream.read(3) == b"dy"
        assert more.done()

    run(main())


def test_all_of_it(run) -> None:
    async def main(limit: int) -> bytes:
        stream = BodyStream()
        wanted = stream.open()

        async def deliver() -> None:
            await wanted
            for piece in (b"wi", b"nd", b"y"):
                await stream.push(piece)
            stream.end()

        delivering = asyncio.ensure_future(deliver())
        try:
            return await stream.read_all(limit)
        finally:
            delivering.cancel()

    assert run(main(5)) == b"windy"
    with pytest.raises(HTTPInputError, match="over 4 bytes") as caught:
        run(main(4))
    assert caught.value.status == 413


@pytest.mark.parametrize("error", [HTTPInputError(status=413), StreamClosedError()])
def test_what_goes_wrong_is_told_after_what_came_before(run, error: Exception) -> None:
    async def main() -> None:
        stream = BodyStream()
        stream.open()
        stream.push(b"wi")
        stream.fail(error)
        assert await stream.read() == b"wi"
        for _ in range(2):
            with pytest.raises(type(error)):
                await stream.read()

    run(main())


def test_a_reader_that_waits_hears_of_it(run) -> None:
    async def main() -> None:
        stream = BodyStream()
        stream.open()
        reading = asyncio.ensure_future(stream.read())
        await turns()
        stream.fail(StreamClosedError())
        with pytest.raises(StreamClosedError):
            await reading

    run(main())


def test_the_end_of_a_complete_body_is_no_failure(run) -> None:
    async def main() -> None:
        stream = BodyStream()
        stream.open()
        stream.end()
        stream.fail(StreamClosedError())
        assert await stream.read() == b""

    run(main())


def test_one_reader_at_a_time(run) -> None:
    async def main() -> None:
        stream = BodyStream()
        stream.open()
        first = asyncio.ensure_future(stream.read())
        await turns()
        with pytest.raises(UsageError, match="by somebody else"):
            await stream.read()
        first.cancel()
        await turns()
        stream.push(b"a")
        assert await stream.read() == b"a"

    run(main())


def test_a_piece_has_a_size(run) -> None:
    async def main() -> None:
        with pytest.raises(ValueError, match="max_bytes=0"):
            await BodyStream().read(0)

    run(main())


def test_its_parts_and_its_form(run) -> None:
    body = b'--xYz\r\nContent-Disposition: form-data; name="a"\r\n\r\nwind\r\n--xYz--'

    async def stream() -> BodyStream:
        stream = BodyStream("multipart/form-data; boundary=xYz", Limits(max_parts=1))
        stream.open()
        stream.push(body)
        stream.end()
        return stream

    async def main() -> None:
        assert [part.name async for part in (await stream()).parts()] == ["a"]
        with await (await stream()).form() as form:
            assert form.arguments == {"a": [b"wind"]}

    run(main())
