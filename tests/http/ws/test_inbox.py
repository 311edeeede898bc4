"""Tests for gustnado.http.ws.inbox."""

from __future__ import annotations

import asyncio

import pytest

from gustnado.http.ws.inbox import Inbox


def test_messages_come_out_in_order():
    inbox = Inbox(10, 1000)
    for message in ("a", b"b", ""):
        inbox.put(message)
    assert [inbox.take() for _ in range(len(inbox))] == ["a", b"b", ""]
    with pytest.raises(IndexError, match="no message"):
        inbox.take()


def test_it_is_full_by_number_and_by_size():
    inbox = Inbox(3, 10)
    for _ in range(3):
        assert not inbox.is_full()
        inbox.put("x")
    assert inbox.is_full()
    inbox.take()
    assert not inbox.is_full()
    inbox.put("x" * 8)
    assert inbox.is_full()
    inbox.clear()
    assert (inbox.is_full(), len(inbox)) == (False, 0)


def test_one_message_may_always_wait():
    inbox = Inbox(3, 10)
    assert not inbox.is_full()
    inbox.put("x" * 1000)
    assert inbox.is_full()
    assert len(inbox.take()) == 1000
    assert not inbox.is_full()


def test_readers_come_first_and_those_that_are_cancelled_are_passed_over(run):
    async def main():
        loop = asyncio.get_running_loop()
        inbox = Inbox(3, 10)
        readers = [loop.create_future() for _ in range(3)]
        for reader in readers:
            inbox.wait(reader)
        readers[1].cancel()
        for message in ("a", "b", "c"):
            inbox.put(message)
        assert [readers[0].result(), readers[2].result(), inbox.take()] == ["a", "b", "c"]

    run(main())


def test_the_end_is_told_to_all_readers(run):
    async def main():
        loop = asyncio.get_running_loop()
        inbox = Inbox(3, 10)
        readers = [loop.create_future() for _ in range(3)]
        for reader in readers:
            inbox.wait(reader)
        readers[0].cancel()
        inbox.end()
        inbox.end()
        assert [reader.result() for reader in readers[1:]] == [None, None]

    run(main())
