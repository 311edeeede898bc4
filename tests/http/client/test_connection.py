"""One connection: whatever a server may do to it, it ends in one clear error and is never used again."""

from __future__ import annotations

import asyncio
import gzip
import logging

import pytest

from gustnado.http.client import errors
from gustnado.http.limits import Limits

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

BAD_ANSWERS = {
    "garbage": ([b"\x00\x01\x02 garbage \r\n\r\n"], errors.MalformedResponseError, "malformed status line"),
    "another protocol": ([b"SSH-2.0-OpenSSH_9.2\r\n"], errors.MalformedResponseError, "malformed status line"),
    "HTTP/0.9": ([b"<html>hello</html>", "close"], errors.MalformedResponseError, "malformed status line"),
    "an endless head": ([OK + b"X: y\r\n" * 20000], errors.ResponseHeadTooLargeError, "head over"),
    "an endless line": ([b"HTTP/1.1 200 " + b"O" * 100_000], errors.ResponseHeadTooLargeError, "head over"),
    "too many fields": ([OK + b"X: y\r\n" * 200 + b"\r\n"], errors.ResponseHeadTooLargeError, "header fields"),
    "folding": ([OK + b"X: y\r\n z\r\n\r\n"], errors.MalformedResponseError, "folding"),
    "bare lf": ([b"HTTP/1.1 200 OK\nX: y\n\n"], errors.MalformedResponseError, "bare LF"),
    "two lengths": (
        [OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx"], errors.MalformedResponseError, "unequal",
    ),
    "length and chunks": (
        [OK + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"],
        errors.MalformedResponseError, "both",
    ),
    "a wrong chunk size": ([CHUNKED + b"xyz\r\n"], errors.MalformedResponseError, "chunk size"),
    "a wrong chunk end": ([CHUNKED + b"1\r\nxy\r\n"], errors.MalformedResponseError, "chunk"),
    "endless extensions": ([CHUNKED + b"1;" + b"a" * 50000], errors.MalformedResponseError, "extensions"),
    "a short body": ([OK + b"Content-Length: 9\r\n\r\nshort", "close"], errors.IncompleteResponseError, "within"),
    "chunks cut off": ([CHUNKED + b"5\r\nhello\r\n", "close"], errors.IncompleteResponseError, "within"),
    "a long body": ([OK + b"Content-Length: 2\r\n\r\nhello"], errors.ExcessDataError, "3 bytes more"),
    "a second response": ([(OK + b"Content-Length: 0\r\n\r\n") * 2], errors.ExcessDataError, "38 bytes more"),
    "a flood of 1xx": ([b"HTTP/1.1 100 Continue\r\n\r\n" * 50], errors.MalformedResponseError, "Too many 1xx"),
    "an unwanted upgrade": ([b"HTTP/1.1 101 Switching\r\n\r\n"], errors.MalformedResponseError, "101"),
    "a length over the limit": ([OK + b"Content-Length: 999999\r\n\r\n"], errors.ResponseTooLargeError, "too long"),
    "chunks over the limit": ([CHUNKED + b"f4240\r\n" + b"x" * 200_000], errors.ResponseTooLargeError, "over"),
    "endlessly over the limit": ([OK + b"\r\n" + b"x" * 200_000], errors.ResponseTooLargeError, "too long"),
    "a bomb": (
        [OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(bytes(5_000_000))],
        errors.ResponseTooLargeError, "decompressed body too large",
    ),
    "bad gzip": (
        [OK + b"Content-Encoding: gzip\r\nContent-Length: 7\r\n\r\ngarbage"], errors.DecodingError, "invalid gzip data",
    ),
    "truncated gzip": (
        [OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"wind")[:-1], "close"], errors.DecodingError, "gzip",
    ),
    "nothing at all": (["close"], errors.EmptyResponseError, "before"),
    "a reset before": (["reset"], errors.EmptyResponseError, "before"),
    "a reset in the head": ([b"HTTP/1.1 2", 0.02, "reset"], errors.IncompleteResponseError, "within"),
    "a reset in the body": (
        [OK + b"Content-Length: 9\r\n\r\nx", 0.02, "reset"], errors.IncompleteResponseError, "within",
    ),
    "a reset in chunks": ([CHUNKED + b"5\r\nhe", 0.02, "reset"], errors.IncompleteResponseError, "within"),
    "a reset instead of the end": ([OK + b"\r\nsome", 0.02, "reset"], errors.IncompleteResponseError, "within"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_bad_answers(run, serve, new_client, answers, name):
    async def main():
        steps, kind, message = BAD_ANSWERS[name]
        async with serve(steps, answers.ok()) as server, new_client(max_body_size=100_000) as client:
            with pytest.raises(kind, match=message) as caught:
                await client.fetch(server.url)
            assert (type(caught.value), caught.value.code) == (kind, 599)
            assert isinstance(caught.value, errors.HTTPStreamClosedError)
            assert client.pool.idle() == []
            assert client.pool.active == 0
            assert (await client.fetch(server.url)).body == b"hello"
            assert server.connections == 2

    run(main())


@pytest.mark.parametrize("name", [name for name in BAD_ANSWERS if "reset" not in name])
def test_bad_answers_in_small_pieces(run, serve, new_client, name):
    """What was refused whole is refused in pieces, and not later."""

    async def main():
        steps, kind, _ = BAD_ANSWERS[name]
        sent = 0

        async def drip(server, reader, writer):
            nonlocal sent
            data = b"".join(step for step in steps if isinstance(step, bytes))
            for at in range(0, len(data), 1000):
                writer.write(data[at : at + 1000])
                await writer.drain()
                sent = at
                await asyncio.sleep(0)

        ends = [drip, *[step for step in steps if step == "close"]]
        async with serve(ends) as server, new_client(max_body_size=100_000) as client:
            # What is more than a response, and comes later, is not taken for one of the next request.
            expected = (kind, type(None)) if kind is errors.ExcessDataError else (kind,)
            found = None
            try:
                await client.fetch(server.url)
            except errors.HTTPClientError as error:
                found = error
            assert isinstance(found, expected)
            await server.until(lambda: not server.open)
            assert client.pool.idle() == []
            assert sent < 300_000

    run(main())


def test_what_is_refused_is_told_in_the_log(run, serve, new_client, caplog):
    async def main():
        caplog.set_level(logging.INFO)
        async with serve(b"garbage\r\n\r\n", OK + b"X: y\r\n" * 200 + b"\r\n") as server, new_client() as client:
            for _ in range(2):
                with pytest.raises(errors.HTTPStreamClosedError):
                    await client.fetch(server.url)

    run(main())
    lines = [record.getMessage() for record in caplog.records if record.name == "gustnado.general"]
    assert lines[0].startswith("Malformed HTTP message from None: malformed status line")
    assert lines[1].startswith("Unsatisfiable read, closing connection: ")


@pytest.mark.parametrize("late", [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfake", b"\r\n", b"x"])
def test_what_comes_unasked_ends_an_idle_connection(run, serve, new_client, answers, late):
    async def main():
        async def more(server, reader, writer):
            await server.told.wait()
            writer.write(late)

        async with serve([answers.ok(b""), more], answers.ok()) as server, new_client() as client:
            server.told = asyncio.Event()
            await client.fetch(server.url)
            assert len(client.pool.idle()) == 1
            server.told.set()
            await server.until(lambda: not server.open)
            assert client.pool.idle() == []
            assert (await client.fetch(server.url)).body == b"hello"

    run(main())


@pytest.mark.parametrize(
    ("answer", "headers", "reused"),
    [
        (OK + b"Content-Length: 2\r\n\r\nhi", {}, True),
        (OK + b"Content-Length: 2\r\nConnection: close\r\n\r\nhi", {}, False),
        (OK + b"Content-Length: 2\r\n\r\nhi", {"Connection": "close"}, False),
        (OK + b"Content-Length: 2\r\n\r\nhi", {"Connection": "keep-alive"}, True),
        (CHUNKED + b"2\r\nhi\r\n0\r\n\r\n", {}, True),
        (CHUNKED + b"2\r\nhi\r\n0\r\nX-Trailer: 1\r\n\r\n", {}, True),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", {}, False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nhi", {}, True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", {}, True),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", {}, True),
        (b"HTTP/1.1 500 Broken\r\nContent-Length: 2\r\n\r\nno", {}, True),
        (b"HTTP/1.1 103 Hints\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nhi", {}, True),
        (OK + b"Content-Encoding: gzip\r\nContent-Length: 24\r\n\r\n" + gzip.compress(b"wind", mtime=0), {}, True),
    ],
)
def test_when_a_connection_is_used_again(run, serve, new_client, answer, headers, reused):
    async def main():
        async with serve(answer) as server, new_client() as client:
            for _ in range(3):
                await client.fetch(server.url, headers=headers, raise_error=False)
            assert server.connections == (1 if reused else 3)

    run(main())


def test_an_early_answer_ends_the_connection(run, serve, new_client, answers):
    """The rest of the request would be taken for the next one."""

    async def main():
        async def refuse(server, reader, writer):
            writer.write(answers.ok(b"too much", status=b"413 Too Large"))

        async def produce(write):
            await write(b"begin")
            await asyncio.Event().wait()

        async with serve(refuse) as server, new_client() as client:
            async with asyncio.timeout(20):
                # The server's helper reads a body to its end: this one has none before the answer.
                response = await client.fetch(
                    server.url, method="POST", body_producer=produce, raise_error=False,
                    headers={"Content-Length": "5", "X-Early": "1"},
                )  # fmt: skip
            assert response.code == 413
            assert client.pool.idle() == []

    run(main())


def test_limits_may_be_wider(run, serve, new_client):
    async def main():
        answer = OK + b"X: y\r\n" * 300 + b"Content-Length: 0\r\n\r\n"
        async with serve(answer) as server, new_client(limits=Limits(max_header_count=1000)) as client:
            assert len((await client.fetch(server.url)).headers.get_list("X")) == 300
        async with serve(OK + b"X: " + b"y" * 900 + b"\r\n\r\n") as server, new_client(max_header_size=800) as client:
            with pytest.raises(errors.ResponseHeadTooLargeError, match="over 800"):
                await client.fetch(server.url)

    run(main())


def test_a_bomb_does_not_hold_up_others(run, serve, new_client):
    """Decoding yields to the loop, however fast the bomb comes."""

    async def main():
        bomb = gzip.compress(bytes(60_000_000))
        turns = 0

        async def count():
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        answer = OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb
        async with serve(answer) as server, new_client() as client:
            size = 0

            def take(chunk):
                nonlocal size
                size += len(chunk)
                assert len(chunk) <= 65536

            counting = asyncio.ensure_future(count())
            await client.fetch(server.url, streaming_callback=take)
            counting.cancel()
            assert size == 60_000_000
            assert turns > 50

    run(main())
