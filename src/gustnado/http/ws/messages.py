"""Messages out of frames (RFC 6455 section 5.4): fragments put together, inflated, and checked as they come.

:class:`MessageReader` is a :class:`~gustnado.http.ws.frames.FrameReader` that reads whole messages, and the control
frames between their fragments. A text that is not UTF-8 is refused at the first wrong byte, and a message that
is inflated over its limit when it gets there; neither waits for the end of its frame.

>>> reader = MessageReader(masked=False, max_size=100)
>>> reader.feed(b"\\x01\\x03Hel" b"\\x89\\x00" b"\\x80\\x02lo")
>>> reader.read(), reader.payload
(9, b'')
>>> reader.read(), reader.payload
(1, 'Hello')
>>> reader.read()
0
"""

from __future__ import annotations

from codecs import utf_8_decode
from typing import TYPE_CHECKING

from gustnado.http.ws.codes import CloseCode
from gustnado.http.ws.errors import WebSocketProtocolError
from gustnado.http.ws.frames import FrameReader

if TYPE_CHECKING:
    from gustnado.http.ws.deflate import Inflater

__all__ = ["MessageReader"]

_TEXT = 1
_NOT_UTF8 = "a text that is not UTF-8"
_WORTH_KEEPING = 1024  # bytes; shorter pieces are copied together, so that many of them take no more room


class MessageReader(FrameReader):
    """Reads messages and control frames.

    The parameters are those of :class:`~gustnado.http.ws.frames.FrameReader`, and

    :param inflater: what inflates compressed messages, where compression has been agreed on.
    :ivar message_bytes_in: bytes of all messages so far, inflated.
    :ivar payload: of what :meth:`read` has found: a ``str`` for a text, else ``bytes``.
    """

    __slots__ = (
        "_inflater", "_kind", "_parts", "_plain_size", "_reading", "_small", "_tail", "message_bytes_in", "payload",
    )  # fmt: skip

    def __init__(
        self, masked: bool, max_size: int, max_fragments: int = 1024, inflater: Inflater | None = None
    ) -> None:
        FrameReader.__init__(self, masked, max_size, max_fragments)
        self.deflate = inflater is not None
        self._inflater = inflater
        self._reading = False  # within a frame
        self._kind = 0  # of the message that is being put together
        self._parts: list[bytes | bytearray] | None = None
        self._small: bytearray | None = None  # pieces that are too short to be kept each
        self._plain_size = 0  # of its parts
        self._tail = b""  # the beginning of a character of a text
        self.payload: str | bytes = b""
        self.message_bytes_in = 0

    def take_payload(self) -> str | bytes:
        """:attr:`payload`, once: it is not kept here."""
        payload = self.payload
        self.payload = b""
        return payload

    def read(self) -> int:
        """Read on to the end of a message or of a control frame.

        :returns: its opcode, or 0 where more bytes are needed first.
        :raises gustnado.http.ws.errors.WebSocketProtocolError: where there is none to come.
        """
        while True:
            if not self._reading:
                if not self.read_head():
                    return 0
                self._reading = True
            there = self.available()
            if self.opcode >= 8:
                if there < self.left:
                    return 0
                self.payload = self.take(there)
                self._reading = False
                return self.opcode
            if self._parts is None:
                if self.fin and there == self.left and not self.compressed:
                    self._reading = False
                    return self._read_whole(there)
                self._begin()
            if there:
                self._add(self.take(there))
            if self.left:
                return 0
            self._reading = False
            if self.fin:
                return self._finish()

    def _read_whole(self, size: int) -> int:
        """A message in one frame, all of which is there."""
        self.message_bytes_in += size
        whole = self.take(size)
        if self.opcode != _TEXT:
            self.payload = whole
            return self.opcode
        try:
            self.payload = whole.decode("utf-8")
        except UnicodeDecodeError:
            raise WebSocketProtocolError(_NOT_UTF8, CloseCode.INVALID_DATA) from None
        return _TEXT

    def _begin(self) -> None:
        self._kind = self.opcode
        self._parts = []
        self._plain_size = 0
        self._tail = b""

    def _add(self, piece: bytes) -> None:
        """Take a piece of a message as it came."""
        if self.compressed and self._inflater is not None:
            self._add_plain(self._inflater.inflate(piece, self.max_size - self._plain_size))
        else:
            self._add_plain(piece)

    def _add_plain(self, piece: bytes) -> None:
        if self._kind == _TEXT:
            self._check_text(piece)
        size = len(piece)
        self._plain_size += size
        if size < _WORTH_KEEPING:
            if self._small is None:
                self._small = bytearray(piece)
            else:
                self._small += piece
            return
        self._keep_small()
        if self._parts is not None:
            self._parts.append(piece)

    def _keep_small(self) -> None:
        if self._small is not None and self._parts is not None:
            self._parts.append(self._small)
            self._small = None

    def _check_text(self, piece: bytes) -> None:
        data = self._tail + piece if self._tail else piece
        try:
            _, used = utf_8_decode(data, "strict", False)
        except UnicodeDecodeError:
            raise WebSocketProtocolError(_NOT_UTF8, CloseCode.INVALID_DATA) from None
        self._tail = tail = data[used:]
        # The half of a surrogate pair, which the decoder refuses only when its third byte is there.
        if len(tail) == 2 and tail[0] == 0xED and tail[1] >= 0xA0:
            raise WebSocketProtocolError(_NOT_UTF8, CloseCode.INVALID_DATA)

    def _finish(self) -> int:
        if self.compressed and self._inflater is not None:
            self._inflater.finish()
        if self._tail:
            raise WebSocketProtocolError(_NOT_UTF8, CloseCode.INVALID_DATA)
        self._keep_small()
        data = b"".join(self._parts or ())
        self._parts = None
        self.message_bytes_in += len(data)
        self.payload = data.decode() if self._kind == _TEXT else data
        return self._kind
