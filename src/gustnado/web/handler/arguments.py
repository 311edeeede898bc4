"""A handler's view of query and form arguments.

They come as bytes, percent-decoded. Each is decoded by :meth:`ArgumentsMixin.decode_argument` (UTF-8, else
400), control characters in it become spaces, and white space around it is dropped unless ``strip=False``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import overload

from gustnado.escape import to_unicode
from gustnado.web.errors import HTTPError, MissingArgumentError
from gustnado.web.handler.state import HandlerState

__all__ = ["ArgumentsMixin"]

# All but TAB, LF, VT, FF and CR: a text area may well send those.
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")


class _ArgDefaultMarker:
    """Stands for "no default was given"."""


_ARG_DEFAULT = _ArgDefaultMarker()


class ArgumentsMixin(HandlerState):
    """``get_argument`` and its kin."""

    @overload
    def get_argument(self, name: str, default: str, strip: bool = True) -> str: ...
    @overload
    def get_argument(
        self, name: str, default: _ArgDefaultMarker = _ARG_DEFAULT, strip: bool = True
    ) -> str: ...
    @overload
    def get_argument(self, name: str, default: None, strip: bool = True) -> str | None: ...
    def get_argument(
        self, name: str, default: str | _ArgDefaultMarker | None = _ARG_DEFAULT, strip: bool = True
    ) -> str | None:
        """The argument ``name`` of query or body; of several the last, and those of the body come last.

        :raises MissingArgumentError: (400) where there is none and no default.
        :raises HTTPError: (400) where it is not UTF-8.
        """
        return self._get_argument(name, default, self.request.arguments, strip)

    def get_arguments(self, name: str, strip: bool = True) -> list[str]:
        """All arguments ``name`` of query and body; an empty list where there are none.

        :raises HTTPError: (400) where one is not UTF-8.
        """
        if not isinstance(strip, bool):
            raise TypeError(f"get_arguments takes no default, and strip is a bool, not {strip!r}")
        return self._get_arguments(name, self.request.arguments, strip)

    @overload
    def get_body_argument(self, name: str, default: str, strip: bool = True) -> str: ...
    @overload
    def get_body_argument(
        self, name: str, default: _ArgDefaultMarker = _ARG_DEFAULT, strip: bool = True
    ) -> str: ...
    @overload
    def get_body_argument(self, name: str, default: None, strip: bool = True) -> str | None: ...
    def get_body_argument(
        self, name: str, default: str | _ArgDefaultMarker | None = _ARG_DEFAULT, strip: bool = True
    ) -> str | None:
        """As :meth:`get_argument`, of a form body only."""
        return self._get_argument(name, default, self.request.body_arguments, strip)

    def get_body_arguments(self, name: str, strip: bool = True) -> list[str]:
        """As :meth:`get_arguments`, of a form body only."""
        return self._get_arguments(name, self.request.body_arguments, strip)

    @overload
    def get_query_argument(self, name: str, default: str, strip: bool = True) -> str: ...
    @overload
    def get_query_argument(
        self, name: str, default: _ArgDefaultMarker = _ARG_DEFAULT, strip: bool = True
    ) -> str: ...
    @overload
    def get_query_argument(self, name: str, default: None, strip: bool = True) -> str | None: ...
    def get_query_argument(
        self, name: str, default: str | _ArgDefaultMarker | None = _ARG_DEFAULT, strip: bool = True
    ) -> str | None:
        """As :meth:`get_argument`, of the query only."""
        return self._get_argument(name, default, self.request.query_arguments, strip)

    def get_query_arguments(self, name: str, strip: bool = True) -> list[str]:
        """As :meth:`get_arguments`, of the query only."""
        return self._get_arguments(name, self.request.query_arguments, strip)

    def decode_argument(self, value: bytes | str, name: str | None = None) -> str:
        """Decode an argument, or a part of the path that a route's group took.

        Override it for another encoding than UTF-8.

        :param name: of the argument, or of the group; ``None`` for a group without one.
        :raises HTTPError: (400) where it is not UTF-8.
        """
        try:
            return to_unicode(value)
        except UnicodeDecodeError as error:
            raise HTTPError(400, "Invalid unicode in %s: %r", name or "url", value[:40]) from error

    def _get_argument(
        self,
        name: str,
        default: str | _ArgDefaultMarker | None,
        source: Mapping[str, list[bytes]],
        strip: bool = True,
    ) -> str | None:
        values = self._get_arguments(name, source, strip)
        if values:
            return values[-1]
        if isinstance(default, _ArgDefaultMarker):
            raise MissingArgumentError(name)
        return default

    def _get_arguments(self, name: str, source: Mapping[str, list[bytes]], strip: bool = True) -> list[str]:
        values = []
        for raw in source.get(name, ()):
            value = self.decode_argument(raw, name=name)
            if isinstance(value, str):  # an override may leave it as bytes
                value = _CONTROL.sub(" ", value)
            values.append(value.strip() if strip else value)
        return values
