"""The PROXY protocol, versions 1 and 2: what a load balancer says before the first byte of its client. No I/O.

HAProxy's specification of 2020 is followed to the letter: a receiver that expects a header never guesses, so what
does not begin with one is refused, and a version 2 header whose checksum is wrong, too. The header is taken
from the connection to the byte: behind it may stand anything, a TLS handshake for one.

>>> reader = ProxyHeaderReader()
>>> reader.feed(b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\\r\\nGET / HTTP/1.1")
44
>>> reader.header.source, reader.header.destination
(('192.0.2.7', 4711), ('198.51.100.1', 443))
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re
import struct
from typing import TypeAlias

from gustnado.errors import ProtocolError

__all__ = ["ProxyHeader", "ProxyHeaderReader", "ProxyProtocolError", "crc32c"]

Address: TypeAlias = "tuple[str, int] | str"

_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
_V1_START = b"PROXY "
_V1_LIMIT = 107  # bytes of a version 1 header with its CRLF
_V2_FIXED = 16  # bytes before the addresses of version 2
_V2_LIMIT = 2048  # bytes of addresses and TLVs (HAProxy itself: a buffer of 16 KiB; certificates are not sent)
_V1_LINE = re.compile(rb"PROXY (TCP4|TCP6) ([0-9a-fA-F:.]{2,45}) ([0-9a-fA-F:.]{2,45}) ([0-9]{1,5}) ([0-9]{1,5})")
_UNIX_SIZE = 108

_TLV_CRC32C = 0x03
_TLV_SSL = 0x20
_CLIENT_SSL = 0x01


class ProxyProtocolError(ProtocolError):
    """A connection did not begin with a well-formed PROXY header."""


@dataclasses.dataclass(frozen=True, slots=True)
class ProxyHeader:
    """What a PROXY header says."""

    version: int
    """1 or 2."""
    source: Address | None
    """The client's address and port, or the path of its Unix socket; ``None`` where the proxy speaks for itself
    (a health check) or does not know."""
    destination: Address | None
    """Where the client connected to, likewise."""
    tlvs: tuple[tuple[int, bytes], ...] = ()
    """Further fields of version 2: type and value, in order."""

    @property
    def is_tls(self) -> bool:
        """The client speaks TLS with the proxy, which says so (type ``PP2_TYPE_SSL``)."""
        return any(kind == _TLV_SSL and value[:1] and value[0] & _CLIENT_SSL for kind, value in self.tlvs)


class ProxyHeaderReader:
    """Reads one header, in whatever pieces it comes.

    :ivar header: what it says, once it is complete; ``None`` before.
    """

    __slots__ = ("_buffer", "header")

    def __init__(self) -> None:
        self._buffer = b""
        self.header: ProxyHeader | None = None

    def feed(self, data: bytes) -> int:
        """Look at the next bytes of the connection; how many of them belong to the header.

        As long as :attr:`header` is ``None`` that is all of them. Bytes that do not belong to it are to be
        kept for whoever reads the connection next.

        :param data: at least one byte.
        :raises ProxyProtocolError: at the first byte that no header has there.
        """
        buffer = self._buffer + data
        if buffer[:1] == b"P":
            size = self._look_at_v1(buffer)
        else:
            size = self._look_at_v2(buffer)
        used = len(data) if size is None else size - len(self._buffer)
        self._buffer = buffer if size is None else b""
        return used

    def _look_at_v1(self, buffer: bytes) -> int | None:
        if not buffer.startswith(_V1_START[: len(buffer)]):
            raise ProxyProtocolError(f"no PROXY header, but {buffer[:40]!r}")
        end = buffer.find(b"\r\n", 0, _V1_LIMIT)
        if end < 0:
            if len(buffer) >= _V1_LIMIT:
                raise ProxyProtocolError(f"PROXY header over {_V1_LIMIT} bytes")
            return None
        self.header = _parse_v1(buffer[:end])
        return end + 2

    def _look_at_v2(self, buffer: bytes) -> int | None:
        if not buffer.startswith(_SIGNATURE[: len(buffer)]):
            raise ProxyProtocolError(f"no PROXY header, but {buffer[:40]!r}")
        if len(buffer) < _V2_FIXED:
            return None
        (length,) = struct.unpack_from(">H", buffer, 14)
        if length > _V2_LIMIT:
            raise ProxyProtocolError(f"PROXY header of {length} bytes, over {_V2_LIMIT}")
        size: int = _V2_FIXED + length
        if len(buffer) < size:
            return None
        self.header = _parse_v2(buffer[:size])
        return size


def _parse_v1(line: bytes) -> ProxyHeader:
    if line == b"PROXY UNKNOWN" or line.startswith(b"PROXY UNKNOWN "):
        return ProxyHeader(1, None, None)
    match = _V1_LINE.fullmatch(line)
    if match is None:
        raise ProxyProtocolError(f"malformed PROXY header {line!r}")
    family, source, destination, source_port, destination_port = [item.decode("ascii") for item in match.groups()]
    make = ipaddress.IPv4Address if family == "TCP4" else ipaddress.IPv6Address
    try:
        addresses = str(make(source)), str(make(destination))
    except ValueError:
        raise ProxyProtocolError(f"malformed address in PROXY header {line!r}") from None
    return ProxyHeader(
        1, (addresses[0], _port(source_port, line)), (addresses[1], _port(destination_port, line))
    )


def _port(digits: str, line: bytes) -> int:
    port = int(digits)
    if port > 65535 or (digits[0] == "0" and digits != "0"):
        raise ProxyProtocolError(f"malformed port in PROXY header {line!r}")
    return port


def _parse_v2(data: bytes) -> ProxyHeader:
    version, command = data[12] >> 4, data[12] & 0x0F
    family, transport = data[13] >> 4, data[13] & 0x0F
    if version != 2 or command > 1:
        raise ProxyProtocolError(f"PROXY header of version {version} with command {command}")
    if family > 3 or transport > 2:
        raise ProxyProtocolError(f"PROXY header with address family {family} and transport {transport}")
    source, destination, end = _addresses_v2(data, family)
    tlvs = tuple(_read_tlvs(data, end))
    _check_sum(data, end)
    if command == 0 or family == 0 or transport != 1:
        # LOCAL: the proxy speaks for itself; or an address that no connection over TCP has.
        return ProxyHeader(2, None, None, tlvs)
    return ProxyHeader(2, source, destination, tlvs)


def _addresses_v2(data: bytes, family: int) -> tuple[Address | None, Address | None, int]:
    size = (0, 12, 36, 2 * _UNIX_SIZE)[family]
    end = _V2_FIXED + size
    if len(data) < end:
        raise ProxyProtocolError(f"PROXY header with {len(data) - _V2_FIXED} bytes of addresses, not {size}")
    if family == 0:
        return None, None, end
    if family == 3:
        first, second = data[_V2_FIXED : _V2_FIXED + _UNIX_SIZE], data[_V2_FIXED + _UNIX_SIZE : end]
        return _unix_path(first), _unix_path(second), end
    width = 4 if family == 1 else 16
    ports = struct.unpack_from(">HH", data, _V2_FIXED + 2 * width)
    addresses = [data[_V2_FIXED + place * width : _V2_FIXED + (place + 1) * width] for place in (0, 1)]
    source, destination = [str(ipaddress.ip_address(address)) for address in addresses]
    return (source, ports[0]), (destination, ports[1]), end


def _unix_path(field: bytes) -> str:
    return field.rstrip(b"\x00").decode("utf-8", "backslashreplace")


def _read_tlvs(data: bytes, position: int) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    while position < len(data):
        if position + 3 > len(data):
            raise ProxyProtocolError("PROXY header ends within a field")
        kind, length = struct.unpack_from(">BH", data, position)
        position += 3 + length
        if position > len(data):
            raise ProxyProtocolError("PROXY header ends within a field")
        found.append((kind, data[position - length : position]))
    return found


def _check_sum(data: bytes, position: int) -> None:
    """Compare the checksum, where there is one, with that of the header in which it is zero."""
    while position < len(data):
        kind, length = struct.unpack_from(">BH", data, position)
        start = position + 3
        if kind == _TLV_CRC32C:
            told = data[start : start + length]
            if length != 4 or crc32c(data[:start] + bytes(4) + data[start + 4 :]) != int.from_bytes(told, "big"):
                raise ProxyProtocolError("PROXY header with a wrong checksum")
        position = start + length


def crc32c(data: bytes) -> int:
    """The CRC-32C (Castagnoli) of ``data``, as RFC 9260 appendix A has it.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF
