"""Bounds of the body of one request, in place of its server's.

>>> BodyLimits(max_body_size=1 << 30, max_parts=5).limits_of(Limits()).max_parts
5
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from gustnado.http.limits import Limits

if TYPE_CHECKING:
    from gustnado.http.messages import HTTPServerRequest

__all__ = ["BodyLimits"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BodyLimits:
    """What is ``None`` is as the server's :class:`~gustnado.http.limits.Limits` say, where each is explained.

    ::

        class Upload(RequestHandler):
            body_limits = BodyLimits(max_body_size=1 << 30, min_body_rate=10_000)
    """

    max_body_size: int | None = None
    """Bytes, of streamed bodies too."""
    body_timeout: float | None = None
    """Seconds without a byte."""
    min_body_rate: float | None = None
    """Bytes a second."""
    max_form_fields: int | None = None
    """Fields of a urlencoded body."""
    max_parts: int | None = None
    """Parts of a multipart body."""
    max_part_header_size: int | None = None
    """Bytes of the head of a part."""
    max_value_size: int | None = None
    """Bytes of a part that is no file."""
    spool_size: int | None = None
    """Bytes of a multipart body from which on it is collected on disk."""

    def limits_of(self, limits: Limits) -> Limits:
        """``limits`` with these in them."""
        changes = {
            field.name: value
            for field in dataclasses.fields(self)
            if (value := getattr(self, field.name)) is not None
        }
        return dataclasses.replace(limits, **changes)

    def apply(self, request: HTTPServerRequest) -> None:
        """Bound the body of ``request``, of which only the head has been read."""
        request.limits = self.limits_of(request.limits)
        connection = request.connection
        if self.max_body_size is not None:
            connection.set_max_body_size(self.max_body_size)
        if self.body_timeout is not None:
            connection.set_body_timeout(self.body_timeout)
        if self.min_body_rate is not None:
            connection.set_min_body_rate(self.min_body_rate)
