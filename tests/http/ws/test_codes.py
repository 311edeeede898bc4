"""Tests for gustnado.http.ws.codes."""

from __future__ import annotations

import pytest

from gustnado.http.ws.codes import CloseCode, Opcode, is_valid_close_code


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999])
def test_codes_that_a_frame_may_hold(code):
    assert is_valid_close_code(code)


@pytest.mark.parametrize("code", [-1, 0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535])
def test_codes_that_no_frame_may_hold(code):
    """126: what is reserved, unassigned, or not a code at all (RFC 6455 section 7.4)."""
    assert not is_valid_close_code(code)


def test_numbers_are_those_of_the_rfc():
    assert [int(opcode) for opcode in Opcode] == [0, 1, 2, 8, 9, 10]
    assert CloseCode.TOO_BIG == 1009
    assert CloseCode.TRY_AGAIN_LATER == 1013
