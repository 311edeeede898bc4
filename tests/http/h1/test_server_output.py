"""What a connection writes, and when it leaves; over a stream that is not there."""

from __future__ import annotations

import pytest

from gustnado.errors import StreamClosedError

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def asked(connect):
    """A client that waits, and the message that is to be answered."""
    messages: list = []
    peer = connect(on_finish=messages.append)
    peer.send(GET)
    return peer, messages[0]


class TestCollecting:
    def test_the_writes_of_a_turn_leave_together(self, asked) -> None:
        peer, message = asked

        def write() -> None:
            message.head(Content_Length="9")
            for _ in range(3):
                message.connection.write(b"abc")
            assert peer.stream.wire.writes == 0

        peer.do(write)
        assert peer.stream.wire.writes == 1
        assert peer.received().endswith(b"\r\n\r\nabcabcabc")

    def test_much_is_handed_over_at_once(self, asked) -> None:
        peer, message = asked

        def write() -> None:
            message.head(Content_Length=str(1 << 20))
            message.connection.write(b"0" * 70_000)
            assert peer.stream.wire.writes == 1

        peer.do(write)


class TestBackpressure:
    def test_writes_are_done_at_once_while_the_peer_reads(self, asked) -> None:
        peer, message = asked
        peer.do(lambda: message.head())
        futures: list = []
        peer.do(lambda: futures.append(message.connection.write(b"a")))
        assert futures[0].done()

    def test_writes_wait_for_a_slow_peer(self, asked) -> None:
        peer, message = asked
        futures: list = []
        peer.do(lambda: message.head())
        peer.do(peer.connection.pause_writing)
        peer.do(lambda: futures.extend(message.connection.write(b"a") for _ in range(2)))
        assert not any(future.done() for future in futures)
        futures[0].cancel()
        peer.do(peer.connection.resume_writing)
        assert futures[1].result() is None
        assert futures[0].cancelled()

    def test_they_fail_where_it_goes_instead(self, asked) -> None:
        peer, message = asked
        futures: list = []
        peer.do(lambda: message.head())
        peer.do(peer.connection.pause_writing)
        peer.do(lambda: futures.append(message.connection.write(b"a")))
        peer.leave()
        with pytest.raises(StreamClosedError):
            futures[0].result()
