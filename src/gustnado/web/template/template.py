"""``Template``: text compiled once, rendered many times.

>>> Template("Hello {{ name }}!").generate(name="<Ben>")
b'Hello &lt;Ben&gt;!'
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, Final

from gustnado import escape
from gustnado.errors import UsageError
from gustnado.web.template.codegen import BATCHED
from gustnado.web.template.compiler import Compiled, binds, compile_program
from gustnado.web.template.errors import ParseError
from gustnado.web.template.linker import link
from gustnado.web.template.nodes import File
from gustnado.web.template.parser import parse_template
from gustnado.web.template.runtime import BASE_NAMESPACE
from gustnado.web.template.tracebacks import rewrite_traceback
from gustnado.web.template.whitespace import filter_whitespace

if TYPE_CHECKING:
    from gustnado.web.template.loader import BaseLoader

__all__ = ["DEFAULT_AUTOESCAPE", "Template"]

DEFAULT_AUTOESCAPE: Final = "xhtml_escape"
"""The function that escapes what ``{{ }}`` writes, where neither template nor loader names another."""


class _Unset:
    """The type of the default of arguments for which ``None`` means something."""


_UNSET: Final = _Unset()


class _Source:
    """A ``__loader__`` for generated code: with it ``linecache`` finds its lines."""

    def __init__(self, source: str) -> None:
        self._source = source

    def get_source(self, name: str) -> str:
        return self._source


class Template:
    """A compiled template. Its text is code: compile only what you would also import.

    A template may be rendered by several threads at once.

    :ivar name: the name under which it was loaded.
    :ivar namespace: names that it knows beside those given to ``generate``.
    :ivar file: its tree of nodes.
    :ivar code: the Python source that it became.
    :ivar compiled: that source compiled; run in a namespace it defines ``_tt_execute``.
    :ivar autoescape: the name of the function that ``{{ }}`` goes through, or ``None``.
    :ivar loader: where it finds other templates, or ``None``.
    """

    def __init__(
        self,
        template_string: str | bytes,
        name: str = "<string>",
        loader: BaseLoader | None = None,
        compress_whitespace: bool | _Unset = _UNSET,
        autoescape: str | _Unset | None = _UNSET,
        whitespace: str | None = None,
    ) -> None:
        """Compile ``template_string``.

        :param template_string: the template's text; bytes are UTF-8.
        :param name: what error messages call it. The extensions ``.html`` and ``.js`` make ``single`` the
            default of ``whitespace``.
        :param loader: where ``{% include %}`` and ``{% extends %}`` find templates; also gives defaults.
        :param compress_whitespace: an old spelling of ``whitespace``: true is ``single``, false ``all``.
        :param autoescape: the name of a function in the template's namespace, or ``None`` for no escaping.
        :param whitespace: see ``filter_whitespace``.
        :raises ParseError: the text is not a template, or one that it needs is not.
        :raises UsageError: there is no such whitespace mode, or it is given twice.
        """
        self.name = escape.native_str(name)
        self.loader = loader
        self.namespace: dict[str, Any] = loader.namespace if loader else {}
        if isinstance(autoescape, _Unset):
            autoescape = loader.autoescape if loader else DEFAULT_AUTOESCAPE
        self.file: File = parse_template(
            _decode(template_string, self.name),
            self.name,
            whitespace=_whitespace_mode(whitespace, compress_whitespace, loader),
            autoescape=autoescape,
            path=loader.source_path(self.name) if loader else None,
        )
        self.autoescape = self.file.autoescape
        self._program = link(self.file, self._load_file)
        self._main = compile_program(self._program, self.name)
        self._plain: Compiled | None = None
        self._streams: dict[bool, Compiled] = {}
        if binds(self._main.module, BATCHED):
            self._main = self._plain = compile_program(self._program, self.name, batch=False)
        self._identity: dict[str, Any] = {
            "__builtins__": builtins,  # what C code needs that imports within a template, as strftime does
            "__name__": self.name.replace(".", "_"),
            "__loader__": _Source(self.code),
        }

    @property
    def code(self) -> str:
        """The generated Python source."""
        return self._main.generated.source

    @property
    def compiled(self) -> CodeType:
        """The generated source, compiled."""
        return self._main.module

    def generate(self, /, **kwargs: Any) -> bytes:
        """Return the page, rendered with ``kwargs`` as its variables.

        An exception in the template passes through, its traceback showing the template's file and line.
        """
        namespace = self._namespace_with(kwargs)
        compiled = self._main
        if not _escapes_are_stock(namespace):
            compiled = self._compile_plain()
        execute = FunctionType(compiled.function, namespace)
        try:
            return execute()  # type: ignore[no-any-return]
        except Exception as error:
            filename = compiled.function.co_filename
            error.__traceback__ = rewrite_traceback(
                error.__traceback__, namespace, filename, compiled.generated
            )
            raise

    def stream(self, /, **kwargs: Any) -> Iterator[bytes]:
        """Yield the page in pieces while it is made; together they are what ``generate`` returns.

        A page of any length takes little memory so, and its beginning is there early. What raises does so
        after the pieces before it. Between two pieces other code may run, and see or change what the page uses.
        """
        namespace = self._namespace_with(kwargs)
        compiled = self._compile_stream(batch=self._main is not self._plain and _escapes_are_stock(namespace))
        try:
            yield from FunctionType(compiled.function, namespace)()
        except Exception as error:
            filename = compiled.function.co_filename
            error.__traceback__ = rewrite_traceback(
                error.__traceback__, namespace, filename, compiled.generated
            )
            raise

    def _namespace_with(self, names: dict[str, Any]) -> dict[str, Any]:
        """Return the globals of the page's function."""
        namespace = BASE_NAMESPACE | self._identity
        namespace.update(self.namespace)
        namespace.update(names)
        return namespace

    def _compile_stream(self, batch: bool) -> Compiled:
        """Return the code that yields."""
        if batch not in self._streams:
            self._streams[batch] = compile_program(self._program, self.name, batch=batch, stream=True)
        return self._streams[batch]

    def _compile_plain(self) -> Compiled:
        """Return the code that calls an escape function of the program's own value by value."""
        if self._plain is None:
            self._plain = compile_program(self._program, self.name, batch=False)
        return self._plain

    def _load_file(self, name: str, parent_name: str) -> File:
        if self.loader is None:
            raise UsageError(f"template {name!r} is needed, but there is no template loader")
        return self.loader.load(name, parent_name).file


def _escapes_are_stock(namespace: dict[str, Any]) -> bool:
    return all(namespace[name] is escape.xhtml_escape for name in BATCHED)


def _decode(source: str | bytes, name: str) -> str:
    if isinstance(source, str):
        return source
    try:
        return source.decode()
    except UnicodeDecodeError as error:
        lineno = source.count(b"\n", 0, error.start) + 1
        raise ParseError(f"Not UTF-8: {error.reason}", name, lineno) from error


def _whitespace_mode(mode: str | None, compress: bool | _Unset, loader: BaseLoader | None) -> str | None:
    """Return the mode that the arguments ask for, else the loader's."""
    if not isinstance(compress, _Unset):
        if mode is not None:
            raise UsageError("whitespace and compress_whitespace cannot both be given")
        mode = "single" if compress else "all"
    mode = mode or (loader.whitespace if loader else None)
    if mode is not None:
        filter_whitespace(mode, "")
    return mode
