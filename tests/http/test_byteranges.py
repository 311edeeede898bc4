"""Several ranges of one content."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.http.byteranges import MAX_RANGES, MultipartRanges, select_ranges
from gustnado.http.ranges import ByteRange, RangeNotSatisfiable


@pytest.mark.parametrize(
    ("value", "ranges"),
    [
        (None, None),
        ("", None),
        ("bytes", None),
        ("bytes=0-1", [(0, 2)]),
        ("bytes=0-1,4-5", [(0, 2), (4, 6)]),
        ("bytes = 4-5 ,\t0-1", [(4, 6), (0, 2)]),
        ("BYTES=0-1,-1", [(0, 2), (9, 10)]),
        ("bytes=0-1,10-", [(0, 2)]),
        ("bytes=0-1,", None),
        ("bytes=0-1,x", None),
        ("bytes=0-1,0-", None),
        ("bytes=0-5,3-9", None),
        ("bytes=0-4,5-9", [(0, 5), (5, 10)]),
        ("lines=0-1,4-5", None),
    ],
)
def test_ranges(value, ranges):
    expected = None if ranges is None else [ByteRange(*pair) for pair in ranges]
    assert select_ranges(value, 10) == expected


def test_149_none_of_them_is_there():
    with pytest.raises(RangeNotSatisfiable):
        select_ranges("bytes=10-,11-12", 10)
    with pytest.raises(RangeNotSatisfiable):
        select_ranges("bytes=0-1,1-2", 0)


def test_149_more_than_the_bound_are_none():
    specs = [f"{number}-{number}" for number in range(MAX_RANGES + 1)]
    assert len(select_ranges("bytes=" + ",".join(specs[:MAX_RANGES]), 1000) or ()) == MAX_RANGES
    assert select_ranges("bytes=" + ",".join(specs), 1000) is None
    assert select_ranges("bytes=" + "0-0," * 100_000, 1000) is None


SPECS = st.tuples(st.integers(0, 30), st.integers(0, 30)).map(lambda pair: f"{pair[0]}-{pair[1]}")


@given(st.lists(SPECS | st.text(max_size=4)), st.integers(0, 40))
def test_no_request_makes_the_answer_longer_than_the_content(specs, size):
    try:
        ranges = select_ranges("bytes=" + ",".join(specs), size)
    except RangeNotSatisfiable:
        return
    if ranges is not None:
        assert 1 <= len(ranges) <= MAX_RANGES
        assert sum(map(len, ranges)) <= size
        assert all(0 <= part.start < part.stop <= size for part in ranges)


def test_a_body_says_its_length():
    content = bytes(range(100))
    body = MultipartRanges([ByteRange(0, 2), ByteRange(90, 100)], 100, "text/plain", "edge")
    written = b"".join(head + content[part.start : part.stop] for head, part in body) + body.end
    assert len(body) == len(written)
    assert written.startswith(b"\r\n--edge\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/100\r\n\r\n")
    assert b"\r\n\r\n\x00\x01\r\n--edge\r\n" in written
    assert written.endswith(b"\r\n--edge--\r\n")


def test_a_type_that_is_not_known_is_left_out():
    assert MultipartRanges([ByteRange(0, 2)], 9, "", "e").heads == [b"\r\n--e\r\nContent-Range: bytes 0-1/9\r\n\r\n"]
