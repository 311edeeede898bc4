"""Names for requests, so that the lines of several logs can be brought together.

>>> ids = RequestIds("X-Request-ID")
>>> ids.id_for(HTTPHeaders({"X-Request-ID": "from-the-proxy-17"}))
'from-the-proxy-17'
>>> ids.id_for(HTTPHeaders()) == ids.id_for(HTTPHeaders())
False
"""

from __future__ import annotations

import os
import re

from gustnado.errors import UsageError
from gustnado.http.headers import HTTPHeaders

__all__ = ["RequestIds"]

_FIELD_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++")
# What UUIDs, trace ids, and base64 are made of: nothing that a log or a shell takes for something else.
_ID = re.compile(r"[0-9A-Za-z._~:+/=@\-]{1,128}+")


class RequestIds:
    """Names the requests of a server.

    An id of its own is 12 random bytes, drawn once, and a count: no two servers make the same one, if they are
    made after the fork, and it costs next to nothing.

    :param header: the field that a proxy in front sets, as ``X-Request-ID``. Its value is taken where it is
        1 to 128 letters, digits and ``._~:+/=@-``; else, and where it is missing, an id is made. Name one only
        where a proxy sets or removes it: clients could otherwise choose what is logged for them.
    :raises gustnado.errors.UsageError: where ``header`` is no name of a field.
    """

    def __init__(self, header: str | None = None) -> None:
        if header is not None and _FIELD_NAME.fullmatch(header) is None:
            raise UsageError(f"request_id_header {header!r} is no name of a header field")
        self.header = header
        self._prefix = os.urandom(12).hex()
        self._count = 0

    def id_for(self, headers: HTTPHeaders) -> str:
        """The id of a request with these header fields. Each call counts as another request."""
        if self.header is not None:
            given: str | None = headers.get(self.header)
            if given is not None and _ID.fullmatch(given) is not None:
                return given
        self._count += 1
        return f"{self._prefix}-{self._count:x}"
