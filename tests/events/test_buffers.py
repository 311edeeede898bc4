"""A read buffer gives out exactly what was put in, however it was cut."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gustnado.events.buffers import COMPACT_ABOVE, ReadBuffer


def test_a_piece_that_is_taken_whole_is_not_copied():
    piece = b"x" * 5000
    buffer = ReadBuffer()
    buffer.append(piece)
    assert buffer.take(5000) is piece
    assert len(buffer) == 0


def test_many_takes_from_one_piece():
    buffer = ReadBuffer(b"abcdef")
    assert [buffer.take(1), buffer.take(2), len(buffer), buffer.take(3)] == [b"a", b"bc", 3, b"def"]


def test_find_says_where_the_delimiter_ends_counted_from_the_front():
    buffer = ReadBuffer(b"--one\r\n")
    buffer.take(2)
    assert buffer.find(b"\r\n") == 5
    assert buffer.find(b"\n\n") == -1


def test_find_across_pieces_and_from_a_start():
    buffer = ReadBuffer(b"one\r")
    buffer.append(b"\ntwo\r\n")
    assert buffer.find(b"\r\n") == 5
    assert buffer.find(b"\r\n", 4) == 10


def test_a_pattern_does_not_see_what_was_taken():
    buffer = ReadBuffer(b"abc")
    buffer.take(1)
    assert buffer.search(re.compile(rb"^b")) == 1
    assert buffer.search(re.compile(rb"(?<=a)b")) == -1


def test_the_store_can_grow_after_a_search():
    buffer = ReadBuffer(b"a")
    buffer.append(b"b")
    assert buffer.search(re.compile(rb"c")) == -1
    buffer.append(b"c")
    assert buffer.search(re.compile(rb"c")) == 3


def test_copying_leaves_the_bytes_in_place_and_skipping_removes_them():
    buffer = ReadBuffer(b"abcdef")
    buffer.take(1)
    target = bytearray(4)
    with memoryview(target) as view:
        buffer.copy_into(view, 3)
    assert target == b"bcd\0"
    buffer.skip(3)
    assert buffer.take(2) == b"ef"


def test_what_was_taken_from_a_growing_store_is_given_back():
    buffer = ReadBuffer(b"x")
    buffer.append(b"y" * (3 * COMPACT_ABOVE))
    buffer.take(2 * COMPACT_ABOVE)
    buffer.append(b"z")
    assert len(buffer._store) == len(buffer) == COMPACT_ABOVE + 2


operations = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.binary(max_size=200)),
        st.tuples(st.just("take"), st.integers(0, 300)),
        st.tuples(st.just("skip"), st.integers(0, 300)),
        st.tuples(st.just("find"), st.binary(min_size=1, max_size=2)),
    ),
    max_size=40,
)


@settings(deadline=None, max_examples=300)
@given(operations)
def test_behaves_like_a_plain_bytes_object(steps):
    buffer, model = ReadBuffer(), b""
    for name, value in steps:
        if name == "append":
            buffer.append(value)
            model += value
        elif name == "find":
            at = model.find(value)
            assert buffer.find(value) == (at + len(value) if at >= 0 else -1)
            assert buffer.search(re.compile(re.escape(value))) == buffer.find(value)
        else:
            size = min(value, len(model))
            if name == "take":
                assert buffer.take(size) == model[:size]
            else:
                buffer.skip(size)
            model = model[size:]
        assert len(buffer) == len(model)


@pytest.mark.parametrize("pieces", [[b"abc"], [b"a", b"bc"]])
def test_what_is_taken_is_immutable(pieces):
    buffer = ReadBuffer()
    for piece in pieces:
        buffer.append(piece)
    assert type(buffer.take(2)) is bytes
    assert type(buffer.take(1)) is bytes
