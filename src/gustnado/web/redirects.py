"""The one place that says whether a redirect stays where it should.

A browser reads a ``Location`` by the URL standard (WHATWG), which is laxer than RFC 3986. Before it looks
for a host it drops control characters and spaces at both ends, drops TAB, CR and LF anywhere, reads ``\\``
as ``/``, and takes any run of two slashes or more as the start of a host. So ``//evil``, ``/\\evil``,
``/<TAB>/evil`` and ``///evil`` all leave the site. Whoever builds a redirect from a request's path asks
here first.

>>> safe_local_redirect("/wind/?speed=5")
True
>>> [safe_local_redirect(url) for url in ("//evil", "/\\\\evil", "/\\t/evil", "javascript:alert(1)")]
[False, False, False, False]
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

__all__ = ["has_control_characters", "is_absolute", "safe_local_redirect", "scheme_and_netloc"]

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_C0_AND_SPACE = "".join(map(chr, range(0x21)))
_DROPPED = {ord("\t"): None, ord("\n"): None, ord("\r"): None, ord("\\"): "/"}
_SLASHES = re.compile(r"/{2,}")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")


def is_absolute(path: str) -> bool:
    """Whether ``path`` is a path from the root or an ``http`` or ``https`` URL, not a relative one.

    >>> is_absolute("/wind"), is_absolute("https://example.org"), is_absolute("wind")
    (True, True, False)
    """
    return path.startswith(("/", "http:", "https:"))


def safe_local_redirect(path: str) -> bool:
    """Whether a redirect to ``path`` stays on this origin, and can be sent.

    :param path: a path with or without query, from the root or relative. A URL with a scheme is refused,
        even one that names this very host.
    """
    if _CONTROL.search(path) is not None:
        return False
    cleaned = _as_browser_reads(path)
    return not cleaned.startswith("//") and _SCHEME.match(cleaned) is None


def has_control_characters(url: str) -> bool:
    """Whether ``url`` holds what a header value must not: CR, LF, NUL and their like."""
    return _CONTROL.search(url) is not None


def scheme_and_netloc(url: str) -> tuple[str, str]:
    """The scheme and the authority (user, host, port) that a browser finds in ``url``, in lower case.

    >>> [scheme_and_netloc(url) for url in ("HTTPS:\\\\\\\\Example.org/x", "///example.org", "/x")]
    [('https', 'example.org'), ('', 'example.org'), ('', '')]

    :raises ValueError: where it cannot be parsed.
    """
    cleaned = _as_browser_reads(url)
    if cleaned.startswith("//"):
        cleaned = _SLASHES.sub("//", cleaned, count=1)
    parts = urlsplit(cleaned)
    return parts.scheme.lower(), parts.netloc.lower()


def _as_browser_reads(url: str) -> str:
    return url.strip(_C0_AND_SPACE).translate(_DROPPED)
