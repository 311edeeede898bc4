from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gustnado.http.ranges import ByteRange, RangeNotSatisfiable, if_range_holds, select_range

SIZE = 26


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ("bytes=0-9", (0, 10)),
        ("bytes=1-10000000", (1, 26)),
        ("bytes=22-", (22, 26)),
        ("bytes=-4", (22, 26)),
        ("bytes=5", (5, 26)),
        ("bytes=25-25", (25, 26)),
        (" bytes = 1 - 2 ", (1, 3)),
        ("BYTES=1-2", (1, 3)),
        ("bytes=1-" + "9" * 4000, (1, 26)),
        ("bytes=" + "0" * 30 + "1-2", (1, 3)),
    ],
)
def test_one_range(value, part):
    assert select_range(value, SIZE) == ByteRange(*part)


@pytest.mark.parametrize(
    "value", ["bytes=0-", "bytes=0-25", "bytes=0-99999999", "bytes=-26", "bytes=-1000000"]
)
def test_a_range_of_everything_is_no_part(value):
    assert select_range(value, SIZE) is None


@pytest.mark.parametrize(
    "value",
    [
        None, "", "asdf", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=1-2,6-10", "bytes=1-2,",
        "lines=1-2", "bytes=+1-2", "bytes=1_0-20", "bytes=0x1-2", "bytes=--1", "bytes=1-2-3", "bytes=1 2",
        "bytes=\u0661-\u0662", "bytes=1-2\n", "bytes=1.0-2",
    ],
)  # fmt: skip
def test_149_what_is_not_one_range_of_bytes_is_ignored(value):
    assert select_range(value, SIZE) is None


@pytest.mark.parametrize(
    "value", ["bytes=26-", "bytes=26", "bytes=10-3", "bytes=-0", "bytes=" + "9" * 4000 + "-"]
)
def test_149_no_byte_of_the_range_exists(value):
    with pytest.raises(RangeNotSatisfiable) as caught:
        select_range(value, SIZE)
    assert caught.value.content_range == "bytes */26"
    assert caught.value.status == 416


@pytest.mark.parametrize("value", ["bytes=0-", "bytes=-5", "bytes=0-0"])
def test_an_empty_content_has_no_ranges(value):
    with pytest.raises(RangeNotSatisfiable):
        select_range(value, 0)


def test_149_a_thousand_ranges_are_ignored():
    assert select_range("bytes=" + ",".join(["0-1"] * 1000), SIZE) is None


@settings(deadline=None, max_examples=300)
@given(first=st.none() | st.integers(0, 60), last=st.none() | st.integers(0, 60), size=st.integers(0, 50))
def test_a_range_is_a_proper_part_or_nothing(first, last, size):
    def text(number: int | None) -> str:
        return "" if number is None else str(number)

    content = bytes(range(size))
    try:
        part = select_range(f"bytes={text(first)}-{text(last)}", size)
    except RangeNotSatisfiable:
        wanted = (
            content[first : None if last is None else last + 1]
            if first is not None
            else content[size - (last or 0) :]
        )
        assert wanted == b""
        return
    if part is None:
        return
    assert 0 <= part.start < part.stop <= size
    assert len(part) < size
    if first is not None:
        assert content[part.start : part.stop] == content[first : None if last is None else last + 1]
    else:
        assert content[part.start : part.stop] == content[-(last or 0) :]
    assert part.content_range(size) == f"bytes {part.start}-{part.stop - 1}/{size}"


@settings(deadline=None, max_examples=200)
@given(value=st.text(alphabet="bytes=-0129, \t\n", max_size=20), size=st.integers(0, 20))
def test_no_field_is_too_odd(value, size):
    try:
        part = select_range(value, size)
    except RangeNotSatisfiable:
        return
    assert part is None or 0 <= part.start < part.stop <= size


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        ('"v1"', True),
        (' "v1" ', True),
        ('"v2"', False),
        ('W/"v1"', False),
        ("Mon, 23 Nov 2026 12:00:00 GMT", True),
        ("Mon, 23 Nov 2026 12:00:01 GMT", False),
        ("v1", False),
        ("", False),
    ],
)
def test_if_range(value, holds):
    assert if_range_holds(value, '"v1"', "Mon, 23 Nov 2026 12:00:00 GMT") is holds


def test_if_range_without_validators_never_holds():
    assert not if_range_holds('"v1"', None, None)
    assert not if_range_holds('W/"v1"', 'W/"v1"', None)
    assert not if_range_holds("Mon, 23 Nov 2026 12:00:00 GMT", None, None)
