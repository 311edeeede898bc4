"""The error page of debug mode: traceback with source lines, locals, request, settings.

It is HTML without scripts, for browsers on this machine only; whoever else asks gets a plain page. Locals
unfold on demand. What looks like a secret is masked: by the name that it has in a dictionary, in the settings,
among headers or arguments, or as a local variable; and the secrets of the settings wherever else they turn up.

That is a help against a careless look, no protection: the page shows the inside of the program, so debug mode is
not for production.
"""

from __future__ import annotations

import linecache
import re
import reprlib
import traceback
from collections.abc import Iterable, Iterator, Mapping
from types import FrameType, TracebackType
from typing import Any

from gustnado.errors import HTTPInputError
from gustnado.escape import xhtml_escape
from gustnado.http.messages import HTTPServerRequest
from gustnado.web.error_pages import ErrorReport

__all__ = ["MASK", "debug_page", "is_local_request", "is_secret_name"]

MASK = "********"
"""What is shown in place of a secret."""

_SECRET = re.compile(
    r"passw|passphrase|(?<![a-z])pass(?![a-z])|secret|token|api[-_]?key|private|credential|auth|cookie|session|signature|xsrf|csrf",
    re.IGNORECASE,
)
_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1", "[::1]")
_LOCAL_ADDRESSES = ("127.0.0.1", "::1")
_CONTEXT = 4  # lines before and after the one that failed
_MAX_FRAMES = 50
_MAX_LOCALS = 100
_MIN_SECRET = 4  # characters; shorter ones would mask half of the page
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:70em;padding:0 1em;color:#222}
h1{font-size:1.3em}h2{font-size:1.1em;margin-top:2em}pre,code,td{font:13px/1.5 ui-monospace,monospace}
pre{background:#f5f5f5;margin:.3em 0;padding:.5em;overflow-x:auto}mark{background:#ffd6d6;display:block}
table{border-collapse:collapse}td{border-top:1px solid #ddd;padding:.1em 1em .1em 0;vertical-align:top}
td:first-child{white-space:nowrap;color:#555}td:last-child{word-break:break-all}.where{margin-top:1em}
"""


def is_secret_name(name: object) -> bool:
    """Whether a value of this name is not to be shown.

    >>> [is_secret_name(name) for name in ("cookie_secret", "Authorization", "passport", "wind")]
    [True, True, False, False]
    """
    return _SECRET.search(str(name)) is not None


def is_local_request(request: HTTPServerRequest, hosts: Iterable[str] = ()) -> bool:
    """Whether a request comes from this machine, and is for it by name (so that no other site's page reads it).

    :param hosts: further host names that a request may be for, from wherever it comes.
    """
    host = request.host_name
    if host in hosts:
        return True
    return request.remote_ip in _LOCAL_ADDRESSES and (host in _LOCAL_NAMES or host.endswith(".localhost"))


def debug_page(report: ErrorReport) -> str:
    """The page for ``report``, which has an error."""
    error = report.error
    if error is None:
        raise ValueError("a debug page needs the exception that it shows")
    title = xhtml_escape(f"{report.status}: {report.reason}")
    parts = [
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>',
        f"<style>{_STYLE}</style></head><body><h1>{title}</h1>",
        *(part for link in _chain(error) for part in _error_parts(*link)),
    ]
    if report.request is not None:
        parts += ["<h2>Request</h2>", *_request_parts(report.request)]
    parts += ["<h2>Settings</h2>", _table(sorted(report.settings.items())), "</body></html>\n"]
    return _without("".join(parts), report.settings)


def _chain(error: BaseException) -> list[tuple[BaseException, str]]:
    """The exceptions that led to ``error``, the first one first, each with what links it to the one before."""
    chain: list[tuple[BaseException, str]] = []
    current: BaseException | None = error
    seen: set[int] = set()
    while current is not None and id(current) not in seen and len(chain) < 10:
        seen.add(id(current))
        if current.__cause__ is not None:
            chain.append((current, "This was raised from the exception above:"))
            current = current.__cause__
        else:
            chain.append((current, "While that was handled, this one came:"))
            current = None if current.__suppress_context__ else current.__context__
    chain.reverse()
    chain[0] = (chain[0][0], "")
    return chain


def _error_parts(error: BaseException, link: str) -> Iterator[str]:
    if link:
        yield f"<p>{link}</p>"
    yield f"<pre>{xhtml_escape(''.join(traceback.format_exception_only(error)))}</pre>"
    for frame, line in list(_frames(error.__traceback__))[-_MAX_FRAMES:]:
        code = frame.f_code
        where = xhtml_escape(f"{code.co_filename}, line {line}, in {code.co_name}")
        yield f'<div class="where"><code>{where}</code></div><pre>{_source(frame, line)}</pre>'
        values = list(frame.f_locals.items())[:_MAX_LOCALS]
        yield f"<details><summary>{len(values)} locals</summary>{_table(values)}</details>"


def _frames(tb: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while tb is not None:
        yield tb.tb_frame, tb.tb_lineno
        tb = tb.tb_next


def _source(frame: FrameType, line: int) -> str:
    """The lines around ``line``, which is marked; nothing where there is no source."""
    shown = []
    for number in range(max(line - _CONTEXT, 1), line + _CONTEXT + 1):
        text = linecache.getline(frame.f_code.co_filename, number, frame.f_globals)
        if text:
            escaped = xhtml_escape(f"{number:5} {text.rstrip()}")
            shown.append(f"<mark>{escaped}</mark>" if number == line else escaped + "\n")
    return "".join(shown)


def _request_parts(request: HTTPServerRequest) -> Iterator[str]:
    yield _table([("method", request.method), ("path", request.path), ("version", request.version),
                  ("remote_ip", request.remote_ip)])  # fmt: skip
    yield "<h2>Header fields</h2>" + _table(request.headers.get_all())
    for name, arguments in (("Query", _arguments(request)), ("Form", request.body_arguments)):
        if arguments:
            yield f"<h2>{name}</h2>" + _table(arguments.items())


def _arguments(request: HTTPServerRequest) -> dict[str, list[bytes]]:
    try:
        return request.query_arguments
    except HTTPInputError:  # there are too many, which may be what the error is about
        return {}


def _table(items: Iterable[tuple[Any, Any]]) -> str:
    rows = [
        f"<tr><td>{xhtml_escape(str(name))}</td><td>{xhtml_escape(_shown(name, value))}</td></tr>"
        for name, value in items
    ]
    return f"<table>{''.join(rows)}</table>"


def _shown(name: object, value: object) -> str:
    return MASK if is_secret_name(name) else _Repr().repr(value)


class _Repr(reprlib.Repr):
    """Short, never fails, and masks the secrets in dictionaries."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = self.maxlong = 300
        self.maxdict = self.maxlist = self.maxtuple = self.maxset = 20
        self.maxlevel = 4

    def repr1(self, x: Any, level: int) -> str:
        try:
            return super().repr1(x, level)
        except Exception as error:  # of somebody's __repr__
            return f"<{type(x).__name__} whose repr() raises {type(error).__name__}>"

    def repr_dict(self, x: dict[Any, Any], level: int) -> str:
        shown = list(x.items())[: self.maxdict + 1]
        return super().repr_dict({key: _Masked() if is_secret_name(key) else value for key, value in shown}, level)


class _Masked:
    def __repr__(self) -> str:
        return MASK


def _without(page: str, settings: Mapping[str, Any]) -> str:
    """``page`` without the secrets of the settings, which a message or a source line may hold."""
    for secret in sorted(set(_secrets(settings)), key=len, reverse=True):
        if len(secret) >= _MIN_SECRET:
            page = page.replace(xhtml_escape(secret), MASK)
    return page


def _secrets(settings: Mapping[Any, Any], inside: bool = False) -> Iterator[str]:
    for name, value in settings.items():
        secret = inside or is_secret_name(name)
        if isinstance(value, Mapping):
            yield from _secrets(value, secret)
        elif secret and isinstance(value, bytes):
            yield value.decode("latin-1")
        elif secret and isinstance(value, str):
            yield value
