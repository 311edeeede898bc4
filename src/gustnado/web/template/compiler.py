"""Generated source to code objects, and Python's complaints to the template's lines."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from inspect import CO_GENERATOR
from types import CodeType
from typing import NoReturn

from gustnado.web.template.codegen import FUNCTION, Generated, Origin, generate, printable
from gustnado.web.template.errors import TemplateSyntaxError
from gustnado.web.template.linker import Program

__all__ = ["Compiled", "binds", "compile_program", "compile_source"]


@dataclass(frozen=True)
class Compiled:
    """A template ready to run.

    :param generated: its source and where each line is from.
    :param module: the source compiled; executing it defines the function.
    :param function: the function's own code, which generating a page calls without executing the module.
    """

    generated: Generated
    module: CodeType
    function: CodeType


def compile_program(program: Program, name: str, *, batch: bool = True, stream: bool = False) -> Compiled:
    """Return ``program`` compiled.

    :param name: the template's name.
    :param batch: as in ``codegen.generate``; so is ``stream``.
    :raises TemplateSyntaxError: a piece of Python in it is wrong.
    """
    return compile_source(generate(program, batch=batch, stream=stream), name, stream=stream)


def compile_source(generated: Generated, name: str, *, stream: bool = False) -> Compiled:
    """Return ``generated`` compiled; see ``compile_program``."""
    filename = f"{printable(name).replace('.', '_')}.generated.py"
    try:
        module = compile(generated.source, filename, "exec", dont_inherit=True)
    except SyntaxError as error:
        _fail(error.msg, generated.origin(error.lineno), error)
    function = next(code for code in _nested(module) if code.co_name == FUNCTION)
    generators = (code for code in _nested(module) if code.co_flags & CO_GENERATOR)
    if any(code.co_name.startswith("_tt_") and not (stream and code is function) for code in generators):
        _fail("'yield' in a template", generated.origin(_line_of_yield(generated.source)), None)
    return Compiled(generated, module, function)


def binds(code: CodeType, names: frozenset[str]) -> bool:
    """Say whether ``code``, or code inside of it, has a local variable of one of ``names``."""
    return any(
        not names.isdisjoint(inner.co_varnames + inner.co_cellvars) for inner in (code, *_nested(code))
    )


def _nested(code: CodeType) -> Iterator[CodeType]:
    """Yield every code object inside of ``code``."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _nested(constant)


def _line_of_yield(source: str) -> int:
    nodes = ast.walk(ast.parse(source))
    return min(node.lineno for node in nodes if isinstance(node, (ast.Yield, ast.YieldFrom)))


def _fail(message: str, origin: Origin, error: SyntaxError | None) -> NoReturn:
    lines = origin.file.text.splitlines()
    text = lines[origin.line - 1] if 0 < origin.line <= len(lines) else None
    failure = TemplateSyntaxError(message, origin.file.name, origin.line, text)
    for place in origin.chain()[1:]:
        failure.put_by(f"{place.file.name}:{place.line}")
    raise failure from error
