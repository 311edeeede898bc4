"""What a template is made of once it is parsed: a small tree of plain data.

The parser builds it, the code generator walks it; neither meets the other. Line numbers count from 1
and belong to the file in which the node stands. Text has been through its whitespace mode already.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

__all__ = [
    "Apply",
    "Block",
    "Branch",
    "Control",
    "Expression",
    "Extends",
    "File",
    "Include",
    "Node",
    "Statement",
    "Text",
    "walk",
]


@dataclass(eq=False)
class File:
    """One template file: its text for error messages, its directives that hold for all of it, its body.

    :param name: the name under which it was loaded.
    :param text: its source.
    :param autoescape: the name of the function that each ``{{ }}`` goes through, or ``None``.
    :param path: where it lies on disk, or ``None`` where it came from memory.
    """

    name: str
    text: str
    autoescape: str | None
    path: str | None = None
    body: list[Node] = field(default_factory=list)


@dataclass(eq=False)
class Text:
    """Text that goes to the output as it is."""

    value: str
    line: int


@dataclass(eq=False)
class Expression:
    """A Python expression whose value goes to the output: ``{{ }}``, or unescaped with ``{% raw %}``."""

    code: str
    line: int
    raw: bool = False


@dataclass(eq=False)
class Statement:
    """A Python statement of its own: ``import``, ``from``, ``set``, ``break``, ``continue``."""

    code: str
    line: int


@dataclass(eq=False)
class Control:
    """A Python compound statement (without its colon) and its body, branches included."""

    operator: str
    code: str
    line: int
    body: list[Node]


@dataclass(eq=False)
class Branch:
    """``else``, ``elif``, ``except`` or ``finally``: stands in the body of the Control that it divides."""

    code: str
    line: int


@dataclass(eq=False)
class Apply:
    """A function that the output of its body goes through."""

    function: str
    line: int
    body: list[Node]


@dataclass(eq=False)
class Block:
    """A named part that a template further down the ``extends`` chain may replace."""

    name: str
    line: int
    body: list[Node]
    file: File


@dataclass(eq=False)
class Include:
    """Another template's body, in place."""

    name: str
    line: int
    file: File


@dataclass(eq=False)
class Extends:
    """The template that this one fills in."""

    name: str
    line: int
    file: File


Node: TypeAlias = Text | Expression | Statement | Control | Branch | Apply | Block | Include | Extends


def walk(nodes: Sequence[Node]) -> Iterator[Node]:
    """Yield every node below ``nodes``, a parent before its children, in the order of the source."""
    for node in nodes:
        yield node
        if isinstance(node, (Control, Apply, Block)):
            yield from walk(node.body)
