"""A request as WSGI has it (PEP 3333), and back. No I/O.

WSGI's strings are bytes in disguise: each character stands for one byte.

>>> from_wsgi_str(to_wsgi_str("/wïnd".encode())).decode()
'/wïnd'
>>> target_of({"SCRIPT_NAME": "/app", "PATH_INFO": to_wsgi_str("/wïnd".encode()), "QUERY_STRING": "a=1"})
'/app/w%C3%AFnd?a=1'
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote_to_bytes
from wsgiref.util import FileWrapper

from gustnado.http.headers import HTTPHeaders
from gustnado.http.urls import split_host_and_port

if TYPE_CHECKING:
    from gustnado.http.messages import HTTPServerRequest

__all__ = ["from_wsgi_str", "headers_of_environ", "host_of", "make_environ", "target_of", "to_wsgi_str"]

_UNPREFIXED = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}
# As a variable of the environment it would be the proxy of a program's own requests (CVE-2016-1000110, "httpoxy").
_DROPPED = "proxy"
_PORTS = {"http": "80", "https": "443"}
# What a path may hold unescaped, RFC 3986 section 3.3.
_IN_PATH = "/!$&'()*+,;=:@~"


def to_wsgi_str(s: bytes) -> str:
    """Bytes as a string of WSGI.

    :raises TypeError: where they are none.
    """
    if not isinstance(s, bytes):
        raise TypeError(f"to_wsgi_str() takes bytes, not {type(s).__name__}")
    return s.decode("latin-1")


def from_wsgi_str(s: str) -> bytes:
    """The bytes that a string of WSGI stands for.

    :raises TypeError: where it is no string.
    :raises UnicodeEncodeError: where it holds a character that stands for no byte.
    """
    if not isinstance(s, str):
        raise TypeError(f"from_wsgi_str() takes a str, not {type(s).__name__}")
    return s.encode("latin-1")


def make_environ(request: HTTPServerRequest, multithread: bool) -> dict[str, Any]:
    """The environment of ``request`` for a WSGI application.

    Fields of a name with ``_`` are left out, since they would pass for those with ``-``.

    :param multithread: whether the application may be called by several threads at once.
    """
    host, port = split_host_and_port(request.host)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": to_wsgi_str(unquote_to_bytes(request.path)),
        "QUERY_STRING": request.query,
        "REMOTE_ADDR": request.remote_ip or "",
        "SERVER_NAME": host.strip("[]") or "localhost",
        "SERVER_PORT": str(port) if port is not None else _PORTS.get(request.protocol, "80"),
        "SERVER_PROTOCOL": request.version,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": request.protocol,
        "wsgi.input": BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": multithread,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
    }
    for name in dict.fromkeys(name.lower() for name in request.headers):
        if "_" not in name and name != _DROPPED:
            values = request.headers.get_list(name)
            variable = _UNPREFIXED.get(name) or f"HTTP_{name.replace('-', '_').upper()}"
            environ[variable] = ("; " if name == "cookie" else ",").join(values)
    if request.body:
        environ["CONTENT_LENGTH"] = str(len(request.body))  # as it came in chunks, or was decompressed
    return environ


def headers_of_environ(environ: Mapping[str, Any]) -> HTTPHeaders:
    """The header fields in the environment of a WSGI server."""
    headers = HTTPHeaders()
    for variable, value in environ.items():
        if variable.startswith("HTTP_"):
            headers.add(variable[5:].replace("_", "-").title(), value)
    for name, variable in (("Content-Type", "CONTENT_TYPE"), ("Content-Length", "CONTENT_LENGTH")):
        if environ.get(variable):
            headers[name] = environ[variable]
    if "Host" not in headers:
        headers["Host"] = host_of(environ)
    return headers


def host_of(environ: Mapping[str, Any]) -> str:
    """Host and port that were asked for (PEP 3333, "URL Reconstruction")."""
    if environ.get("HTTP_HOST"):
        return str(environ["HTTP_HOST"])
    name, port = environ["SERVER_NAME"], str(environ["SERVER_PORT"])
    return name if port == _PORTS.get(environ["wsgi.url_scheme"]) else f"{name}:{port}"


def target_of(environ: Mapping[str, Any]) -> str:
    """The request target: path, escaped anew, and query."""
    path = "".join(
        quote(from_wsgi_str(environ.get(name, "")), safe=_IN_PATH) for name in ("SCRIPT_NAME", "PATH_INFO")
    )
    query = environ.get("QUERY_STRING")
    return f"{path or '/'}?{query}" if query else path or "/"
