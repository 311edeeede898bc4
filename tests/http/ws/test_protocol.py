"""Tests for gustnado.http.ws.protocol, against wsproto and websockets at the other end."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import ProtocolError as WebsocketsError
from websockets.extensions.permessage_deflate import PerMessageDeflate as WebsocketsDeflate
from websockets.frames import Frame
from websockets.frames import Opcode as FrameOpcode
from websockets.protocol import CLIENT, SERVER, Protocol
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Message, Ping, Pong, TextMessage
from wsproto.extensions import PerMessageDeflate

from gustnado.http.ws.deflate import Deflater, Inflater
from gustnado.http.ws.errors import WebSocketClosedError, WebSocketProtocolError
from gustnado.http.ws.protocol import WebSocketCodec, close_payload

KEY = b"\x01\x82\xf3\x04"
NAMES = {1: "text", 2: "bytes", 8: "close", 9: "ping", 10: "pong"}


def events_of(codec, chunks):
    """What a codec reads: (name, payload)."""
    found = []
    for chunk in chunks:
        codec.feed(chunk)
        while kind := codec.next_event():
            payload = (codec.close_code, codec.close_reason) if kind == 8 else codec.payload
            found.append((NAMES[kind], payload))
    return found


class WsprotoPeer:
    """wsproto at the other end."""

    def __init__(self, is_client, bits=None, takeover=True):
        extensions = []
        if bits is not None:
            extension = PerMessageDeflate(not takeover, bits, not takeover, bits)
            extension._enabled = True
            extensions = [extension]
        kind = ConnectionType.CLIENT if is_client else ConnectionType.SERVER
        self.connection = Connection(kind, extensions)

    def say(self, name, payload, parts):
        """Bytes that say it, a message in that many fragments."""
        if name in ("ping", "pong"):
            return self.connection.send({"ping": Ping, "pong": Pong}[name](payload=payload))
        if name == "close":
            return self.connection.send(CloseConnection(code=payload[0], reason=payload[1]))
        kind = TextMessage if name == "text" else BytesMessage
        step = len(payload) // parts + 1
        cuts = list(range(0, max(len(payload), 1), step))
        return b"".join(
            self.connection.send(kind(data=payload[cut : cut + step], message_finished=cut == cuts[-1])) for cut in cuts
        )

    def hear(self, data):
        """What it reads."""
        self.connection.receive_data(data)
        found, parts = [], []
        for event in self.connection.events():
            if isinstance(event, Message):
                parts.append(event.data)
                if event.message_finished:
                    text = isinstance(event, TextMessage)
                    found.append(("text", "".join(parts)) if text else ("bytes", b"".join(map(bytes, parts))))
                    parts = []
            elif isinstance(event, CloseConnection):
                found.append(("close", (int(event.code), event.reason)))
            else:
                found.append((type(event).__name__.lower(), bytes(event.payload)))
        return found


class WebsocketsPeer:
    """websockets at the other end."""

    def __init__(self, is_client, bits=None, takeover=True):
        self.protocol = Protocol(CLIENT if is_client else SERVER)
        if bits is not None:
            self.protocol.extensions = [WebsocketsDeflate(not takeover, not takeover, bits, bits)]

    def say(self, name, payload, parts):
        protocol = self.protocol
        if name in ("ping", "pong"):
            {"ping": protocol.send_ping, "pong": protocol.send_pong}[name](payload)
        elif name == "close":
            protocol.send_close(*payload)
        else:
            data = payload.encode() if name == "text" else payload
            send = protocol.send_text if name == "text" else protocol.send_binary
            step = len(data) // parts + 1
            cuts = list(range(0, max(len(data), 1), step))
            for cut in cuts:
                (protocol.send_continuation if cut else send)(data[cut : cut + step], cut == cuts[-1])
        return b"".join(protocol.data_to_send())

    def hear(self, data):
        self.protocol.receive_data(data)
        found = []
        for frame in self.protocol.events_received():
            assert isinstance(frame, Frame)
            if frame.opcode is FrameOpcode.CLOSE:
                found.append(("close", (self.protocol.close_rcvd.code, self.protocol.close_rcvd.reason)))
            elif frame.opcode is FrameOpcode.TEXT:
                found.append(("text", bytes(frame.data).decode()))
            else:
                found.append(({2: "bytes", 9: "ping", 10: "pong"}[frame.opcode], bytes(frame.data)))
        return found


PEERS = [WsprotoPeer, WebsocketsPeer]
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
fragments = st.one_of(st.integers(1, 4), st.just(1000))  # so many, or one for each character
windows = st.sampled_from([None, *range(9, 16)])  # bits; None is not compressed
said = st.one_of(
    st.tuples(st.just("text"), texts, fragments),
    st.tuples(st.just("bytes"), st.binary(max_size=300), fragments),
    st.tuples(st.just("bytes"), st.builds(bytes, st.sampled_from([125, 126, 65535, 65536])), st.integers(1, 2)),
    st.tuples(st.just("ping"), st.binary(max_size=125), st.just(1)),
    st.tuples(st.just("pong"), st.binary(max_size=125), st.just(1)),
)


def codec_for(is_client, bits, takeover):
    if bits is None:
        return WebSocketCodec(is_client)
    return WebSocketCodec(is_client, deflater=Deflater(bits, takeover), inflater=Inflater(bits, takeover))


@pytest.mark.parametrize("peer_class", PEERS)
@given(st.lists(said, max_size=4), st.booleans(), windows, st.booleans(), st.data())
def test_what_a_peer_says_is_heard(peer_class, messages, is_client, bits, takeover, data):
    peer, codec = peer_class(not is_client, bits, takeover), codec_for(is_client, bits, takeover)
    wire = b"".join(peer.say(*message) for message in messages)
    wire += peer.say("close", (1001, "bye"), 1)
    if len(wire) < 3000:
        chunks = [wire[i : i + 1] for i in range(len(wire))]
    else:
        bounds = sorted(data.draw(st.sets(st.integers(0, len(wire)), max_size=6)) | {0, len(wire)})
        chunks = [wire[a:b] for a, b in itertools.pairwise(bounds)]
    expected = [message[:2] for message in messages]
    assert events_of(codec, chunks) == [*expected, ("close", (1001, "bye"))]


@pytest.mark.parametrize("peer_class", PEERS)
@given(st.lists(said, max_size=4), st.booleans(), windows, st.booleans())
def test_a_peer_hears_what_we_say(peer_class, messages, is_client, bits, takeover):
    peer, codec = peer_class(not is_client, bits, takeover), codec_for(is_client, bits, takeover)
    wire = b""
    for name, payload, _ in messages:
        if name in ("ping", "pong"):
            wire += codec.ping(payload) if name == "ping" else codec.pong(payload)
        else:
            wire += codec.message(payload.encode() if name == "text" else payload, name == "bytes")
    wire += codec.close(4000, "enough")
    expected = [message[:2] for message in messages]
    assert peer.hear(wire) == [*expected, ("close", (4000, "enough"))]
    assert codec.bytes_out == len(wire)


@given(st.binary(max_size=60), st.booleans(), st.booleans())
def test_random_bytes_are_read_alike_in_any_pieces(data, masked, deflate):
    """Either the same events come out whole and byte by byte, or the same refusal. And never anything else."""
    outcomes = []
    for chunks in ([data], [data[i : i + 1] for i in range(len(data))]):
        codec = WebSocketCodec(not masked, 50, 4, Deflater() if deflate else None, Inflater() if deflate else None)
        events, refusal = [], None
        try:
            for chunk in chunks:
                codec.feed(chunk)
                while kind := codec.next_event():
                    events.append((kind, codec.payload))
        except WebSocketProtocolError as error:
            refusal = error.close_code
        outcomes.append((events, refusal))
    assert outcomes[0] == outcomes[1]


@given(st.binary(min_size=1, max_size=40))
def test_websockets_refuses_what_we_refuse(data):
    """And the other way round, but for two things that it lets pass: lengths that are not minimal, and 1012 to 1014."""
    peer, codec = Protocol(SERVER), WebSocketCodec(is_client=False)
    peer.receive_data(data)
    ours = None
    try:
        events_of(codec, [data])
    except WebSocketProtocolError as error:
        ours = error
    if ours is None:
        assert not isinstance(peer.parser_exc, WebsocketsError)
    elif "more bytes than it needs" not in str(ours):
        assert peer.parser_exc is not None or not codec.close_received


class TestClosing:
    @pytest.mark.parametrize(
        ("payload", "code", "reason"),
        [
            (b"", None, None),
            (b"\x03\xe8", 1000, None),
            (b"\x0f\xa0bye", 4000, "bye"),
            (b"\x03\xe9\xc3\xa9", 1001, "\xe9"),
            (b"\x03\xe8" + b"x" * 123, 1000, "x" * 123),
        ],
    )
    def test_what_a_close_frame_says(self, frame, payload, code, reason):
        codec = WebSocketCodec(is_client=False)
        assert events_of(codec, [frame(8, payload, mask=KEY)]) == [("close", (code, reason))]
        assert codec.close_received

    @pytest.mark.parametrize(
        ("payload", "code"),
        [
            (b"\x03", 1002),
            *[(number.to_bytes(2, "big"), 1002) for number in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000)],
            *[(number.to_bytes(2, "big"), 1002) for number in (2999, 5000, 65535)],
            (b"\x03\xe8\xff", 1007),
            (b"\x03\xe8\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80", 1007),
        ],
    )  # fmt: skip
    def test_what_no_close_frame_may_say(self, frame, payload, code):
        """126, 125."""
        codec = WebSocketCodec(is_client=False)
        with pytest.raises(WebSocketProtocolError) as caught:
            events_of(codec, [frame(8, payload, mask=KEY)])
        assert caught.value.close_code == code
        assert codec.failed

    def test_what_comes_behind_it_is_dropped(self, frame):
        """126."""
        codec = WebSocketCodec(is_client=False)
        behind = frame(1, b"late", mask=KEY) + b"\xff" * 100
        assert events_of(codec, [frame(8, mask=KEY) + behind, behind]) == [("close", (None, None))]
        assert codec.pending() == 0

    def test_what_comes_behind_an_error_is_dropped(self, frame):
        """131."""
        codec = WebSocketCodec(is_client=False)
        with pytest.raises(WebSocketProtocolError):
            events_of(codec, [frame(3, mask=KEY) + frame(1, b"late", mask=KEY)])
        assert events_of(codec, [frame(1, b"later", mask=KEY)] * 3) == []
        assert codec.pending() == 0

    def test_messages_still_come_after_our_own(self, frame):
        codec = WebSocketCodec(is_client=False)
        codec.close()
        assert events_of(codec, [frame(1, b"late", mask=KEY)]) == [("text", "late")]

    def test_nothing_is_sent_after_it(self):
        codec = WebSocketCodec(is_client=False)
        assert codec.close(1000) == b"\x88\x02\x03\xe8"
        for send in (codec.message, codec.message_parts):
            with pytest.raises(WebSocketClosedError):
                send(b"x", False)
        for send in (lambda: codec.ping(b""), lambda: codec.pong(b""), codec.close):
            with pytest.raises(WebSocketClosedError):
                send()
        assert (codec.bytes_out, codec.message_bytes_out) == (4, 0)

    def test_what_it_may_hold(self):
        assert close_payload(None, None) == b""
        assert close_payload(None, "bye") == b"\x03\xe8bye"
        assert close_payload(1001, None) == b"\x03\xe9"
        with pytest.raises(ValueError, match="1005"):
            close_payload(1005, None)
        with pytest.raises(ValueError, match="at most 123 bytes of UTF-8, not 124"):
            close_payload(1000, "\xe9" * 62)

    def test_a_code_that_was_refused_leaves_the_connection_open(self):
        codec = WebSocketCodec(is_client=False)
        with pytest.raises(ValueError, match="999"):
            codec.close(999)
        assert not codec.close_sent
        assert codec.message(b"x", False) == b"\x81\x01x"


def test_control_frames_have_at_most_125_bytes():
    """119."""
    codec = WebSocketCodec(is_client=True)
    for send in (codec.ping, codec.pong):
        with pytest.raises(ValueError, match="125 bytes"):
            send(bytes(126))


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536])
@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("bits", [None, 15])
def test_a_message_in_two_pieces_is_the_same_message(size, binary, bits):
    payload = b"\x00\x01\x02" * (size // 3) + b"a" * (size % 3)
    one, other = codec_for(False, bits, True), codec_for(False, bits, True)
    parts = one.message_parts(payload, binary)
    assert b"".join(parts) == other.message(payload, binary)
    assert (parts[1] is payload) is (bits is None)
    assert (one.bytes_out, one.message_bytes_out) == (other.bytes_out, size)
    client = codec_for(True, bits, True)
    head, masked = client.message_parts(payload, binary)
    assert client.bytes_out == len(head) + len(masked)
    name, heard = ("bytes", payload) if binary else ("text", payload.decode())
    assert events_of(codec_for(False, bits, True), [head, masked]) == [(name, heard)]


def test_a_server_does_not_mask_and_a_client_does():
    assert WebSocketCodec(is_client=False).message(b"Hi", False) == b"\x81\x02Hi"
    client = WebSocketCodec(is_client=True)
    frames = {client.message(b"Hi", False) for _ in range(20)}
    assert {one[:2] for one in frames} == {b"\x81\x82"}
    assert len(frames) > 15
