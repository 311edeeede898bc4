"""Matchers: what says whether a routing rule is for a request.

>>> from gustnado.http.messages import HTTPServerRequest
>>> matcher = PathMatches(r"/wind/(?P<place>[a-z%0-9]+)")
>>> matcher.match(HTTPServerRequest(method="GET", uri="/wind/new%20york"))
{'path_args': [], 'path_kwargs': {'place': b'new york'}}
>>> matcher.reverse("new york")
'/wind/new%20york'
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gustnado.escape import url_escape, url_unescape, utf8
from gustnado.web.path_patterns import reverse_template

if TYPE_CHECKING:
    from gustnado.http.messages import HTTPServerRequest
    from gustnado.web.application import Application

__all__ = ["AnyMatches", "DefaultHostMatches", "HostMatches", "Matcher", "PathMatches"]


class Matcher:
    """Says whether a rule is for a request."""

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """Return ``None`` where it is not; else parameters for the target, of which there may be none.

        For a ``RequestHandler`` they are ``path_args`` (a list) and ``path_kwargs`` (a dict) of bytes. The
        dict must be a new one for each call.
        """
        raise NotImplementedError

    def reverse(self, *args: Any) -> str | None:
        """Return a path for which :meth:`match` would give ``args``; ``None`` where there is none."""
        return None


class AnyMatches(Matcher):
    """Matches every request."""

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        return {}


class HostMatches(Matcher):
    """Matches by host name (without port, in lower case).

    :param host_pattern: a regular expression; a string must match as a whole.
    """

    def __init__(self, host_pattern: str | re.Pattern[str]) -> None:
        self.host_pattern, self._match = _compile(host_pattern)

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        return None if self._match(request.host_name) is None else {}


class DefaultHostMatches(Matcher):
    """Matches where ``application.default_host`` does, unless a load balancer says ``X-Real-Ip``."""

    def __init__(self, application: Application, host_pattern: re.Pattern[str]) -> None:
        self.application = application
        self.host_pattern = host_pattern

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        default_host = self.application.default_host
        if default_host is None or "X-Real-Ip" in request.headers:
            return None
        return {} if self.host_pattern.match(default_host) else None


class PathMatches(Matcher):
    """Matches by path, and gives what the groups of its pattern took, percent-decoded, as bytes.

    Unnamed groups become ``path_args``, named ones ``path_kwargs``; of a group that took no part it is
    ``None``.

    :param path_pattern: a regular expression. A string must match the path as a whole, with or without
        ``$`` at its end, and no newline slips by. A compiled pattern matches as it says, from the start.
    """

    def __init__(self, path_pattern: str | re.Pattern[str]) -> None:
        self.regex, self._match = _compile(path_pattern)
        self._is_whole = isinstance(path_pattern, str)
        self._has_groups = self.regex.groups > 0
        self._names = dict(self.regex.groupindex)
        self._has_one = self.regex.groups == 1 and not self._names
        named = set(self._names.values())
        self._unnamed = tuple([number for number in range(1, self.regex.groups + 1) if number not in named])
        self._path: str | None = None
        self._group_count: int | None = None
        template = reverse_template(self.regex.pattern)
        if template is not None:
            self._path, self._group_count = template

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        taken = self.take(request.path)
        if taken is None:
            return None
        return {"path_args": taken[0], "path_kwargs": taken[1]} if self._has_groups else {}

    def take(self, path: str) -> tuple[list[bytes | None] | None, dict[str, bytes | None] | None] | None:
        """What the groups take of ``path``, by position and by name; ``None`` where it does not match.

        Both are ``None`` where the pattern has no groups.
        """
        match = self._match(path)
        if match is None:
            return None
        if not self._has_groups:
            return None, None
        if self._has_one:
            return [_unquote(match[1])], {}
        if not self._names:
            return [_unquote(value) for value in match.groups()], {}
        unnamed = [_unquote(match[number]) for number in self._unnamed]
        return unnamed, {name: _unquote(value) for name, value in match.groupdict().items()}

    def whole_pattern(self) -> re.Pattern[str] | None:
        """The pattern, where matching it as a whole, without flags, is all that :meth:`match` does.

        ``None`` where it takes more to judge: an index must not look into it then.
        """
        is_ours = getattr(self.match, "__func__", None) is PathMatches.match
        return self.regex if is_ours and self._is_whole and self.regex.flags == re.UNICODE else None

    def reverse(self, *args: Any) -> str | None:
        """Return a path that matches, with ``args``, percent-encoded, in place of the groups.

        :raises ValueError: where the pattern is not plain text and groups, or the number of ``args`` is not
            that of the groups.
        """
        if self._path is None:
            raise ValueError(f"Cannot reverse url regex {self.regex.pattern}")
        if len(args) != self._group_count:
            raise ValueError(
                f"url regex {self.regex.pattern} takes {self._group_count} arguments, got {len(args)}"
            )
        texts = [arg if isinstance(arg, (str, bytes)) else str(arg) for arg in args]
        escaped = [url_escape(utf8(text), plus=False) for text in texts]
        if escaped and escaped[0].startswith("/") and self._path.startswith("/%s"):
            # "//host" would be taken for another host; "/%2Fhost" gives the same argument back.
            escaped[0] = "%2F" + escaped[0][1:]
        return self._path % tuple(escaped)


def _compile(
    pattern: str | re.Pattern[str],
) -> tuple[re.Pattern[str], Callable[[str], re.Match[str] | None]]:
    """A pattern, and how it is matched: as a whole where it came as a string.

    ``$`` is added for those who read ``regex.pattern``. Alone it would let a newline at the end pass.
    """
    if isinstance(pattern, str):
        regex = re.compile(pattern if pattern.endswith("$") else pattern + "$")
        return regex, regex.fullmatch
    return pattern, pattern.match


def _unquote(value: str | None) -> bytes | None:
    if value is None:
        return None
    return url_unescape(value, encoding=None, plus=False) if "%" in value else value.encode()
