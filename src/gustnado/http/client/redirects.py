"""Redirects: where the next request goes, and what it may take along (RFC 9110 section 15.4).

Rules:

- 303, and 301 and 302 of a POST, make it a GET without a body, as browsers do; a HEAD stays one. All others keep method
  and body.
- Credentials and cookies do not follow to another origin, and do not come back with a redirect to the first one.
- Nothing goes from https to http unless that is asked for.

>>> from gustnado.http.client.urls import parse_url
>>> from gustnado.http.headers import HTTPHeaders
>>> step = next_step(
...     302, "//other.example/b", parse_url("https://example.org/a"), "POST", HTTPHeaders({"Cookie": "c=1"}), False)
>>> step.url.text, step.method, dict(step.headers), step.keeps_body, step.same_origin
('https://other.example/b', 'GET', {}, False, False)
"""

from __future__ import annotations

from typing import NamedTuple

from gustnado.http.client.errors import UnsafeRedirectError
from gustnado.http.client.urls import ClientURL, join_url
from gustnado.http.headers import HTTPHeaders

__all__ = ["REDIRECTS", "Step", "next_step"]

REDIRECTS = frozenset({301, 302, 303, 307, 308})
"""The status codes that send to another URL."""

_OF_BODY = ("Content-Encoding", "Content-Language", "Content-Length", "Content-Location", "Content-Type")
_OF_ORIGIN = ("Authorization", "Cookie", "Host", "Proxy-Authorization")


class Step(NamedTuple):
    """The next request: ``keeps_body`` that of the last one, ``same_origin`` with its credentials."""

    url: ClientURL
    method: str
    headers: HTTPHeaders
    keeps_body: bool
    same_origin: bool


def next_step(
    code: int, location: str, url: ClientURL, method: str, headers: HTTPHeaders, allow_downgrade: bool
) -> Step:
    """The request to which a redirect leads.

    :param code: one of :data:`REDIRECTS`, answered to a ``method`` of ``url``.
    :param headers: the fields that the program has set; they are not changed.
    :raises gustnado.http.client.errors.InvalidURLError: where ``location`` is no URL that can be fetched.
    :raises gustnado.http.client.errors.UnsafeRedirectError: from https to http.
    """
    target = join_url(url, location)
    if url.scheme == "https" and target.scheme == "http" and not allow_downgrade:
        raise UnsafeRedirectError(f"redirect from {url.text[:200]} to {target.text[:200]} gives up TLS")
    same_origin = target.origin == url.origin
    becomes_get = (code == 303 and method != "HEAD") or (code in (301, 302) and method == "POST")
    dropped = [*(() if same_origin else _OF_ORIGIN), *(_OF_BODY if becomes_get else ())]
    kept = headers.copy()
    for name in dropped:
        kept.pop(name, None)
    return Step(target, "GET" if becomes_get else method, kept, not becomes_get, same_origin)
