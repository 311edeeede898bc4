"""What the tests of this room share: frames by the letter of RFC 6455, and connections with a raw peer."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import itertools
import socket
import struct
import sys

import pytest

from gustnado.events.stream import IOStream
from gustnado.http.ws.connection import WebSocketProtocol13
from gustnado.http.ws.params import WebSocketParams
from gustnado.http.ws.protocol import WebSocketCodec

DEADLINE = 100.0  # seconds; far above what any test takes, so that only a hang meets it


def frame_of(opcode, payload=b"", *, fin=True, rsv=0, mask=None, length=None, wide=None):
    """A frame, malformed where it is told to be.

    ``length`` is announced instead of that of the payload, in ``wide`` bytes (1, 2 or 8) instead of the least.
    """
    size = len(payload) if length is None else length
    if wide is None:
        wide = 1 if size < 126 else 2 if size < 65536 else 8
    masked = 0 if mask is None else 128
    first = (128 if fin else 0) | rsv << 4 | opcode
    head = {
        1: lambda: struct.pack("!BB", first, masked | size),
        2: lambda: struct.pack("!BBH", first, masked | 126, size),
        8: lambda: struct.pack("!BBQ", first, masked | 127, size),
    }[wide]()
    if mask is None:
        return head + payload
    return head + mask + bytes(a ^ b for a, b in zip(payload, itertools.cycle(mask), strict=False))


@pytest.fixture
def frame():
    """``frame(opcode, payload, fin=, rsv=, mask=, length=, wide=)``: its bytes."""
    return frame_of


@pytest.fixture
def pieces():
    """``pieces(data, places)``: the data cut at these places."""

    def cut(data, places):
        bounds = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
        return [data[a:b] for a, b in itertools.pairwise(bounds) if a < b]

    return cut


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request):
    """``run(coroutine)`` runs it in a new event loop, gives its result, and fails if it hangs."""
    if request.param == "uvloop" and importlib.util.find_spec("uvloop") is None:
        pytest.skip("uvloop is not installed")

    def new_loop():
        if request.param == "asyncio":
            return asyncio.new_event_loop()
        import uvloop

        return uvloop.new_event_loop()

    def in_new_loop(coroutine):
        with asyncio.Runner(loop_factory=new_loop) as runner:
            return runner.run(asyncio.wait_for(coroutine, DEADLINE))

    return in_new_loop


class RecordingProgram:
    """The program's side: notes what it is told. ``on_message`` may be replaced."""

    def __init__(self):
        self.told = []
        self.logged = []
        self.over = asyncio.Event()

    def on_message(self, message):
        self.told.append(message)

    def on_ping(self, data):
        self.told.append(("ping", data))

    def on_pong(self, data):
        self.told.append(("pong", data))

    def on_ws_connection_close(self, close_code=None, close_reason=None):
        self.told.append(("over", close_code, close_reason))
        self.over.set()

    def log_exception(self, typ, value, tb):
        self.logged.append(value)


class RawPeer:
    """The other end of the connection, by hand."""

    def __init__(self, reader, writer, is_client):
        self.reader = reader
        self.writer = writer
        self.codec = WebSocketCodec(is_client)

    def say(self, *texts):
        for text in texts:
            self.writer.write(self.codec.message(text.encode(), False))

    def ping(self, data=b""):
        self.writer.write(self.codec.ping(data))

    def close(self, code=None, reason=None):
        self.writer.write(self.codec.close(code, reason))

    def send(self, data):
        self.writer.write(data)

    async def hear(self):
        """The next event, as ``(opcode, payload)``; of a close frame what it says; ``None`` at the end."""
        while not (kind := self.codec.next_event()):
            try:
                data = await self.reader.read(65536)
            except ConnectionError:
                return None
            if not data:
                return None
            self.codec.feed(data)
        return (8, self.codec.close_code, self.codec.close_reason) if kind == 8 else (kind, self.codec.payload)

    async def is_at_end(self):
        """Wait for the end; whether it came without another byte."""
        try:
            return await self.reader.read() == b""
        except ConnectionError:
            return True


class Link:
    """A connection under test: ``program``, ``protocol`` and ``peer``."""

    def __init__(self, program, protocol, peer):
        self.program = program
        self.protocol = protocol
        self.peer = peer


@pytest.fixture
def recording():
    """``recording()`` makes a :class:`RecordingProgram`."""
    return RecordingProgram


@pytest.fixture
def linked():
    """``async with linked(is_client=False, released=True, **params) as link``: see :class:`Link`.

    Small socket buffers make a peer that does not read noticed soon.
    """

    @contextlib.asynccontextmanager
    async def make(is_client=False, released=True, before=None, **params):
        ours, theirs = socket.socketpair()
        for sock in (ours, theirs):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            sock.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=theirs, limit=4096)
        program = RecordingProgram()
        protocol = WebSocketProtocol13(program, is_client, WebSocketParams(**params))
        if before is not None:
            before(protocol)
        stream = IOStream(ours)
        await stream.write(b"")
        protocol.begin(stream)
        if released:
            protocol.release()
        link = Link(program, protocol, RawPeer(reader, writer, not is_client))
        try:
            yield link
        finally:
            writer.close()
            protocol.abort()
            await program.over.wait()

    return make


@pytest.fixture
def eager():
    """Whether a coroutine begins at once (Python 3.12)."""
    return sys.version_info >= (3, 12)
