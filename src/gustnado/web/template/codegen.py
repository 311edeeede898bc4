"""A linked template in, Python source out, with the place in the templates that each of its lines is from.

The generated function keeps its output in one list of strings, ``_tt_buffer``, in which two kinds alternate:
at even places stands what goes out verbatim, at odd places what is still to be escaped. So all values
of a page are escaped in *one* call at the end (see ``runtime.join``) instead of one call a value, which
is most of the speed of these templates. ``<td>{{ a }}</td><td>{{ b }}</td>`` becomes::

    _tt_v0 = a
    if _tt_t(_tt_v0) is not _tt_s: _tt_v0 = _tt_text(_tt_v0)
    _tt_v2 = b
    if _tt_t(_tt_v2) is not _tt_s: _tt_v2 = _tt_text(_tt_v2)
    _tt_buffer += ('<td>', _tt_v0, '</td><td>', _tt_v2, '</td>', '')

Rules:

- A value is turned into text where it stands, since it may change later. Only escaping waits, and only
  that of ``xhtml_escape`` itself; any other function is called in place, with bytes, as Tornado does it.
- Output that is pending is written before any statement, and in a ``try`` after each piece, so that
  what came before an exception stays.
- A page that is streamed is made by a generator, which yields what there is whenever that is enough.
- Each line ends in ``# file:line``, with ``(via file:line, ...)`` for included and replaced text.

>>> from gustnado.web.template.linker import link
>>> from gustnado.web.template.parser import parse_template
>>> def load(name: str, parent: str) -> File: raise KeyError(name)
>>> generated = generate(link(parse_template("<b>{{ x }}</b>", "page.html"), load))
>>> print(generated.source.splitlines()[2].strip())
_tt_v0 = x  # page.html:1
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from gustnado.web.template.linker import Program
from gustnado.web.template.nodes import (
    Apply,
    Block,
    Branch,
    Control,
    Expression,
    File,
    Include,
    Node,
    Statement,
    Text,
)

__all__ = ["BATCHED", "FUNCTION", "STREAM_PIECES", "Generated", "Origin", "generate"]

#: The escape functions that may wait until the end of the page: both are ``escape.xhtml_escape``.
BATCHED: Final = frozenset({"xhtml_escape", "escape"})

#: The function that the generated source defines; it takes nothing and returns the page's bytes.
FUNCTION: Final = "_tt_execute"

#: Pieces of a page that is streamed, of which half are values, that go out together.
STREAM_PIECES: Final = 1000

# The compiler builds longer tuples through a list, one append an element.
_MAX_ELEMENTS: Final = 30

_YIELD: Final = f"if len(_tt_buffer) > {STREAM_PIECES}: yield _tt_join(_tt_buffer); _tt_buffer = []"


class Origin(NamedTuple):
    """Where generated code is from: a line of a file, put where ``via`` says (``None``: its own place)."""

    file: File
    line: int
    via: Origin | None

    def __str__(self) -> str:
        chain = [f"{printable(origin.file.name)}:{origin.line}" for origin in self.chain()]
        return chain[0] + (f" (via {', '.join(chain[1:])})" if len(chain) > 1 else "")

    def chain(self) -> list[Origin]:
        """Return this origin, where it was put, where that was put, and so on."""
        chain: list[Origin] = []
        origin: Origin | None = self
        while origin is not None:
            chain.append(origin)
            origin = origin.via
        return chain


@dataclass(frozen=True)
class Generated:
    """Python source and the origin of each of its lines."""

    source: str
    origins: Sequence[Origin]

    def origin(self, lineno: int | None) -> Origin:
        """Return where line ``lineno`` (from 1) is from; out of range means the nearest line."""
        return self.origins[min(max(lineno or 1, 1), len(self.origins)) - 1]


def generate(program: Program, *, batch: bool = True, stream: bool = False) -> Generated:
    """Return the Python source of ``program``.

    :param batch: escape the values of the ``BATCHED`` functions at the end, all at once. To be given
        as false where the page's names hold another function of that name.
    :param stream: make the function a generator of pieces of the page. What the template itself yields would be
        taken for such a piece: it is to be compiled without this first, which refuses that.
    """
    writer = _Writer(program, BATCHED if batch else frozenset(), stream)
    writer.write_function(FUNCTION, program.root.body, 1)
    return Generated("".join(writer.lines), writer.origins)


def printable(text: str) -> str:
    """Return ``text`` fit for a comment or one line of a traceback."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def _callee(code: str) -> str:
    """Return ``code`` so that it can be called: a name as it is, anything else in parentheses."""
    return code if code.replace(".", "").isidentifier() else f"({code}\n)"


