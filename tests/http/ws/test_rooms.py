"""Tests for gustnado.http.ws.rooms."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from gustnado.http.ws.errors import WebSocketClosedError
from gustnado.http.ws.params import ParamsError
from gustnado.http.ws.prepared import PreparedMessage
from gustnado.http.ws.rooms import Room, RoomBusyError, Rooms


class FakeConnection:
    """A connection that keeps what it is offered, may be slow, and may be closed."""

    def __init__(self):
        self.sent = []
        self.slow = False
        self.closed = None

    def is_closing(self):
        return self.closed is not None

    def offer(self, message):
        if self.slow or self.closed:
            return False
        self.sent.append(message.payload.decode())
        return True

    def close(self, code, reason):
        self.closed = (code, reason)


class FakeMember:
    def __init__(self):
        self.ws_connection = FakeConnection()

    @property
    def sent(self):
        return self.ws_connection.sent


def filled(count, **options):
    room, members = Room(**options), [FakeMember() for _ in range(count)]
    for member in members:
        room.add(member)
    return room, members


def test_all_members_get_it_but_the_one_that_is_excluded():
    room, members = filled(3)
    assert room.broadcast("a") == 3
    assert room.broadcast("b", exclude=members[1]) == 2
    assert [member.sent for member in members] == [["a", "b"], ["a"], ["a", "b"]]
    assert list(room) == members


def test_each_is_in_it_once():
    room, (member,) = filled(1)
    room.add(member)
    room.broadcast("a")
    assert member.sent == ["a"]
    assert (len(room), member in room) == (1, True)
    room.discard(member)
    room.discard(member)
    assert (len(room), member in room, room.broadcast("b")) == (0, False, 0)


def test_a_message_may_have_been_prepared():
    room, members = filled(2)
    room.broadcast(PreparedMessage("p"))
    room.broadcast({"a": 1})
    assert members[0].sent == ["p", '{"a":1}']


def test_who_has_no_connection_cannot_get_in():
    member = FakeMember()
    member.ws_connection = None
    with pytest.raises(WebSocketClosedError, match="has no connection"):
        Room().add(member)


def test_a_slow_one_misses_messages_and_harms_nobody():
    room, (fast, slow) = filled(2)
    slow.ws_connection.slow = True
    room.broadcast("a")
    slow.ws_connection.slow = False
    room.broadcast("b")
    assert (fast.sent, slow.sent, room.dropped, slow.ws_connection.closed) == (["a", "b"], ["b"], 1, None)


def test_a_slow_one_is_closed_where_that_is_the_policy():
    room, (fast, slow) = filled(2, slow_reader="close")
    slow.ws_connection.slow = True
    room.broadcast("a")
    room.broadcast("b")
    assert slow.ws_connection.closed == (1013, "too slow to read")
    assert list(room) == [fast]


def test_policies_that_do_not_exist():
    for kind in (Room, Rooms):
        with pytest.raises(ParamsError, match="'wait', not one of drop, close"):
            kind("wait")


def test_those_that_have_closed_are_gone():
    room, (one, two) = filled(2)
    one.ws_connection.closed = (1000, None)
    room.broadcast("a")
    assert list(room) == [two]
    reconnected = FakeMember()
    room.add(reconnected)
    old, reconnected.ws_connection = reconnected.ws_connection, FakeConnection()
    room.add(reconnected)
    old.closed = (1000, None)
    room.broadcast("b")
    assert reconnected.sent == ["b"]


def test_many_receivers_leave_the_loop_its_turn_and_messages_keep_their_order(run):
    async def main():
        room, members = filled(1750)
        room.broadcast("a")
        room.broadcast("b")
        sent = [sum(len(member.sent) for member in members)]
        while sent[-1] < 3500:
            await asyncio.sleep(0)
            sent.append(sum(len(member.sent) for member in members))
        assert max(after - before for before, after in zip([0, *sent], sent, strict=False)) <= 500
        assert all(member.sent == ["a", "b"] for member in members)

    run(main())


def test_one_that_joins_or_leaves_meanwhile(run):
    async def main():
        room, members = filled(600)
        room.broadcast("a")
        late = FakeMember()
        room.add(late)
        room.broadcast("b")
        while len(late.sent) < 1:
            await asyncio.sleep(0)
        assert late.sent == ["b"]
        assert members[599].sent == ["a", "b"]

    run(main())


def test_more_messages_than_can_be_sent_are_refused(run):
    """And none is half sent."""

    async def main():
        room, members = filled(501)
        with pytest.raises(RoomBusyError, match="1000 messages to a room of 501"):
            for number in range(2000):
                room.broadcast(str(number))
        while len(members[500].sent) < 1000:
            await asyncio.sleep(0)
        assert members[500].sent == members[0].sent == [str(number) for number in range(1000)]
        room.broadcast("on")

    run(main())


class TestRooms:
    def test_rooms_are_there_while_somebody_is_in_them(self):
        rooms, one, two = Rooms(), FakeMember(), FakeMember()
        assert rooms.join("a", one) is rooms["a"]
        rooms.join("a", two)
        rooms.join("b", two)
        assert (sorted(rooms), len(rooms), "a" in rooms) == (["a", "b"], 2, True)
        assert rooms.broadcast("a", "x", exclude=one) == 1
        assert rooms.broadcast("none", "y") == 0
        assert (one.sent, two.sent) == ([], ["x"])
        rooms.leave(two)
        assert list(rooms) == ["a"]
        rooms.leave(one, "a")
        rooms.leave(one, "a")
        assert not len(rooms)
        with pytest.raises(KeyError):
            rooms["a"]

    def test_a_room_of_those_that_have_closed_is_gone(self):
        rooms, member = Rooms("close"), FakeMember()
        rooms.join("a", member)
        member.ws_connection.closed = (1000, None)
        rooms.broadcast("a", "x")
        assert "a" not in rooms

    def test_who_has_no_connection_makes_no_room(self):
        rooms, member = Rooms(), FakeMember()
        member.ws_connection = None
        with pytest.raises(WebSocketClosedError):
            rooms.join("a", member)
        assert not len(rooms)


def test_over_sockets_a_stalled_receiver_harms_nobody(run, linked):
    """128: and its memory is bounded."""

    async def main():
        room = Room()
        async with contextlib.AsyncExitStack() as stack:
            links = [await stack.enter_async_context(linked(write_buffer=50_000)) for _ in range(4)]
            for link in links:
                member = FakeMember()
                member.ws_connection = link.protocol
                room.add(member)
            hearing = [asyncio.ensure_future(listen(link.peer, 200)) for link in links[1:]]
            for number in range(200):
                room.broadcast(f"{number} " + "x" * 1000)
                await asyncio.sleep(0)
            assert [await heard for heard in hearing] == [list(map(str, range(200)))] * 3
            assert links[0].protocol.stream.transport.get_write_buffer_size() < 55_000
            assert room.dropped > 50

    async def listen(peer, count):
        heard = []
        while len(heard) < count:
            heard.append((await peer.hear())[1].split()[0])
        return heard

    run(main())
