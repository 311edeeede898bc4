"""Conditional requests: an ``ETag`` for what a handler wrote, and 304 for who has it (RFC 9110 section 13)."""

from __future__ import annotations

import hashlib

from gustnado.web.handler.state import HandlerState

__all__ = ["CachingMixin", "etag_matches", "etag_matches_strongly"]

_hash = hashlib.blake2b  # of the strong ones in every Python the cheapest to start


class CachingMixin(HandlerState):
    """``ETag`` and ``If-None-Match``."""

    def compute_etag(self) -> str | None:
        """An entity tag, with its quotes, for what has been written; override to change it.

        ``None`` means that the response has none.
        """
        return entity_tag(self._write_buffer)

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


_COMPUTE_ETAG = CachingMixin.compute_etag  # before anybody wraps or overrides them
_SET_ETAG_HEADER = CachingMixin.set_etag_header


def give_etag(handler: CachingMixin) -> None:
    """Set the ``ETag`` field of ``handler``: without a detour where its class leaves the hooks as they are."""
    cls = type(handler)
    if cls.set_etag_header is _SET_ETAG_HEADER and cls.compute_etag is _COMPUTE_ETAG:
        handler._headers._fields["Etag"] = entity_tag(handler._write_buffer)
    else:
        handler.set_etag_header()


def entity_tag(buffer: list[bytes]) -> str:
    """A strong entity tag, with its quotes, for the content in ``buffer``."""
    content = buffer[0] if len(buffer) == 1 else b"".join(buffer)
    return f'"{_hash(content, digest_size=16).hexdigest()}"'


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
    return _is_listed(wanted, etag[2:] if etag.startswith("W/") else etag, False)


def etag_matches_strongly(wanted: str, etag: str) -> bool:
    """Whether an ``If-Match`` field names ``etag``, by strong comparison (RFC 9110 section 8.8.3.2).

    >>> etag_matches_strongly('W/"a", "b"', '"a"'), etag_matches_strongly('"a", "b"', '"a"')
    (False, True)
    """
    if wanted.strip(" \t") == "*":
        return bool(etag)
    if not etag or etag.startswith("W/"):
        return False
    return _is_listed(wanted, etag, True)


def _is_listed(wanted: str, opaque: str, strong: bool) -> bool:
    """Whether the list ``wanted`` holds ``opaque``, an entity tag without ``W/``.

    :param strong: leave out those that are weak.
    """
    position = 0
    while True:
        start = wanted.find('"', position)
        end = wanted.find('"', start + 1) if start >= 0 else -1
        if end < 0:
            return False
        if wanted[start : end + 1] == opaque and not (strong and wanted[max(start - 2, 0) : start] == "W/"):
            return True
        position = end + 1
