"""Bodies of HTML forms: both encodings, one set of limits.

:func:`parse_body_arguments` looks at the ``Content-Type`` and fills two dictionaries, arguments and
files. Values are bytes, since their charset is the application's business; names are ``str``: those
of urlencoded bodies as Latin-1, like those of a query, and those of multipart bodies as UTF-8.

Fields are counted before a body is split, so one that is over a limit costs no memory.

>>> arguments, files = {}, {}
>>> parse_body_arguments("application/x-www-form-urlencoded", b"q=wind+speed&unit=kn", arguments, files)
>>> arguments
{'q': [b'wind speed'], 'unit': [b'kn']}
"""

from __future__ import annotations

import binascii
import dataclasses
import re
from typing import TYPE_CHECKING

from gustnado.errors import HTTPInputError
from gustnado.http.limits import Limits
from gustnado.http.multipart import (
    HTTPFile,
    ParseMultipartConfig,
    parse_multipart_form_data,
    parse_parameters,
    set_default_config,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "HTTPFile",
    "ParseBodyConfig",
    "ParseMultipartConfig",
    "ParseUrlEncodedConfig",
    "parse_body_arguments",
    "parse_multipart_form_data",
    "parse_urlencoded",
    "set_parse_body_config",
]

_URLENCODED = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_NOT_AN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


@dataclasses.dataclass
class ParseUrlEncodedConfig:
    """Within what limits ``application/x-www-form-urlencoded`` bodies are parsed."""

    max_arguments: int = Limits().max_form_fields
    """Fields of one body, empty ones included. Over it: 413."""


@dataclasses.dataclass
class ParseBodyConfig:
    """How form bodies are parsed, by encoding."""

    multipart: ParseMultipartConfig = dataclasses.field(default_factory=ParseMultipartConfig)
    urlencoded: ParseUrlEncodedConfig = dataclasses.field(default_factory=ParseUrlEncodedConfig)

    @classmethod
    def from_limits(cls, limits: Limits) -> ParseBodyConfig:
        """The configuration that says what a server's ``limits`` say, and where they say nothing of their own, what
        :func:`set_parse_body_config` has been told.

        >>> ParseBodyConfig.from_limits(Limits(max_form_fields=5)).urlencoded.max_arguments
        5
        """
        default = _default_config
        if all(getattr(limits, name) == usual for name, usual in _USUAL.items()):
            return cls(default.multipart, default.urlencoded)
        multipart = {name: getattr(limits, name) for name in _OF_PARTS if getattr(limits, name) != _USUAL[name]}
        urlencoded = default.urlencoded
        if limits.max_form_fields != _USUAL["max_form_fields"]:
            urlencoded = ParseUrlEncodedConfig(limits.max_form_fields)
        return cls(dataclasses.replace(default.multipart, **multipart), urlencoded)


_OF_PARTS = ("max_parts", "max_part_header_size", "max_value_size")
_USUAL = {name: getattr(Limits(), name) for name in (*_OF_PARTS, "max_form_fields")}
_default_config = ParseBodyConfig()


def set_parse_body_config(config: ParseBodyConfig) -> None:
    """Set the process's default for :func:`parse_body_arguments` and :func:`parse_multipart_form_data`.

    Prefer a server's :class:`~gustnado.http.limits.Limits`, which win where they are not the usual ones: this one
    reaches every server of the process.
    """
    global _default_config
    _default_config = config
    set_default_config(config.multipart)


def parse_body_arguments(
    content_type: str,
    body: bytes,
    arguments: dict[str, list[bytes]],
    files: dict[str, list[HTTPFile]],
    headers: Mapping[str, str] | None = None,
    *,
    config: ParseBodyConfig | None = None,
) -> None:
    """Parse a form's body by its type. A body of another type is left alone.

    :param content_type: value of the ``Content-Type`` field.
    :param arguments: gets the values of fields, in order, under their names; values that are in it stay.
    :param files: gets uploaded files likewise.
    :param headers: the request's; a ``Content-Encoding`` among them means that ``body`` is still encoded.
    :param config: limits; ``None``: the process's default.
    :raises gustnado.errors.HTTPInputError: 400 where the body is malformed, 413 where it is over a limit,
        415 where it is encoded or its type is disabled. The dictionaries are as they were then.
    """
    kind = content_type.partition(";")[0].strip(" \t").lower()
    if kind != _URLENCODED and not kind.startswith(_MULTIPART):
        return
    if headers and "Content-Encoding" in headers:
        raise HTTPInputError(f"Unsupported Content-Encoding of a form: {headers['Content-Encoding']!r}", status=415)
    config = _default_config if config is None else config
    if kind == _URLENCODED:
        for name, values in parse_urlencoded(body, config.urlencoded.max_arguments).items():
            arguments.setdefault(name, []).extend(values)
        return
    kind, parameters = parse_parameters(content_type)
    boundary = parameters.get("boundary")
    if kind != _MULTIPART or boundary is None:
        raise HTTPInputError(f"no multipart boundary in Content-Type {content_type[:200]!r}")
    parse_multipart_form_data(boundary, body, arguments, files, config=config.multipart)


def parse_urlencoded(body: bytes, max_fields: int) -> dict[str, list[bytes]]:
    """Parse ``name=value&...`` as the URL standard of WHATWG does (section 5.1).

    Only ``&`` separates fields; ``+`` is a space; a ``%`` that begins no escape stands for itself; a
    field without ``=`` has the value ``b""``; empty fields are skipped. Takes time linear in the length.

    :param max_fields: fields that are allowed, empty ones included.
    :raises gustnado.errors.HTTPInputError: 413 where there are more.

    >>> parse_urlencoded(b"a=1&b=%C3%A9&a=2", 10)
    {'a': [b'1', b'2'], 'b': [b'\\xc3\\xa9']}
    """
    if not body:
        return {}
    if body.count(b"&") >= max_fields:
        raise HTTPInputError(f"Max number of fields exceeded: {max_fields} in a urlencoded body", status=413)
    escaped = b"%" in body
    result: dict[str, list[bytes]] = {}
    for field in body.replace(b"+", b" ").split(b"&"):
        if not field:
            continue
        name, _, value = field.partition(b"=")
        if escaped:
            name, value = _unescape(name), _unescape(value)
        key = name.decode("latin-1")
        if key in result:
            result[key].append(value)
        else:
            result[key] = [value]
    return result


def _unescape(data: bytes) -> bytes:
    """Decode percent escapes, whole values at a time in C.

    Quoted-printable is the same code with ``=`` for ``%``. So each ``%`` is first made to begin an
    escape, and each ``=`` hidden in one; then nothing is left that only quoted-printable gives a meaning.
    """
    if b"%" not in data:
        return data
    data = _NOT_AN_ESCAPE.sub(b"%25", data)
    return binascii.a2b_qp(data.replace(b"=", b"%3D").replace(b"%", b"="))
