"""The format of an access log, compiled into one function.

>>> compile_format('{remote_ip} "{method} {uri}" {status}')
<function access_line at ...>

**Text.** A format is text with *atoms* between braces; ``{{`` and ``}}`` are braces. Atoms:

====================  ================================================================================
``remote_ip``         address of the client
``method``            ``GET`` and so on
``uri``               what was asked for: ``path`` and ``query`` of it are atoms, too
``version``           ``HTTP/1.1``
``host``, ``scheme``  ``example.org:8888``, ``https``
``status``            ``200``
``bytes``             of the response's body, as sent (compressed, if it was)
``ms``                milliseconds from the arrival of the head to the end of the response, ``1.52``;
                      ``us`` in whole microseconds, ``seconds`` as ``0.001520``
``time``              of the end, ``2026-11-27T19:14:11.123Z``; ``clf_time`` as Apache has it,
                      ``27/Nov/2026:19:14:11 +0000``
``request_id``        see ``HTTPServerRequest.request_id``
``handler``           name of the handler's class
``pid``               of the process
``header:NAME``       a header field of the request, ``{header:User-Agent}``
``response:NAME``     a header field of the response
====================  ================================================================================

**JSON.** ``json`` gives an object a line, with the members ``time remote_ip method uri version status bytes ms
request_id``. ``json:`` and atoms between spaces is the same with these: ``json:time uri status header:Referer``.
What is a number is one; what is missing is ``null``.

**Names.** ``common`` and ``combined`` are the formats of Apache and nginx; ``default`` is
``{time} {remote_ip} "{method} {uri} {version}" {status} {bytes} {ms}ms {request_id}``.

Nobody can forge a line, or a part of one. In text, control characters, characters that are not printable, ``"``
and ``\\`` become escapes as ``\\x1b``; so do spaces of an atom that the format does not put between ``"``, and what
is missing or empty there is ``-``. Values are cut after 2,048 characters.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import time
from collections.abc import Callable
from typing import Any, TypeAlias

from gustnado.errors import UsageError

__all__ = ["FORMATS", "AccessFormatError", "compile_format"]

Line: TypeAlias = Callable[[Any], str]

FORMATS: dict[str, str] = {
    "default": '{time} {remote_ip} "{method} {uri} {version}" {status} {bytes} {ms}ms {request_id}',
    "common": '{remote_ip} - - [{clf_time}] "{method} {uri} {version}" {status} {bytes}',
    "combined": (
        '{remote_ip} - - [{clf_time}] "{method} {uri} {version}" {status} {bytes}'
        ' "{header:Referer}" "{header:User-Agent}"'
    ),
    "json": "json:time remote_ip method uri version status bytes ms request_id",
}
"""Formats with a name."""

# Atoms whose text comes from a client, and those that are made here; as expressions of a handler ``h`` and its
# request ``r``.
_FOREIGN = {
    "remote_ip": "r.remote_ip",
    "method": "r.method",
    "uri": "r.uri",
    "path": "r.path",
    "query": "r.query",
    "version": "r.version",
    "host": "r.host",
    "scheme": "r.protocol",
    "request_id": "r.request_id",
}
_OWN = {
    "status": "h.get_status()",
    "bytes": "getattr(r.connection, 'body_sent', 0)",
    "ms": "'%.2f' % (1000.0 * r.request_time())",
    "us": "int(1000000.0 * r.request_time())",
    "seconds": "'%.6f' % r.request_time()",
    "pid": "getpid()",
}
_OWN_TEXT = {
    "time": "clock.iso()",
    "clf_time": "clock.clf()",
    "handler": "type(h).__qualname__",
}
_FIELDS = {"header": "r.headers.get({!r})", "response": "h._headers.get({!r})"}
_ATOM = re.compile(r"\{\{|\}\}|\{([^{}]*+)\}|[{}]")
_FIELD_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++")
_MOST = 2048  # characters of a value
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# For values between quotes, for those that end where the next space is, and for strings of JSON: what stands
# for one that is missing, and when none of them needs escapes.
_MISSING = {"quoted": "'-' if {0} is None else {0}", "bare": "{0} or '-'"}
_SAFE = f"{{0}}.isprintable() and '\"' not in {{0}} and '\\\\' not in {{0}} and len({{0}}) <= {_MOST}"
_CHECKS = {"quoted": _SAFE, "bare": _SAFE + " and ' ' not in {0}", "json": _SAFE}


class AccessFormatError(UsageError, ValueError):
    """A format cannot be understood; the message says where."""


def compile_format(format: str) -> Line:
    """A function that makes the line, without a line break, of a handler that has finished.

    :param format: one as this module describes, or the name of one.
    :raises AccessFormatError: where it has an unknown atom, or a brace too many.
    """
    format = FORMATS.get(format, format)
    if format.startswith("json:"):
        function: _Function = _JsonFunction(format.removeprefix("json:").split())
    else:
        function = _TextFunction(format)
    namespace: dict[str, Any] = {**_HELPERS, "constants": function.constants}
    exec(compile(function.source(), "<access log format>", "exec"), namespace)
    line: Line = namespace["access_line"]
    return line


class _Function:
    """The source of a function. All foreign values are looked at together; escapes are made where it must be.

    :ivar constants: the text between atoms, of which none gets into the source.
    """

    def __init__(self) -> None:
        self.constants: list[str] = []
        self.parts: list[str] = []  # of the f-string
        self.assignments: list[str] = []
        self.values: dict[str, list[tuple[str, str]]] = {}  # kind -> name and expression of foreign values

    def constant(self, text: str) -> None:
        self.parts.append(f"c{len(self.constants)}")
        self.constants.append(text)

    def own(self, expression: str) -> None:
        name = f"v{len(self.parts)}"
        self.parts.append(name)
        self.assignments.append(f"    {name} = {expression}")

    def foreign(self, kind: str, expression: str) -> None:
        name = f"v{len(self.parts)}"
        self.parts.append(name)
        self.values.setdefault(kind, []).append((name, expression))

    def source(self) -> str:
        names = [f"c{number}" for number in range(len(self.constants))]
        lines = [f"def access_line(h, {', '.join(f'{name}=constants[{n}]' for n, name in enumerate(names))}):"]
        lines += ["    r = h.request", *self.assignments]
        checks = []
        for kind, values in self.values.items():
            lines += [f"    {name} = {expression}" for name, expression in values]
            lines += [f"    {name} = {_MISSING[kind].format(name)}" for name, _ in values if kind in _MISSING]
            lines.append(f"    {kind} = f'{''.join(f'{{{name}}}' for name, _ in values)}'")
            checks.append(_CHECKS[kind].format(kind))
        if checks:
            lines.append(f"    if not ({' and '.join(checks)}):")
        for kind, values in self.values.items():
            lines += [f"        {name} = escape_{kind}({name})" for name, _ in values]
        for name, _ in self.values.get("json", ()):
            lines.append(f"    {name} = 'null' if {name} is None else '\"' + {name} + '\"'")
        lines.append(f"    return f'{''.join(f'{{{part}}}' for part in self.parts)}'")
        return "\n".join([*lines, ""])


class _TextFunction(_Function):
    def __init__(self, format: str) -> None:
        super().__init__()
        literal = ""
        quotes = place = 0
        for match in _ATOM.finditer(format):
            literal += format[place : match.start()]
            place = match.end()
            if match[1] is not None:
                quotes += literal.count('"')
                self.constant(literal)
                self._atom(match[1], "quoted" if quotes % 2 else "bare")
                literal = ""
            elif len(match[0]) == 2:
                literal += match[0][0]
            else:
                where = f"at character {match.start()} of {format!r}"
                raise AccessFormatError(f"access log format: a single {match[0]!r} {where}; twice is one as text")
        self.constant(literal + format[place:])

    def _atom(self, atom: str, kind: str) -> None:
        expression = _expression(atom)
        if atom in _OWN or atom in _OWN_TEXT:
            self.own(expression)
        else:
            self.foreign(kind, expression)


class _JsonFunction(_Function):
    def __init__(self, atoms: list[str]) -> None:
        super().__init__()
        if not atoms:
            raise AccessFormatError("access log format: 'json:' wants atoms after it, or say 'json'")
        for number, atom in enumerate(atoms):
            expression = _expression(atom)
            self.constant(f"{', ' if number else '{'}{json.dumps(atom)}: ")
            if atom in _OWN:
                self.own(expression)
            else:
                self.foreign("json", expression)
        self.constant("}")


def _expression(atom: str) -> str:
    expression = _OWN.get(atom) or _FOREIGN.get(atom) or _OWN_TEXT.get(atom)
    if expression is not None:
        return expression
    kind, _, name = atom.partition(":")
    if kind in _FIELDS and _FIELD_NAME.fullmatch(name):
        return _FIELDS[kind].format(name)
    known = [*_FOREIGN, *_OWN, *_OWN_TEXT, *[f"{field}:NAME" for field in _FIELDS]]
    near = difflib.get_close_matches(atom, known, 1)
    hint = f"did you mean {{{near[0]}}}?" if near else f"known: {', '.join(known)}"
    raise AccessFormatError(f"access log format: unknown atom {{{atom}}}; {hint}")


def _escape_quoted(value: str) -> str:
    return _escape(value, '"\\')


def _escape_bare(value: str) -> str:
    return _escape(value, '"\\ ')


def _escape(value: str, special: str) -> str:
    cut = value[:_MOST]
    parts = [char if char.isprintable() and char not in special else _escape_char(char) for char in cut]
    return "".join(parts) + ("..." if len(value) > _MOST else "")


def _escape_char(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _escape_json(value: str | None) -> str | None:
    if value is None:
        return None
    if len(value) > _MOST:
        value = value[:_MOST] + "..."
    return json.dumps(value)[1:-1].replace("\x7f", "\\u007f")


class _Clock:
    """The time as text. What changes once a second is made once a second."""

    def __init__(self) -> None:
        self._millisecond = self._second = -1
        self._iso = self._iso_start = self._clf = ""

    def iso(self) -> str:
        now = int(time.time() * 1000)
        if now != self._millisecond:
            self._look(now)
        return self._iso

    def clf(self) -> str:
        now = int(time.time() * 1000)
        if now != self._millisecond:
            self._look(now)
        return self._clf

    def _look(self, millisecond: int) -> None:
        self._millisecond = millisecond
        second = millisecond // 1000
        if second != self._second:
            self._second = second
            parts = time.gmtime(second)
            self._iso_start = time.strftime("%Y-%m-%dT%H:%M:%S.", parts)
            month = _MONTHS[parts.tm_mon - 1]  # whatever the locale
            self._clf = time.strftime(f"%d/{month}/%Y:%H:%M:%S +0000", parts)
        self._iso = f"{self._iso_start}{millisecond % 1000:03d}Z"


_HELPERS = {
    "clock": _Clock(),
    "escape_bare": _escape_bare,
    "escape_json": _escape_json,
    "escape_quoted": _escape_quoted,
    "getpid": os.getpid,
}