class _Writer:
    """Writes lines, knowing which file they are from and what output is pending."""

    def __init__(self, program: Program, batched: frozenset[str], stream: bool) -> None:
        self.lines: list[str] = []
        self.origins: list[Origin] = []
        self._program = program
        self._batched = batched
        self._stream = stream  # the function that is being written is a generator
        self._file = program.root
        self._via: Origin | None = None
        self._indent = 0
        self._suite_start = 0
        self._tries = 0
        self._functions = 0
        self._pending: list[str] = []
        self._pending_text = ""
        self._pending_line = 0

    # -- lines

    def _write(self, code: str, line: int) -> None:
        """Write ``code`` at the present indentation. It may be several lines; only the first is indented."""
        mark = f"  # {Origin(self._file, line, self._via)}"
        self.lines.append(f"{'    ' * self._indent}{code}{mark}\n")
        self.origins += [Origin(self._file, line + n, self._via) for n in range(code.count("\n") + 1)]

    def _suite(self, body: Sequence[Node], line: int) -> None:
        """Write ``body`` one level deeper; nothing of it is pending afterwards."""
        self._indent += 1
        self._nodes(body)
        self._flush()
        self._pass_if_empty(line)
        self._indent -= 1

    def _header(self, code: str, line: int) -> None:
        """Write the line that starts a suite."""
        self._write(f"{code}:", line)
        self._suite_start = len(self.lines)

    def _pass_if_empty(self, line: int) -> None:
        if len(self.lines) == self._suite_start:
            self._write("pass", line)

    def write_function(self, name: str, body: Sequence[Node], line: int) -> None:
        """Write a function that returns the output of ``body`` as bytes, or yields it."""
        self._write(f"def {name}():", line)
        self._indent += 1
        # Local in each function: in a closure they would be slower for both functions.
        self._write("_tt_t = _tt_type; _tt_s = _tt_str; _tt_buffer = []", line)
        tries, self._tries = self._tries, 0
        self._nodes(body)
        self._flush()
        self._tries = tries
        self._write(f"{'yield' if self._stream else 'return'} _tt_join(_tt_buffer)", line)
        self._indent -= 1

    # -- output

    def _text(self, text: str, line: int) -> None:
        self._pending_line = self._pending_line or line
        self._pending_text += text
        if self._tries:
            self._flush()

    def _value(self, name: str, line: int, *, escaped: bool) -> None:
        """Make the value of the variable ``name`` part of the output."""
        self._pending_line = self._pending_line or line
        if self._pending_text:
            self._verbatim(repr(self._pending_text))
            self._pending_text = ""
        if escaped:
            self._escaped(name)
        else:
            self._verbatim(name)
        if self._tries or len(self._pending) + 4 > _MAX_ELEMENTS:
            self._flush()

    def _escaped(self, code: str) -> None:
        if not len(self._pending) % 2:
            self._pending.append("''")
        self._pending.append(code)

    def _verbatim(self, code: str) -> None:
        if len(self._pending) % 2:
            self._pending.append("''")
        self._pending.append(code)

    def _flush(self) -> None:
        """Write what is pending."""
        if self._pending_text:
            self._verbatim(repr(self._pending_text))
        if self._pending:
            if len(self._pending) % 2:
                self._escaped("''")
            self._write(f"_tt_buffer += ({', '.join(self._pending)})", self._pending_line)
            if self._stream:
                self._write(_YIELD, self._pending_line)
        self._pending, self._pending_text, self._pending_line = [], "", 0

    def _variable(self) -> str:
        """Return the name of a variable that nothing pending uses."""
        return f"_tt_v{len(self._pending)}"

    # -- nodes

    def _nodes(self, nodes: Sequence[Node]) -> None:
        for node in nodes:
            self._node(node)

    def _node(self, node: Node) -> None:
        # No Extends: the linker has followed it, and lets none into a root or an included file.
        match node:
            case Text():
                self._text(node.value, node.line)
            case Expression():
                self._expression(node)
            case Statement():
                self._flush()
                self._write(node.code, node.line)
            case Control():
                self._control(node)
            case Branch():
                self._branch(node)
            case Apply():
                self._apply(node)
            case Block():
                self._block(node)
            case Include():
                included = self._program.includes[node]
                self._elsewhere(included, included.body, node.line)

    def _expression(self, node: Expression) -> None:
        name = self._variable()
        code = f"({node.code}\n)" if "\n" in node.code else node.code
        function = None if node.raw else self._file.autoescape
        escaped = function in self._batched
        self._write(f"{name} = {code}", node.line)
        convert = "_tt_text" if escaped else "_tt_verbatim"
        if escaped or function is None:
            self._write(f"if _tt_t({name}) is not _tt_s: {name} = {convert}({name})", node.line)
        else:
            self._write(f"{name} = _tt_output({_callee(function)}(_tt_bytes({name})))", node.line)
        self._value(name, node.line, escaped=escaped)

    def _control(self, node: Control) -> None:
        self._flush()
        is_try = node.operator == "try"
        self._tries += is_try
        self._header(node.code, node.line)
        self._suite(node.body, node.line)
        self._tries -= is_try

    def _branch(self, node: Branch) -> None:
        self._flush()
        self._pass_if_empty(node.line)
        self._indent -= 1
        self._header(node.code, node.line)
        self._indent += 1

    def _apply(self, node: Apply) -> None:
        self._flush()
        function = f"_tt_apply{self._functions}"
        self._functions += 1
        stream, self._stream = self._stream, False
        self.write_function(function, node.body, node.line)
        self._stream = stream
        name = self._variable()
        self._write(f"{name} = _tt_output({_callee(node.function)}({function}()))", node.line)
        self._value(name, node.line, escaped=False)

    def _block(self, node: Block) -> None:
        block = self._program.blocks[node.name]
        if block is node and block.file is self._file:
            self._nodes(block.body)
        else:
            self._elsewhere(block.file, block.body, node.line)

    def _elsewhere(self, file: File, body: Sequence[Node], line: int) -> None:
        """Write ``body`` of ``file`` at ``line`` of the present file."""
        self._flush()
        here = self._file, self._via
        self._file, self._via = file, Origin(self._file, line, self._via)
        self._nodes(body)
        self._flush()
        self._file, self._via = here
