"""A template's text in, a tree of nodes out. No I/O: what an ``include`` names is not looked at here.

How it reads:

- Between directives everything is text. A directive starts at ``{{``, ``{%`` or ``{#``; of more than two
  braces in a row the innermost two count, so that ``\\textbf{{{ name }}}`` means what a LaTeX author hopes.
- ``{{!``, ``{%!`` and ``{#!`` are the braces themselves. They need no closing braces.
- A directive ends at the first ``}}``, ``%}`` or ``#}``, even inside of a Python string.
- The directives that have a body wait on a stack until their ``{% end %}``. ``{% end if %}`` says what it
  ends; that it is wrong is then an error here, not a page that looks odd.
- Every error is a ``ParseError`` with the template's name and line. Python is not checked here: its
  compiler sees the generated code, and its complaints are traced back to the line.

>>> file = parse_template("Hello {{ name }}!", "hello.txt")
>>> [type(node).__name__ for node in file.body]
['Text', 'Expression', 'Text']
>>> parse_template("{% if a %}{% for b in c %}{% end if %}", "page.html")
Traceback (most recent call last):
    ...
gustnado.web.template.errors.ParseError: {% end if %} cannot end {% for b in c %} of line 1 at page.html:1
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NoReturn

from gustnado.errors import UsageError
from gustnado.web.template.errors import ParseError
from gustnado.web.template.nodes import (
    Apply,
    Block,
    Branch,
    Control,
    Expression,
    Extends,
    File,
    Include,
    Node,
    Statement,
    Text,
)
from gustnado.web.template.whitespace import default_mode, filter_whitespace

__all__ = ["MAX_NESTING", "parse_template"]

#: How deep directives may stand in one another in one file. Python allows 100 levels of indentation.
MAX_NESTING: Final = 90

_DIRECTIVE: Final = re.compile(r"\{(?:\{(?!\{)|[%#])")
_CLOSERS: Final = {"{{": "}}", "{%": "%}", "{#": "#}"}
_MISSING: Final = {
    "{{": "Missing end expression }}",
    "{%": "Missing end block %}",
    "{#": "Missing end comment #}",
}
_BRANCHES: Final = {
    "else": ("if", "for", "while", "try"),
    "elif": ("if",),
    "except": ("try",),
    "finally": ("try",),
}
_LOOPS: Final = ("for", "while")


@dataclass(eq=False)
class _Open:
    """A directive whose ``{% end %}`` is still to come."""

    operator: str
    argument: str
    source: str
    line: int
    body: list[Node]
    in_loop: bool


def parse_template(
    text: str,
    name: str,
    *,
    whitespace: str | None = None,
    autoescape: str | None = "xhtml_escape",
    path: str | None = None,
) -> File:
    """Return the tree of the template ``text``.

    :param name: the template's name; error messages carry it.
    :param whitespace: the mode at its start, see ``filter_whitespace``; by the name's extension when
        ``None``.
    :param autoescape: the escape function's name, unless a directive in the file says otherwise.
    :param path: where the template lies on disk, if it does.
    :raises ParseError: the text is not a template.
    """
    file = File(name, text, autoescape, path)
    _Parser(file, whitespace or default_mode(name)).parse()
    return file


class _Parser:
    """One pass over one file."""

    def __init__(self, file: File, whitespace: str) -> None:
        self._file = file
        self._text = file.text
        self._whitespace = whitespace
        self._pos = 0
        self._line = 1
        self._body = file.body
        self._stack: list[_Open] = []

    def parse(self) -> None:
        """Fill the file's body."""
        readers = {"{{": self._read_expression, "{%": self._read_block, "{#": self._read_comment}
        while (match := _DIRECTIVE.search(self._text, self._pos)) is not None:
            self._add_text(self._take(match.start()))
            opener = self._take(match.end())
            if self._text.startswith("!", self._pos):
                self._take(self._pos + 1)
                self._body.append(Text(opener, self._line))
            else:
                readers[opener]()
        self._add_text(self._take(len(self._text)))
        if self._stack:
            still_open = self._stack[-1]
            self._fail(f"Missing {{% end %}} block for {still_open.operator}", still_open.line)

    # -- reading

    def _take(self, end: int) -> str:
        taken = self._text[self._pos : end]
        self._line += taken.count("\n")
        self._pos = end
        return taken

    def _take_directive(self, opener: str) -> tuple[str, int]:
        """Return what stands up to the closing braces, stripped, and the line on which it starts."""
        end = self._text.find(_CLOSERS[opener], self._pos)
        if end < 0:
            self._fail(_MISSING[opener])
        line = self._line
        source = self._take(end)
        self._take(end + 2)
        return source.strip(), line + source[: len(source) - len(source.lstrip())].count("\n")

    def _fail(self, message: str, line: int | None = None) -> NoReturn:
        raise ParseError(message, self._file.name, self._line if line is None else line)

    def _code(self, source: str, line: int, complaint: str) -> str:
        """Return ``source`` as the generator wants it: not empty, line breaks all ``\\n``."""
        if not source:
            self._fail(complaint, line)
        if "\0" in source:
            self._fail("Null character in Python code", line)
        if not _is_encodable(source):
            self._fail("Lone surrogate in Python code", line)
        return source.replace("\r\n", "\n").replace("\r", "\n")

    # -- the three kinds of directives

    def _add_text(self, text: str) -> None:
        # <pre> anywhere in a piece of text keeps that piece's whitespace: crude, and what Tornado does.
        if "<pre>" not in text:
            text = filter_whitespace(self._whitespace, text)
        if text:
            self._body.append(Text(text, self._line))

    def _read_comment(self) -> None:
        self._take_directive("{#")

    def _read_expression(self) -> None:
        source, line = self._take_directive("{{")
        self._body.append(Expression(self._code(source, line, "Empty expression"), line))

    def _read_block(self) -> None:
        source, line = self._take_directive("{%")
        if not source:
            self._fail("Empty block tag ({% %})", line)
        operator, *rest = source.split(None, 1)
        argument = rest[0].strip() if rest else ""
        if operator in _BRANCHES:
            self._branch(operator, source, line)
        elif operator == "end":
            self._end(argument, line)
        elif operator in _CONTAINERS:
            self._open(operator, argument, source, line)
        elif operator in _SIMPLE:
            _SIMPLE[operator](self, operator, argument, line)
        else:
            self._fail(f"unknown operator: {operator!r}", line)

    # -- directives with a body

    def _open(self, operator: str, argument: str, source: str, line: int) -> None:
        complaint = _CONTAINERS[operator]
        if complaint:
            argument = self._code(argument, line, complaint)
        if len(self._stack) >= MAX_NESTING:
            self._fail(f"More than {MAX_NESTING} directives inside of one another", line)
        outer_loop = bool(self._stack) and self._stack[-1].in_loop
        # An apply's body becomes a function, so the loop around it is out of reach.
        in_loop = operator in _LOOPS or (outer_loop and operator != "apply")
        self._stack.append(_Open(operator, argument, source, line, self._body, in_loop))
        self._body = []

    def _branch(self, operator: str, source: str, line: int) -> None:
        parents = _BRANCHES[operator]
        if not self._stack:
            self._fail(f"{operator} outside of any {' or '.join(parents)} block", line)
        parent = self._stack[-1].operator
        if parent not in parents:
            self._fail(f"{operator} block cannot be attached to {parent} block", line)
        self._body.append(Branch(self._code(source, line, ""), line))

    def _end(self, label: str, line: int) -> None:
        if not self._stack:
            self._fail("Extra {% end %} block", line)
        opened = self._stack.pop()
        if not _end_fits(label, opened):
            self._fail(f"{{% end {label} %}} cannot end {{% {opened.source} %}} of line {opened.line}", line)
        body, self._body = self._body, opened.body
        self._body.append(self._close(opened, body))

    def _close(self, opened: _Open, body: list[Node]) -> Node:
        if opened.operator == "apply":
            return Apply(opened.argument, opened.line, body)
        if opened.operator == "block":
            return Block(opened.argument, opened.line, body, self._file)
        if opened.operator == "try" and not any(_is_handler(node) for node in body):
            self._fail("try without except or finally", opened.line)
        code = self._code(opened.source, opened.line, "")
        return Control(opened.operator, code, opened.line, body)

    # -- directives without one

    def _ignore(self, operator: str, argument: str, line: int) -> None:
        """``{% comment %}`` leaves nothing."""

    def _autoescape(self, operator: str, argument: str, line: int) -> None:
        function = self._code(argument, line, "autoescape missing function name")
        self._file.autoescape = None if function == "None" else function

    def _set_whitespace(self, operator: str, argument: str, line: int) -> None:
        try:
            filter_whitespace(argument, "")
        except UsageError as error:
            raise ParseError(str(error), self._file.name, line) from None
        self._whitespace = argument

    def _import(self, operator: str, argument: str, line: int) -> None:
        code = self._code(argument, line, "import missing statement")
        self._body.append(Statement(f"{operator} {code}", line))

    def _set(self, operator: str, argument: str, line: int) -> None:
        self._body.append(Statement(self._code(argument, line, "set missing statement"), line))

    def _raw(self, operator: str, argument: str, line: int) -> None:
        self._body.append(Expression(self._code(argument, line, "raw missing expression"), line, raw=True))

    def _module(self, operator: str, argument: str, line: int) -> None:
        code = self._code(argument, line, "module missing expression")
        self._body.append(Expression(f"_tt_modules.{code}", line, raw=True))

    def _jump(self, operator: str, argument: str, line: int) -> None:
        if not (self._stack and self._stack[-1].in_loop):
            self._fail(f"{operator} outside of any {' or '.join(_LOOPS)} block", line)
        self._body.append(Statement(f"{operator} {argument}".strip(), line))

    def _include(self, operator: str, argument: str, line: int) -> None:
        name = argument.strip('"').strip("'")
        if not name:
            self._fail(f"{operator} missing file path", line)
        self._body.append(Include(name, line, self._file))

    def _extends(self, operator: str, argument: str, line: int) -> None:
        name = argument.strip('"').strip("'")
        if not name:
            self._fail(f"{operator} missing file path", line)
        if self._stack:
            self._fail(f"extends inside of a {self._stack[-1].operator} block", line)
        self._body.append(Extends(name, line, self._file))


