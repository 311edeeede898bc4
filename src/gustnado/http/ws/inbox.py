"""Messages that have arrived and wait for the program.

Either the connection takes them out, one after the other, or the program asks for them: then readers wait here, too.

>>> inbox = Inbox(max_count=2, max_size=100)
>>> inbox.put("one"), inbox.put("two")
(False, False)
>>> inbox.is_full(), inbox.take(), inbox.is_full(), len(inbox)
(True, 'one', False, 1)
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

__all__ = ["Inbox"]


class Inbox:
    """A queue with a bound, and those who wait at its end.

    :param max_count: messages, and
    :param max_size: bytes (or characters) of them, at which it is full. It takes more all the same.
    """

    __slots__ = ("_max_count", "_max_size", "_messages", "_readers", "_size")

    def __init__(self, max_count: int, max_size: int) -> None:
        self._max_count = max_count
        self._max_size = max_size
        self._size = 0
        self._messages: deque[str | bytes] | None = None  # mostly it is empty
        self._readers: deque[asyncio.Future[str | bytes | None]] | None = None

    def __len__(self) -> int:
        return 0 if self._messages is None else len(self._messages)

    def is_full(self) -> bool:
        """Whether no more should be put in."""
        messages = self._messages
        return messages is not None and (len(messages) >= self._max_count or self._size >= self._max_size)

    def put(self, message: str | bytes) -> bool:
        """Give a message to the first reader (true), or keep it."""
        if self._readers is not None and self._give(message):
            return True
        if self._messages is None:
            self._messages = deque()
        self._messages.append(message)
        self._size += len(message)
        return False

    def take(self) -> str | bytes:
        """The first message.

        :raises IndexError: where there is none.
        """
        if self._messages is None:
            raise IndexError("no message is there")
        message = self._messages.popleft()
        self._size -= len(message)
        if not self._messages:
            self._messages = None
        return message

    def clear(self) -> None:
        """Drop all messages."""
        self._messages = None
        self._size = 0

    def wait(self, reader: asyncio.Future[str | bytes | None]) -> None:
        """Have ``reader`` get the next message that is put in."""
        if self._readers is None:
            self._readers = deque()
        self._readers.append(reader)

    def end(self) -> None:
        """Tell all readers that there will be no message: ``None``."""
        while self._readers is not None:
            self._give(None)

    def _give(self, message: str | bytes | None) -> bool:
        """Give ``message`` to the first reader that has not been cancelled, if there is one."""
        readers = self._readers
        while readers:
            reader = readers.popleft()
            if not reader.done():
                reader.set_result(message)
                return True
        self._readers = None
        return False
