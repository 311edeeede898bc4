"""How a connection is to behave: limits by Tornado's names."""

from __future__ import annotations

import inspect

import pytest

from gustnado.http.h1.parameters import HTTP1ConnectionParameters
from gustnado.http.limits import Limits


class TestParameters:
    def test_they_are_limits_by_tornados_names(self) -> None:
        params = HTTP1ConnectionParameters(
            no_keep_alive=True,
            chunk_size=10,
            max_header_size=20,
            header_timeout=30,
            max_body_size=40,
            body_timeout=50,
        )
        assert (params.no_keep_alive, params.chunk_size) == (True, 10)
        assert params.limits == Limits(
            max_header_size=20, header_timeout=30, idle_timeout=30, max_body_size=40, body_timeout=50
        )

    def test_what_is_not_given_is_as_the_limits_say(self) -> None:
        params = HTTP1ConnectionParameters(limits=Limits(max_body_size=7, body_timeout=8.0), max_body_size=9)
        assert params.limits == Limits(max_body_size=9, body_timeout=8.0)
        assert HTTP1ConnectionParameters().limits == Limits()

    def test_a_head_may_be_one_long_line(self) -> None:
        """As in Tornado, which knows no other bound."""
        limits = HTTP1ConnectionParameters(max_header_size=1 << 20).limits
        assert (limits.max_request_line, limits.max_field_size) == (1 << 20, 1 << 20)
        wider = Limits(max_field_size=1 << 21)
        limits = HTTP1ConnectionParameters(max_header_size=1 << 20, limits=wider).limits
        assert (limits.max_header_size, limits.max_field_size) == (1 << 20, 1 << 21)

    def test_a_zero_is_a_value(self) -> None:
        assert HTTP1ConnectionParameters(max_body_size=0).limits.max_body_size == 0

    def test_tornados_names_are_accepted(self) -> None:
        theirs = pytest.importorskip("tornado.http1connection").HTTP1ConnectionParameters
        ours = inspect.signature(HTTP1ConnectionParameters).parameters
        assert set(inspect.signature(theirs).parameters) - {"decompress"} <= set(ours)
