"""The ``Sec-WebSocket-Extensions`` field (RFC 6455 section 9.1), and what is agreed on by it (RFC 7692 section 7.1).

>>> offers = parse_extensions("permessage-deflate; client_max_window_bits, permessage-deflate")
>>> offers
[('permessage-deflate', {'client_max_window_bits': None}), ('permessage-deflate', {})]
>>> agreed = accept_offer(offers, DeflateOptions(client_max_window_bits=10))
>>> agreed.response()
'permessage-deflate; client_max_window_bits=10'
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from gustnado.errors import UsageError
from gustnado.http.ws.errors import WebSocketHandshakeError

__all__ = [
    "DeflateOptions",
    "DeflateParameters",
    "OptionsError",
    "accept_offer",
    "accept_response",
    "parse_extensions",
    "parse_tokens",
]

_NAME = "permessage-deflate"
_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
_PARAMETER = re.compile(rf'[ \t]*+;[ \t]*+({_TOKEN})(?:[ \t]*+=[ \t]*+(?:({_TOKEN})|"({_TOKEN})"))?')
_EXTENSION = re.compile(rf"[ \t]*+({_TOKEN})")
_SEPARATOR = re.compile(r"[ \t]*+(?:,|\Z)")
_WORD = re.compile(_TOKEN)
_BITS = re.compile(r"8|9|1[0-5]")

Extension: TypeAlias = tuple[str, "dict[str, str | None]"]


class OptionsError(UsageError, ValueError):
    """Compression options that do not exist, or with values that they cannot have."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DeflateOptions:
    """What one side wants of compression. Windows are ``2 ** bits`` bytes, 8 to 15.

    A connection with context takeover keeps a window for each direction, and 256 KiB more for what it sends;
    without, all connections share that. The smaller a window, the less is found again in it.
    """

    compression_level: int = 6
    """0 to 9, or -1: as for :func:`zlib.compressobj`."""
    mem_level: int = 8
    """1 to 9, likewise."""
    server_no_context_takeover: bool = False
    """The server's messages do not refer to those before them."""
    client_no_context_takeover: bool = False
    """The client's do not."""
    server_max_window_bits: int = 15
    """The window for the server's messages."""
    client_max_window_bits: int = 15
    """The window for the client's. Not every client lets the server choose; where it does not, this is 15."""

    def __post_init__(self) -> None:
        _check_number("compression_level", self.compression_level, -1, 9)
        _check_number("mem_level", self.mem_level, 1, 9)
        _check_number("server_max_window_bits", self.server_max_window_bits, 8, 15)
        _check_number("client_max_window_bits", self.client_max_window_bits, 8, 15)

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> DeflateOptions:
        """The options of a mapping, such as ``get_compression_options`` returns.

        :raises OptionsError: where it has one that does not exist, or a value out of its range.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(map(str, options.keys() - known))
        if unknown:
            raise OptionsError(f"no such compression option: {unknown[0]!r}; there are {', '.join(sorted(known))}")
        return cls(**options)

    def offer(self) -> str:
        """What a client asks for."""
        return _spell(
            server_no_context_takeover=self.server_no_context_takeover,
            client_no_context_takeover=self.client_no_context_takeover,
            server_max_window_bits=0 if self.server_max_window_bits == 15 else self.server_max_window_bits,
            client_max_window_bits=True if self.client_max_window_bits == 15 else self.client_max_window_bits,
        )


def _check_number(name: str, value: object, least: int, most: int) -> None:
    if not isinstance(value, int) or not least <= value <= most:
        raise OptionsError(f"compression option {name} is {value!r}, not a number from {least} to {most}")


def _spell(**parameters: bool | int) -> str:
    words = [_NAME]
    for name, value in parameters.items():
        if value:
            words.append(name if value is True else f"{name}={value}")
    return "; ".join(words)


@dataclasses.dataclass(frozen=True, slots=True)
class DeflateParameters:
    """What both sides have agreed on."""

    server_no_context_takeover: bool = False
    client_no_context_takeover: bool = False
    server_max_window_bits: int = 15
    client_max_window_bits: int = 15

    def response(self) -> str:
        """What a server answers."""
        return _spell(
            server_no_context_takeover=self.server_no_context_takeover,
            client_no_context_takeover=self.client_no_context_takeover,
            server_max_window_bits=self.server_max_window_bits % 15,
            client_max_window_bits=self.client_max_window_bits % 15,
        )


def parse_extensions(value: str) -> list[Extension]:
    """The extensions of a field, each with its parameters, in order. Takes time in proportion to its length.

    :raises gustnado.http.ws.errors.WebSocketHandshakeError: 400, where it is malformed, or a parameter is there twice.
    """
    extensions: list[Extension] = []
    place = 0
    while place < len(value):
        match = _EXTENSION.match(value, place)
        if match is None:
            raise _malformed("Sec-WebSocket-Extensions", value)
        parameters: dict[str, str | None] = {}
        extensions.append((match[1], parameters))
        place = match.end()
        while (found := _PARAMETER.match(value, place)) is not None:
            if found[1] in parameters:
                raise _malformed("Sec-WebSocket-Extensions", value)
            parameters[found[1]] = found[2] or found[3]
            place = found.end()
        separator = _SEPARATOR.match(value, place)
        if separator is None:
            raise _malformed("Sec-WebSocket-Extensions", value)
        place = separator.end()
    if value.rstrip(" \t").endswith(","):
        raise _malformed("Sec-WebSocket-Extensions", value)
    return extensions


def parse_tokens(name: str, value: str) -> list[str]:
    """The words of a field such as ``Sec-WebSocket-Protocol`` (RFC 6455 section 11.3.4); none may be there twice.

    :raises gustnado.http.ws.errors.WebSocketHandshakeError: 400, where it is malformed.
    """
    tokens = [token.strip(" \t") for token in value.split(",")]
    if len(set(tokens)) < len(tokens) or not all(map(_WORD.fullmatch, tokens)):
        raise _malformed(name, value)
    return tokens


def _malformed(name: str, value: str) -> WebSocketHandshakeError:
    return WebSocketHandshakeError(f"malformed {name}: {value[:80]!r}")


def accept_offer(offers: list[Extension], options: DeflateOptions) -> DeflateParameters | None:
    """The first of a client's offers that a server can accept, as it does; ``None`` where there is none.

    Offers of other extensions, with parameters that do not exist or values that these cannot have, are passed over.
    """
    for name, offer in offers:
        if name == _NAME:
            agreed = _accept(offer, options)
            if agreed is not None:
                return agreed
    return None


def _accept(offer: dict[str, str | None], options: DeflateOptions) -> DeflateParameters | None:
    if not _is_well_formed(offer, is_response=False):
        return None
    client_bits = 15
    if "client_max_window_bits" in offer:
        client_bits = min(int(offer["client_max_window_bits"] or 15), options.client_max_window_bits)
    return DeflateParameters(
        server_no_context_takeover=options.server_no_context_takeover or "server_no_context_takeover" in offer,
        client_no_context_takeover=options.client_no_context_takeover or "client_no_context_takeover" in offer,
        server_max_window_bits=min(
            int(offer.get("server_max_window_bits") or 15), options.server_max_window_bits
        ),
        client_max_window_bits=client_bits,
    )


def _is_well_formed(parameters: dict[str, str | None], is_response: bool) -> bool:
    for name, value in parameters.items():
        if name in ("server_no_context_takeover", "client_no_context_takeover"):
            fits = value is None
        elif name == "server_max_window_bits" or (name == "client_max_window_bits" and is_response):
            fits = value is not None and _BITS.fullmatch(value) is not None
        else:
            fits = name == "client_max_window_bits" and (value is None or _BITS.fullmatch(value) is not None)
        if not fits:
            return False
    return True


def accept_response(extensions: list[Extension], options: DeflateOptions | None) -> DeflateParameters | None:
    """What a server has accepted of :meth:`DeflateOptions.offer`; ``None`` where nothing.

    :param options: what the client offered, ``None`` where it did not.
    :raises gustnado.http.ws.errors.WebSocketHandshakeError: where it is something else than was offered.
    """
    if not extensions:
        return None
    (name, parameters), *others = extensions
    if options is None or name != _NAME or others:
        raise WebSocketHandshakeError(f"the server chose an extension that was not offered: {extensions}")
    if not _is_well_formed(parameters, is_response=True):
        raise WebSocketHandshakeError(f"the server chose parameters that do not exist: {parameters}")
    server_bits = int(parameters.get("server_max_window_bits") or 15)
    client_bits = int(parameters.get("client_max_window_bits") or 15)
    if server_bits > options.server_max_window_bits:
        raise WebSocketHandshakeError(f"the server chose a window over what it was asked for: {parameters}")
    if options.server_no_context_takeover and "server_no_context_takeover" not in parameters:
        raise WebSocketHandshakeError(f"the server does not go without context takeover: {parameters}")
    return DeflateParameters(
        server_no_context_takeover="server_no_context_takeover" in parameters,
        client_no_context_takeover=options.client_no_context_takeover
        or "client_no_context_takeover" in parameters,
        server_max_window_bits=server_bits,
        client_max_window_bits=min(client_bits, options.client_max_window_bits),
    )
