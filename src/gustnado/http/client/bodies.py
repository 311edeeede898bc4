"""Bodies of requests made of data: JSON, forms, and forms with files.

>>> encode_form({"q": "wind & gust", "page": ["1", "2"]})
(b'q=wind+%26+gust&page=1&page=2', 'application/x-www-form-urlencoded')
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from typing import Any, cast
from urllib.parse import urlencode

from gustnado.escape import json_encode, utf8
from gustnado.http.client.errors import RequestError

__all__ = ["encode_form", "encode_json", "encode_multipart"]

_CONTENT_TYPE = re.compile(r"[\x20-\x7e]+")


def encode_json(value: Any) -> tuple[bytes, str]:
    """``value`` as JSON, and its content type.

    :raises TypeError: where it cannot be said in JSON.
    """
    return utf8(json_encode(value)), "application/json"


def _pairs(fields: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Pairs of name and one value; a list of values makes several."""
    items = cast("Iterable[tuple[str, Any]]", fields.items() if isinstance(fields, Mapping) else fields)
    return [(name, one) for name, value in items for one in (value if isinstance(value, list) else [value])]


def encode_form(fields: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> tuple[bytes, str]:
    """``fields`` as a form is sent without files, and the content type.

    :param fields: a mapping, whose values may be lists, or pairs. Values that are neither text nor bytes
        are written as ``str`` does.
    """
    return urlencode(_pairs(fields)).encode("ascii"), "application/x-www-form-urlencoded"


def encode_multipart(
    fields: Mapping[str, Any] | Iterable[tuple[str, Any]] | None,
    files: Mapping[str, Any] | Iterable[tuple[str, Any]],
    boundary: str | None = None,
) -> tuple[bytes, str]:
    """``fields`` and ``files`` as multipart/form-data (RFC 7578), and the content type with its boundary.

    :param fields: as for :func:`encode_form`; ``None`` for none.
    :param files: by name: bytes, ``(filename, bytes)`` or ``(filename, bytes, content type)``.
    :param boundary: by default a random one.
    :raises gustnado.http.client.errors.RequestError: where a file is none of these, or its content type could not
        stand in a header.
    """
    boundary = boundary or secrets.token_hex(16)
    parts: list[bytes] = []
    for name, value in _pairs(fields or ()):
        text = value if isinstance(value, (str, bytes)) else str(value)
        parts.append(_part(boundary, f'name="{_quoted(name)}"', None, utf8(text)))
    for name, value in _pairs(files):
        filename, data, content_type = _file(name, value)
        disposition = f'name="{_quoted(name)}"; filename="{_quoted(filename)}"'
        parts.append(_part(boundary, disposition, content_type, data))
    parts.append(f"--{boundary}--\r\n".encode())
    return b"".join(parts), f"multipart/form-data; boundary={boundary}"


def _part(boundary: str, disposition: str, content_type: str | None, data: bytes) -> bytes:
    head = f"--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n"
    if content_type is not None:
        head += f"Content-Type: {content_type}\r\n"
    return head.encode() + b"\r\n" + data + b"\r\n"


def _file(name: str, value: Any) -> tuple[str, bytes, str]:
    given = value if isinstance(value, tuple) else (name, value)
    filename, data, content_type = (*given, "application/octet-stream")[:3] if len(given) in (2, 3) else (None,) * 3
    if not isinstance(filename, str) or not isinstance(data, (bytes, bytearray, memoryview)):
        raise RequestError(
            f"files: {name[:80]!r} must be bytes, (filename, bytes) or (filename, bytes, content type)"
        )
    if not isinstance(content_type, str) or _CONTENT_TYPE.fullmatch(content_type) is None:
        raise RequestError(f"files: the content type of {name[:80]!r}, {content_type!r}, cannot stand in a header")
    return filename, bytes(data), content_type


def _quoted(text: str) -> str:
    """A name within quotes, as browsers write it (WHATWG HTML, "multipart form data")."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A").replace("\0", "%00")
