"""Rooms: connections of this process that get the same messages.

::

    rooms = Rooms()

    class Chat(WebSocketHandler):
        def open(self, name):
            rooms.join(name, self)

        def on_message(self, message):
            rooms.broadcast(self.path_args[0], message)

        def on_close(self):
            rooms.leave(self)

A message to a room is framed once. Nobody waits for a receiver that does not read: it misses messages, or is
closed. After a number of receivers the loop gets its turn; messages keep their order all the same.
"""

from __future__ import annotations

import asyncio
import dataclasses
from asyncio import _get_running_loop as running_loop
from collections import deque
from collections.abc import Iterator
from typing import Any, Protocol

from gustnado.errors import OperationError
from gustnado.http.ws.connection import WebSocketProtocol
from gustnado.http.ws.errors import WebSocketClosedError
from gustnado.http.ws.params import ParamsError
from gustnado.http.ws.prepared import PreparedMessage
from gustnado.http.ws.sending import offer_to

__all__ = ["Member", "Room", "RoomBusyError", "Rooms"]

_TURN = 500  # receivers before the loop gets its turn
_MAX_WAITING = 1000  # messages that have not been sent to all


class RoomBusyError(OperationError):
    """More messages are sent to a room than its receivers can be given."""


class Member(Protocol):
    """Who can be in a room: a handler, or whatever else has a connection."""

    ws_connection: WebSocketProtocol | None


@dataclasses.dataclass(slots=True)
class _Delivery:
    """A message on its way to those who were members when it was sent."""

    message: PreparedMessage
    members: list[Member]
    receivers: list[WebSocketProtocol]
    done: int = 0


class Room:
    """Connections that get the same messages. To be used on one loop.

    :param slow_reader: what becomes of a message to one that has not read those before: ``"drop"``, it is not sent;
        ``"close"``, the connection closes with 1013.
    :raises ParamsError: where it is neither.
    :ivar dropped: messages that were not sent for that reason.
    """

    def __init__(self, slow_reader: str = "drop") -> None:
        if slow_reader not in ("drop", "close"):
            raise ParamsError(f"slow_reader of a room is {slow_reader!r}, not one of drop, close")
        self.slow_reader = slow_reader
        self.dropped = 0
        self._members: dict[Member, WebSocketProtocol] = {}
        self._waiting: deque[_Delivery] = deque()

    def __len__(self) -> int:
        return len(self._members)

    def __contains__(self, member: object) -> bool:
        return member in self._members

    def __iter__(self) -> Iterator[Member]:
        """The members; who joins or leaves meanwhile does not matter."""
        return iter(list(self._members))

    def add(self, member: Member) -> None:
        """Let ``member`` in. It goes by itself when its connection closes.

        :raises WebSocketClosedError: where it has none.
        """
        connection = member.ws_connection
        if connection is None:
            raise WebSocketClosedError(f"{member!r} has no connection")
        self._members[member] = connection

    def discard(self, member: Member) -> None:
        """Let ``member`` go; where it is not there, nothing happens."""
        self._members.pop(member, None)

    def broadcast(
        self,
        message: str | bytes | dict[str, Any] | PreparedMessage,
        binary: bool = False,
        exclude: Member | None = None,
    ) -> int:
        """Send a message to all members.

        :param message: as for ``write_message``, or prepared already; so is ``binary``.
        :param exclude: a member that does not get it, such as the one whose message it is.
        :returns: how many there are.
        :raises TypeError: where it is no message.
        :raises RoomBusyError: where too many messages wait to be sent to all; this one is not sent then.
        """
        if len(self._waiting) >= _MAX_WAITING:
            raise RoomBusyError(f"{_MAX_WAITING} messages to a room of {len(self._members)} wait to be sent")
        prepared = message if isinstance(message, PreparedMessage) else PreparedMessage(message, binary)
        members, receivers = list(self._members), list(self._members.values())
        if exclude is not None and exclude in self._members:
            place = members.index(exclude)
            del members[place], receivers[place]
        self._waiting.append(_Delivery(prepared, members, receivers))
        if len(self._waiting) == 1:
            self._go_on()
        return len(receivers)

    def _go_on(self) -> None:
        """Send to some receivers more."""
        left, loop = _TURN, running_loop()
        while self._waiting:
            delivery = self._waiting[0]
            start, end = delivery.done, len(delivery.receivers)
            delivery.done = stop = min(start + left, end)
            for place in offer_to(delivery.message, delivery.receivers, start, stop, loop):
                self._refused(delivery.members[place], delivery.receivers[place])
            left -= stop - start
            if not left:
                asyncio.get_running_loop().call_soon(self._go_on)
                return
            self._waiting.popleft()

    def _refused(self, member: Member, connection: WebSocketProtocol) -> None:
        """A member has not been sent a message."""
        if connection.is_closing():
            if self._members.get(member) is connection:
                del self._members[member]
            return
        self.dropped += 1
        if self.slow_reader == "close":
            connection.close(1013, "too slow to read")


class Rooms:
    """Rooms by name, each there as long as somebody is in it.

    :param slow_reader: as for :class:`Room`.
    """

    def __init__(self, slow_reader: str = "drop") -> None:
        Room(slow_reader)
        self._slow_reader = slow_reader
        self._rooms: dict[str, Room] = {}

    def __getitem__(self, name: str) -> Room:
        """The room ``name``.

        :raises KeyError: where nobody is in it.
        """
        return self._rooms[name]

    def __contains__(self, name: object) -> bool:
        return name in self._rooms

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return iter(list(self._rooms))

    def __len__(self) -> int:
        return len(self._rooms)

    def join(self, name: str, member: Member) -> Room:
        """Let ``member`` into the room ``name``, and return that.

        :raises WebSocketClosedError: where it has no connection.
        """
        room = self._rooms.get(name)
        if room is None:
            room = Room(self._slow_reader)
        room.add(member)
        self._rooms[name] = room
        return room

    def leave(self, member: Member, name: str | None = None) -> None:
        """Let ``member`` go from a room, or from all."""
        for one in [name] if name is not None else list(self._rooms):
            room = self._rooms.get(one)
            if room is not None:
                room.discard(member)
                self._drop_empty(one, room)

    def broadcast(
        self,
        name: str,
        message: str | bytes | dict[str, Any] | PreparedMessage,
        binary: bool = False,
        exclude: Member | None = None,
    ) -> int:
        """Send a message to all in the room ``name``; see :meth:`Room.broadcast`. Where nobody is, to nobody."""
        room = self._rooms.get(name)
        if room is None:
            return 0
        count = room.broadcast(message, binary, exclude)
        self._drop_empty(name, room)
        return count

    def _drop_empty(self, name: str, room: Room) -> None:
        if not len(room):
            del self._rooms[name]
