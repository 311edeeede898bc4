"""What libcurl may write, and how it is made to wait."""

from __future__ import annotations

import pytest

from gustnado.http.client.curl_body import CurlBody, CurlStreamingBuffer

pycurl = pytest.importorskip("pycurl")


class Loop:
    def __init__(self):
        self.calls = []

    def add_callback(self, callback):
        self.calls.append(callback)

    def turn(self):
        calls, self.calls = self.calls, []
        for callback in calls:
            callback()


class Client:
    max_body_size = 100

    def __init__(self):
        self.io_loop = Loop()
        self.timeouts = []

    def _set_timeout(self, milliseconds):
        self.timeouts.append(milliseconds)


class Curl:
    def __init__(self, error=None):
        self.error = error
        self.resumed = 0

    def pause(self, flags):
        assert flags == pycurl.PAUSE_CONT
        if self.error is not None:
            raise self.error
        self.resumed += 1


@pytest.fixture
def stream(monkeypatch):
    monkeypatch.setattr(CurlStreamingBuffer, "max_buffer_size", 4)
    chunks: list[bytes] = []
    buffer = CurlStreamingBuffer(Client(), Curl(), chunks.append)
    return buffer, chunks


def test_a_body_that_is_kept():
    body = CurlBody(5)
    assert (body.write(b"abc"), body.write(b"de")) == (3, 2)
    assert (body.data(), body.body_too_large) == (b"abcde", False)
    assert body.write(b"f") == 0
    assert body.body_too_large


def test_nothing_is_called_from_within_libcurl(stream):
    buffer, chunks = stream
    assert buffer.write(b"abc") == 3
    assert chunks == []
    buffer._client.io_loop.turn()
    assert chunks == [b"abc"]
    assert not buffer.paused


def test_a_slow_callback_makes_libcurl_wait(stream):
    buffer, chunks = stream
    assert buffer.write(b"abcde") == 5
    assert buffer.write(b"f") == pycurl.WRITEFUNC_PAUSE
    assert buffer.paused
    buffer._client.io_loop.turn()
    assert (chunks, buffer.paused, buffer._curl.resumed) == ([b"abcde"], False, 1)
    assert buffer._client.timeouts == [0]


def test_a_transfer_that_has_failed_meanwhile(stream):
    buffer, _ = stream
    buffer._curl.error = pycurl.error(pycurl.E_WRITE_ERROR, "x")
    buffer.write(b"abcde")
    buffer.write(b"f")
    buffer._client.io_loop.turn()
    assert (buffer.paused, buffer._client.timeouts) == (False, [])


def test_more_than_the_limit(stream):
    buffer, chunks = stream
    buffer._client.max_body_size = 6
    assert (buffer.write(b"abc"), buffer.write(b"defg")) == (3, 0)
    assert buffer.body_too_large
    buffer.finish()
    assert chunks == [b"abc"]


def test_after_the_end_the_handle_is_left_alone(stream):
    buffer, chunks = stream
    curl = buffer._curl
    buffer.write(b"abcde")
    buffer.write(b"f")
    buffer.finish()
    assert (chunks, curl.resumed) == ([b"abcde"], 0)
    buffer._client.io_loop.turn()
    assert curl.resumed == 0


def test_a_callback_that_raises_does_not_stop_the_rest(stream):
    buffer, chunks = stream

    def fail_once(chunk):
        buffer.callback = chunks.append
        raise ZeroDivisionError

    buffer.callback = fail_once
    buffer.write(b"ab")
    buffer.write(b"cd")
    with pytest.raises(ZeroDivisionError):
        buffer._client.io_loop.turn()
    buffer._client.io_loop.turn()
    assert chunks == [b"cd"]
