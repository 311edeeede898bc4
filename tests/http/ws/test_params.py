"""Tests for gustnado.http.ws.params."""

from __future__ import annotations

import pytest

from gustnado.http.ws.params import SLOW_READER_POLICIES, ParamsError, WebSocketParams


def test_defaults_are_tornados_where_it_has_any():
    params = WebSocketParams()
    assert (params.ping_interval, params.ping_timeout, params.compression_options) == (None, None, None)
    assert params.max_message_size == 10 * 1024 * 1024
    assert params.close_timeout == 5


@pytest.mark.parametrize("policy", SLOW_READER_POLICIES)
def test_policies(policy):
    assert WebSocketParams(slow_reader=policy).slow_reader == policy


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"slow_reader": "ignore"}, "slow_reader is 'ignore', not one of wait, drop, close"),
        ({"max_message_size": 0}, "max_message_size is 0, not a number over 0"),
        ({"max_queue": -1}, "max_queue is -1"),
        ({"write_buffer": 0}, "write_buffer is 0"),
    ],
)
def test_values_that_cannot_be(given, words):
    with pytest.raises(ParamsError, match=words):
        WebSocketParams(**given)
