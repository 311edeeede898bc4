"""The PROXY protocol, both versions: to the letter, from pieces of any size, and never a byte too many."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gustnado.http.proxy_protocol import ProxyHeader, ProxyHeaderReader, ProxyProtocolError, crc32c

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
REST = b"GET / HTTP/1.1\r\n\r\n"


def v2(body: bytes = b"", command: int = 0x21, family: int = 0x11, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return SIGNATURE + bytes([command, family]) + struct.pack(">H", size) + body


IPV4 = bytes([192, 0, 2, 7, 198, 51, 100, 1]) + struct.pack(">HH", 4711, 443)
IPV6 = bytes(15) + b"\x01" + bytes(15) + b"\x02" + struct.pack(">HH", 1, 65535)


def tlv(kind: int, value: bytes) -> bytes:
    return struct.pack(">BH", kind, len(value)) + value


def read(data: bytes, size: int = 10_000) -> tuple[ProxyHeader | None, bytes]:
    """The header, and what was left; ``size`` bytes are offered at a time, and only those used are gone."""
    reader = ProxyHeaderReader()
    while data and reader.header is None:
        used = reader.feed(data[:size])
        assert 0 < used <= size
        data = data[used:]
    return reader.header, data


GOOD = [
    (b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n", ProxyHeader(1, ("192.0.2.7", 4711), ("198.51.100.1", 443))),
    (b"PROXY TCP6 2001:db8::1 ::1 0 65535\r\n", ProxyHeader(1, ("2001:db8::1", 0), ("::1", 65535))),
    (b"PROXY UNKNOWN\r\n", ProxyHeader(1, None, None)),
    (b"PROXY UNKNOWN ffff::1 whatever 1 2\r\n", ProxyHeader(1, None, None)),
    (v2(IPV4), ProxyHeader(2, ("192.0.2.7", 4711), ("198.51.100.1", 443))),
    (v2(IPV6, family=0x21), ProxyHeader(2, ("::1", 1), ("::2", 65535))),
    (v2(b"/a".ljust(108, b"\0") + b"/b".ljust(108, b"\0"), family=0x31), ProxyHeader(2, "/a", "/b")),
    (v2(command=0x20, family=0), ProxyHeader(2, None, None)),
    (v2(IPV4, command=0x20), ProxyHeader(2, None, None)),
    (v2(family=0), ProxyHeader(2, None, None)),
    (v2(IPV4, family=0x12), ProxyHeader(2, None, None)),
    (
        v2(IPV4 + tlv(1, b"h2") + tlv(4, b"")),
        ProxyHeader(2, ("192.0.2.7", 4711), ("198.51.100.1", 443), ((1, b"h2"), (4, b""))),
    ),
]  # fmt: skip

BAD = [
    REST,
    b"\x16\x03\x01\x02\x00",
    b"PROXY\tTCP4 192.0.2.7 198.51.100.1 4711 443\r\n",
    b"PROXY TCP4 192.0.2.7 198.51.100.1 4711\r\n",
    b"PROXY TCP4  192.0.2.7 198.51.100.1 4711 443\r\n",
    b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 443 \r\n",
    b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 65536\r\n",
    b"PROXY TCP4 192.0.2.7 198.51.100.1 04711 443\r\n",
    b"PROXY TCP4 192.0.2.256 198.51.100.1 4711 443\r\n",
    b"PROXY TCP4 ::1 ::2 4711 443\r\n",
    b"PROXY TCP6 192.0.2.7 198.51.100.1 4711 443\r\n",
    b"PROXY UDP4 192.0.2.7 198.51.100.1 4711 443\r\n",
    b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\n" + bytes(100),
    b"PROXY UNKNOWNS\r\n",
    b"PROXY " + b"a" * 200,
    b"\r\n\r\nGET / HTTP/1.1",
    v2(IPV4, command=0x31),
    v2(IPV4, command=0x22),
    v2(IPV4, family=0x41),
    v2(IPV4, family=0x13),
    v2(IPV4[:-1]),
    v2(IPV6[:-1], family=0x21),
    v2(bytes(215), family=0x31),
    v2(IPV4 + b"\x01"),
    v2(IPV4 + b"\x01\x00\x05abcd"),
    v2(IPV4, length=2049) + bytes(3000),
    v2(IPV4 + tlv(3, b"\0\0\0\0")),
    v2(IPV4 + tlv(3, b"abc")),
]


@pytest.mark.parametrize(("data", "header"), GOOD)
@pytest.mark.parametrize("size", [1, 2, 15, 16, 17, 10_000])
def test_a_header_is_read_to_the_byte(data: bytes, header: ProxyHeader, size: int) -> None:
    assert read(data + REST, size) == (header, REST)


@pytest.mark.parametrize("data", BAD)
@pytest.mark.parametrize("size", [1, 10_000])
def test_what_is_none_is_refused(data: bytes, size: int) -> None:
    with pytest.raises(ProxyProtocolError):
        read(data, size)


@pytest.mark.parametrize(("data", "header"), GOOD)
def test_half_a_header_is_none(data: bytes, header: ProxyHeader) -> None:
    for size in range(len(data)):
        assert read(data[:size]) == (None, b"")


@given(st.binary(max_size=300), st.integers(1, 50))
def test_the_pieces_do_not_matter(data: bytes, size: int) -> None:
    def outcome(size: int) -> object:
        try:
            return read(data, size)
        except ProxyProtocolError:
            return "refused"

    assert outcome(size) == outcome(1)


@given(st.binary(max_size=400), st.sampled_from([0x20, 0x21]), st.sampled_from([0x00, 0x11, 0x21, 0x31]))
def test_version_2_is_read_or_refused(body: bytes, command: int, family: int) -> None:
    try:
        header, rest = read(v2(body, command, family) + REST)
    except ProxyProtocolError:
        return
    assert header is not None
    assert rest == REST


@given(st.lists(st.tuples(st.integers(4, 255), st.binary(max_size=40)), max_size=5))
def test_fields_come_back(fields: list) -> None:
    header, _ = read(v2(IPV4 + b"".join(tlv(*field) for field in fields)))
    assert header is not None
    assert list(header.tlvs) == fields


def test_a_checksum_is_checked() -> None:
    data = v2(IPV4 + tlv(4, b"x") + tlv(3, bytes(4)))
    good = data[:-4] + crc32c(data).to_bytes(4, "big")
    header, _ = read(good)
    assert header is not None
    assert header.source == ("192.0.2.7", 4711)
    for place in (16, 20, len(good) - 1, 28 + 3):
        broken = bytearray(good)
        broken[place] ^= 1
        with pytest.raises(ProxyProtocolError, match="checksum"):
            read(bytes(broken))


def test_whether_the_client_speaks_tls() -> None:
    assert ProxyHeader(2, None, None, ((0x20, b"\x01\0\0\0\0"),)).is_tls
    assert not ProxyHeader(2, None, None, ((0x20, b"\x00\0\0\0\0"),)).is_tls
    assert not ProxyHeader(2, None, None, ((0x20, b""), (0x21, b"\x01"))).is_tls
    assert not ProxyHeader(1, None, None).is_tls


@pytest.mark.parametrize(
    ("data", "value"), [(bytes(32), 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43), (bytes(range(32)), 0x46DD794E), (b"", 0)]
)
def test_the_checksum_is_that_of_rfc_3720(data: bytes, value: int) -> None:
    assert crc32c(data) == value
