"""Conditional requests: an ``ETag`` for what a handler wrote, and 304 for who has it (RFC 9110 section 13)."""

from __future__ import annotations

import hashlib

from gustnado.web.handler.state import HandlerState

__all__ = ["CachingMixin", "etag_matches"]

_hash = hashlib.blake2b  # of the strong ones in every Python the cheapest to start


class CachingMixin(HandlerState):
    """``ETag`` and ``If-None-Match``."""

    def compute_etag(self) -> str | None:
        """An entity tag, with its quotes, for what has been written; override to change it.

        ``None`` means that the response has none.
        """
        buffer = self._write_buffer
        content = buffer[0] if len(buffer) == 1 else b"".join(buffer)
        return f'"{_hash(content).hexdigest()[:32]}"'

    def set_etag_header(self) -> None:
        """Set the ``ETag`` field to :meth:`compute_etag`, where that gives one."""
        etag = self.compute_etag()
        if etag is not None:
            self.set_header("Etag", etag)

    def check_etag_header(self) -> bool:
        """Whether the client has what would be sent: its ``If-None-Match`` names our ``ETag``.

        To be called after the ``ETag`` field has been set; the answer then is 304.
        """
        wanted = self.request.headers.get("If-None-Match")
        if wanted is None:
            return False
        return etag_matches(wanted, self._headers.get("Etag", ""))


def etag_matches(wanted: str, etag: str) -> bool:
    """Whether an ``If-None-Match`` field names ``etag``, by weak comparison (RFC 9110 section 8.8.3.2).

    Linear in its length; whatever is malformed ends the list.

    >>> etag_matches('W/"a", "b"', '"a"'), etag_matches('"b"', '"a"'), etag_matches("*", '"a"')
    (True, False, True)
    """
    if not etag:
        return False
    if wanted.strip(" \t") == "*":
        return True
    opaque = etag[2:] if etag.startswith("W/") else etag
    position = 0
    while True:
        start = wanted.find('"', position)
        end = wanted.find('"', start + 1) if start >= 0 else -1
        if end < 0:
            return False
        if wanted[start : end + 1] == opaque:
            return True
        position = end + 1
