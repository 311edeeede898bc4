"""Puts the files together that make one template: what it extends, what it includes, which block wins.

A template's *root* is the end of its ``extends`` chain: the root's text is what is rendered. Blocks are
collected from the root down to the template itself, those of included files among them, and a later
block of the same name replaces an earlier one wherever it stands. So the code generator works from a
closed ``Program`` and never asks a loader.

>>> from gustnado.web.template.parser import parse_template
>>> files = {"base": parse_template("<b>{% block x %}{% end %}</b>", "base")}
>>> page = parse_template("{% extends 'base' %}{% block x %}hi{% end %}", "page")
>>> program = link(page, lambda name, parent: files[name])
>>> program.root.name, program.blocks["x"].file.name
('base', 'page')
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from gustnado.errors import UsageError
from gustnado.web.template.errors import ParseError
from gustnado.web.template.nodes import Block, Extends, File, Include, walk

__all__ = ["LoadFile", "Program", "link"]

LoadFile: TypeAlias = Callable[[str, str], File]
"""``load(name, parent_name)`` returns the tree of the template that ``parent_name`` calls ``name``."""


@dataclass(eq=False)
class Program:
    """All that one template renders.

    :param root: the file whose text is rendered.
    :param blocks: the block that stands for each name.
    :param includes: the file that each ``include`` puts in place.
    """

    root: File
    blocks: dict[str, Block] = field(default_factory=dict)
    includes: dict[Include, File] = field(default_factory=dict)


def link(file: File, load: LoadFile) -> Program:
    """Return the program of ``file``.

    :raises ParseError: a file cannot be used in the way that another one asks for.
    """
    chain = _ancestors(file, load)
    program = Program(chain[-1])
    for ancestor in reversed(chain):
        _collect(ancestor, load, program)
    return program


def _ancestors(file: File, load: LoadFile) -> list[File]:
    """Return ``file`` and what it extends, root last."""
    chain = [file]
    for node in file.body:
        if isinstance(node, Extends):
            chain += _ancestors(_load(node, load), load)
    return chain


def _collect(file: File, load: LoadFile, program: Program) -> None:
    for node in walk(file.body):
        if isinstance(node, Block):
            program.blocks[node.name] = node
        elif isinstance(node, Include):
            included = _load(node, load)
            if any(isinstance(child, Extends) for child in included.body):
                message = f"{included.name} extends another template, so it cannot be included"
                raise ParseError(message, file.name, node.line)
            program.includes[node] = included
            _collect(included, load, program)


def _load(node: Include | Extends, load: LoadFile) -> File:
    """Return the file that ``node`` names; whatever goes wrong tells where it was asked for."""
    try:
        return load(node.name, node.file.name)
    except ParseError as error:
        error.put_by(f"{node.file.name}:{node.line}")
        raise
    except UsageError as error:
        raise ParseError(str(error), node.file.name, node.line) from error
    except (OSError, LookupError) as error:
        directive = type(node).__name__.lower()
        error.add_note(f"in {{% {directive} {node.name!r} %}} at {node.file.name}:{node.line}")
        raise