def _is_handler(node: Node) -> bool:
    return isinstance(node, Branch) and not node.code.startswith("else")


def _is_encodable(source: str) -> bool:
    try:
        source.encode()
    except UnicodeEncodeError:
        return False
    return True


def _end_fits(label: str, opened: _Open) -> bool:
    """Say whether ``{% end label %}`` may end ``opened``: its operator, its name, both, or nothing fits."""
    if not label or label.startswith("#"):
        return True
    words = label.split("#", 1)[0].split()
    opening = [opened.operator, *opened.argument.split()]
    return words == opening[: len(words)] or (opened.operator == "block" and words == opening[1:])


#: Directives that have a body, and the complaint where their argument is missing ("" where it may be).
_CONTAINERS: Final = {
    "apply": "apply missing method name",
    "block": "block missing name",
    "for": "for missing its loop",
    "if": "if missing condition",
    "try": "",
    "while": "while missing condition",
}

_SIMPLE: Final[dict[str, Callable[[_Parser, str, str, int], None]]] = {
    "autoescape": _Parser._autoescape,
    "break": _Parser._jump,
    "comment": _Parser._ignore,
    "continue": _Parser._jump,
    "extends": _Parser._extends,
    "from": _Parser._import,
    "import": _Parser._import,
    "include": _Parser._include,
    "module": _Parser._module,
    "raw": _Parser._raw,
    "set": _Parser._set,
    "whitespace": _Parser._set_whitespace,
}
