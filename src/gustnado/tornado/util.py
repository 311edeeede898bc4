"""``tornado.util``: odds and ends."""

from __future__ import annotations

from gustnado.http.ws.masking import websocket_mask as _websocket_mask_python  # noqa: F401
from gustnado.util import (
    PY3,
    ArgReplacer,
    Configurable,
    GzipDecompressor,
    ObjectDict,
    TimeoutError,
    b,
    basestring_type,
    bytes_type,
    doctests,
    errno_from_exception,
    exec_in,
    import_object,
    is_finalizing,
    raise_exc_info,
    re_unescape,
    timedelta_to_seconds,
    u,
    unicode_type,
    xrange,
)

__all__ = [
    "ArgReplacer",
    "Configurable",
    "GzipDecompressor",
    "ObjectDict",
    "PY3",
    "TimeoutError",
    "b",
    "basestring_type",
    "bytes_type",
    "doctests",
    "errno_from_exception",
    "exec_in",
    "import_object",
    "is_finalizing",
    "raise_exc_info",
    "re_unescape",
    "timedelta_to_seconds",
    "u",
    "unicode_type",
    "xrange",
]
