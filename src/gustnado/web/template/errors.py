"""What is wrong with a template, and where: file and line of the template, never of generated code.

::

    UsageError
    |-- ParseError              the template's text is not valid
    |   `-- TemplateSyntaxError   ... because the Python in it is not (also a ``SyntaxError``)
    `-- TemplatePathError       a template outside of the loader's root was asked for

>>> print(ParseError("Empty expression", "page.html", 3))
Empty expression at page.html:3
>>> print(ParseError("no place known"))
no place known at None:0
>>> print(ParseError("Empty expression", "byline.html", 3).put_by("post.html:7").put_by("page.html:1"))
Empty expression at byline.html:3 (via post.html:7, page.html:1)
"""

from __future__ import annotations

from typing import Self

from gustnado.errors import UsageError

__all__ = ["ParseError", "TemplatePathError", "TemplateSyntaxError"]


class ParseError(UsageError):
    """A template cannot be compiled.

    :param message: what is wrong, without the place.
    :param filename: the template's name, or ``None`` where it is not known.
    :param lineno: the line in the template, counted from 1; 0 where it is not known.
    :ivar via: where this template was asked for, where that one was, and so on: ``"page.html:7"``.
    """

    message: str
    filename: str | None
    lineno: int | None
    via: tuple[str, ...] = ()

    def __init__(self, message: str, filename: str | None = None, lineno: int = 0) -> None:
        super().__init__(message, filename, lineno)
        self.message = message
        self.filename = filename
        self.lineno = lineno

    def put_by(self, place: str) -> Self:
        """Add to ``via``: an ``include`` or ``extends`` that asked for the template."""
        self.via = (*self.via, place)
        return self

    def __str__(self) -> str:
        via = f" (via {', '.join(self.via)})" if self.via else ""
        return f"{self.message} at {self.filename}:{self.lineno}{via}"


class TemplateSyntaxError(ParseError, SyntaxError):
    """A Python expression or statement in a template does not compile.

    Tornado lets Python's own ``SyntaxError`` through here, so this is one too: with it a traceback
    shows the template's file, line and text.

    :param text: the line of the template, shown in tracebacks.
    """

    def __init__(
        self, message: str, filename: str | None = None, lineno: int = 0, text: str | None = None
    ) -> None:
        super().__init__(message, filename, lineno)
        self.msg = message
        self.text = text

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.message, self.filename, self.lineno, self.text)


class TemplatePathError(UsageError):
    """A loader was asked for a template outside of its root directory."""
