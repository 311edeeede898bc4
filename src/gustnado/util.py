"""Small tools without a better home, most of them kept for programs that were written for Tornado.

The one that new code meets is `Configurable`: a class whose constructor makes an object of a chosen
subclass, so that a program can decide once which implementation all others get.

>>> class Greeter(Configurable):
...     @classmethod
...     def configurable_base(cls): return Greeter
...     @classmethod
...     def configurable_default(cls): return English
>>> class English(Greeter):
...     def initialize(self, name="you"): self.text = f"hello {name}"
>>> Greeter().text
'hello you'
>>> Greeter.configure(English, name="world")
>>> Greeter().text
'hello world'

`GzipDecompressor` is written so that a small input cannot cost much: the output of a call is bounded by
``max_length``, and its work is linear in its input even where that is a chain of thousands of tiny members
(``zlib`` copies all that follows a member when it ends, so it is only shown a few KiB at a time).
"""

from __future__ import annotations

import builtins
import re
import sys
import warnings
import zlib
from typing import TYPE_CHECKING, Any, NoReturn, cast

if TYPE_CHECKING:
    import datetime
    import unittest
    from collections.abc import Callable, Mapping, Sequence
    from types import CodeType, TracebackType

__all__ = [
    "ArgReplacer",
    "Configurable",
    "GzipDecompressor",
    "ObjectDict",
    "PY3",
    "TimeoutError",
    "b",
    "basestring_type",
    "bytes_type",
    "doctests",
    "errno_from_exception",
    "exec_in",
    "import_object",
    "is_finalizing",
    "raise_exc_info",
    "re_unescape",
    "timedelta_to_seconds",
    "u",
    "unicode_type",
    "xrange",
]

# Names from the time when one source served Python 2 and 3.
PY3 = True
xrange = range
bytes_type = bytes
unicode_type = str
basestring_type = str

is_finalizing = sys.is_finalizing

TimeoutError = builtins.TimeoutError
"""The builtin, which is also `asyncio.TimeoutError`."""


def b(s: str) -> bytes:
    """``s`` as Latin-1 bytes: how a bytes literal was spelled for Python 2.5.

    >>> b("caf\\xe9")
    b'caf\\xe9'
    """
    return s.encode("latin-1")


def u(s: str) -> str:
    """``s`` itself: how a text literal was spelled for Python 2 and 3.2."""
    return s


class ObjectDict(dict[str, Any]):
    """A dict whose items can be read and set as attributes.

    >>> d = ObjectDict(a=1)
    >>> d.b = 2
    >>> d.a, d["b"]
    (1, 2)
    """

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value


class GzipDecompressor:
    """Decompresses a gzip stream (RFC 1952) that arrives in pieces; any number of members.

    Call `decompress` for each piece, again with `unconsumed_tail` as long as that is not empty, and `flush`
    at the end, which checks that the stream was whole.

    >>> import gzip
    >>> d = GzipDecompressor()
    >>> d.decompress(gzip.compress(b"hello "), 100) + d.decompress(gzip.compress(b"world"), 100) + d.flush()
    b'hello world'
    """

    # What zlib sees at once: it bounds the copying when a member ends.
    _PIECE = 8192
    _MAGIC = b"\x1f\x8b"
    _WBITS = 16 + zlib.MAX_WBITS  # 16: expect a gzip header and trailer, and check them

    def __init__(self) -> None:
        # None between members (and before the first), where the stream may end.
        self._member: zlib._Decompress | None = None
        self._tail = b""

    def decompress(self, value: bytes, max_length: int = 0) -> bytes:
        """The output for ``value``, at most ``max_length`` bytes of it; the rest waits in `unconsumed_tail`.

        Without ``max_length`` the output has no bound, so that a hostile stream of a few KiB can fill the
        memory; this is deprecated.

        :raises zlib.error: if the input is not valid gzip data, or something else follows the last member.
        """
        if not max_length:
            warnings.warn("GzipDecompressor.decompress needs a max_length", DeprecationWarning, stacklevel=2)
        view = memoryview(value)
        output: list[bytes] = []
        position, room = 0, max_length
        while position < len(view):
            piece = view[position : position + self._PIECE]
            data, used = self._feed(piece, room)
            output.append(data)
            position += used
            if max_length:
                room -= len(data)
                if room <= 0:
                    break
        self._tail = bytes(view[position:])
        return b"".join(output)

    def _feed(self, piece: memoryview, room: int) -> tuple[bytes, int]:
        """Output of one piece, and how many of its bytes were used."""
        member = self._member
        if member is None:
            if not self._MAGIC.startswith(piece[:2]):
                raise zlib.error(f"not the start of a gzip member: {bytes(piece[:2])!r}")
            member = self._member = zlib.decompressobj(self._WBITS)
        data = member.decompress(piece, room)
        if not member.eof:
            return data, len(piece) - len(member.unconsumed_tail)
        self._member = None
        # At the end of a member, unconsumed_tail may still be that of an earlier call.
        return data, len(piece) - len(member.unused_data)

    @property
    def unconsumed_tail(self) -> bytes:
        """Input of the last call that was not used, because ``max_length`` was reached."""
        return self._tail

    def flush(self) -> bytes:
        """Ends the stream; returns ``b""``, since `decompress` holds no output back.

        :raises zlib.error: if the stream ended within a member.
        :raises ValueError: if `unconsumed_tail` was not given back to `decompress`.
        """
        if self._tail:
            raise ValueError("unconsumed_tail must go through decompress() before flush()")
        if self._member is not None:
            raise zlib.error("truncated gzip stream")
        return b""


def import_object(name: str) -> Any:
    """The module, or the object in a module, of that dotted name.

    :raises ImportError: if there is none.

    >>> import_object("os.path.join").__name__
    'join'
    >>> import_object("os.missing")
    Traceback (most recent call last):
        ...
    ImportError: No module named missing
    """
    module_name, _, attribute = name.rpartition(".")
    if not module_name:
        return __import__(name)
    module = __import__(module_name, fromlist=[attribute])
    try:
        return getattr(module, attribute)
    except AttributeError:
        raise ImportError(f"No module named {attribute}") from None


def exec_in(code: str | CodeType, glob: dict[str, Any], loc: Mapping[str, Any] | None = None) -> None:
    """Executes ``code`` in these namespaces, without the ``__future__`` imports of this module."""
    if isinstance(code, str):
        code = compile(code, "<string>", "exec", dont_inherit=True)
    exec(code, glob, loc)


def raise_exc_info(
    exc_info: tuple[type[BaseException] | None, BaseException | None, TracebackType | None],
) -> NoReturn:
    """Raises the exception of a ``sys.exc_info()`` triple again, with its traceback.

    :raises TypeError: if there is none in it.
    """
    error, traceback = exc_info[1], exc_info[2]
    if error is None:
        raise TypeError("raise_exc_info() needs an exception")
    try:
        raise error.with_traceback(traceback)
    finally:
        # The traceback refers to this frame: without this, they would keep each other alive.
        del error, traceback, exc_info


def errno_from_exception(e: BaseException) -> int | None:
    """The ``errno`` of an exception, or its first argument where it has no such attribute, or ``None``.

    >>> errno_from_exception(OSError(2, "gone"))
    2
    """
    errno: int | None = getattr(e, "errno", e.args[0] if e.args else None)
    return errno


_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def _unescaped(match: re.Match[str]) -> str:
    char = match[1]
    if char.isascii() and char.isalnum():
        raise ValueError(f"{match[0]} is not from re.escape()")
    return char


def re_unescape(s: str) -> str:
    r"""The string that `re.escape` turned into ``s``.

    :raises ValueError: if ``s`` cannot have come from there, as ``\d`` cannot.

    >>> re_unescape(re.escape("a.b*c"))
    'a.b*c'
    """
    return _ESCAPED.sub(_unescaped, s)


class Configurable:
    """A class that makes objects of a subclass, which `configure` chooses for the whole process.

    A hierarchy defines `configurable_base` and `configurable_default`; its members have `initialize` in
    place of ``__init__``. Naming a subclass in the call makes just that one, without configured arguments.
    A configured subclass may itself be the base of a configurable hierarchy.
    """

    __impl_class: type[Configurable] | None = None
    __impl_kwargs: dict[str, Any] | None = None

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        base = cls.configurable_base()
        implementation: Any = cls
        if cls is base:
            implementation = cls.configured_class()
            kwargs = {**(base.__impl_kwargs or {}), **kwargs}
        if implementation.configurable_base() is not base:
            return implementation(*args, **kwargs)
        instance = super().__new__(cast(Any, implementation))
        instance.initialize(*args, **kwargs)
        return instance

    @classmethod
    def configurable_base(cls) -> type[Configurable]:
        """The class at the top of the hierarchy, usually the one that defines this method."""
        raise NotImplementedError

    @classmethod
    def configurable_default(cls) -> type[Configurable]:
        """The class to make objects of when `configure` was not called."""
        raise NotImplementedError

    def _initialize(self) -> None:
        pass

    # A variable and not a method, so that subclasses may take whatever arguments they need.
    initialize: Callable[..., None] = _initialize
    """Takes the arguments of the constructor; called once."""

    @classmethod
    def configure(cls, impl: str | type[Configurable] | None, **kwargs: Any) -> None:
        """Chooses the class of which the base makes objects, and arguments that all of them get.

        :param impl: a class, its dotted name, or ``None`` for the default.
        :raises ValueError: if it is not a subclass of the base.
        """
        base = cls.configurable_base()
        chosen: type[Configurable] | None = import_object(impl) if isinstance(impl, str) else impl
        if chosen is not None and not issubclass(chosen, cls):
            raise ValueError(f"{chosen!r} is not a subclass of {cls!r}")
        base.__impl_class = chosen
        base.__impl_kwargs = kwargs

    @classmethod
    def configured_class(cls) -> type[Configurable]:
        """The class of which the base makes objects now."""
        base = cls.configurable_base()
        # Looked up in this very class: a base above it may be configured on its own.
        chosen: type[Configurable] | None = base.__dict__.get("_Configurable__impl_class")
        if chosen is None:
            chosen = base.__impl_class = cls.configurable_default()
        return chosen

    @classmethod
    def _save_configuration(cls) -> tuple[type[Configurable] | None, dict[str, Any] | None]:
        """For tests: what `_restore_configuration` takes to undo later calls of `configure`."""
        base = cls.configurable_base()
        return base.__impl_class, base.__impl_kwargs

    @classmethod
    def _restore_configuration(cls, saved: tuple[type[Configurable] | None, dict[str, Any] | None]) -> None:
        base = cls.configurable_base()
        base.__impl_class, base.__impl_kwargs = saved


class ArgReplacer:
    """Finds and replaces one argument of calls of a function, whether passed by position or by name.

    >>> def fetch(url, callback=None): ...
    >>> ArgReplacer(fetch, "callback").replace("new", ("/", "old"), {})
    ('old', ['/', 'new'], {})
    """

    name: str
    arg_pos: int | None

    def __init__(self, func: Callable[..., Any], name: str) -> None:
        import inspect  # slow to import, and only decorators come here

        names = inspect.getfullargspec(func).args
        self.name = name
        self.arg_pos = names.index(name) if name in names else None

    def get_old_value(self, args: Sequence[Any], kwargs: dict[str, Any], default: Any = None) -> Any:
        """The argument's value in a call, or ``default`` where it is not given."""
        if self.arg_pos is not None and len(args) > self.arg_pos:
            return args[self.arg_pos]
        return kwargs.get(self.name, default)

    def replace(
        self, new_value: Any, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> tuple[Any, Sequence[Any], dict[str, Any]]:
        """Sets the argument, and returns ``(old value or None, args, kwargs)`` to call with.

        ``kwargs`` may be changed in place; ``args`` never is.
        """
        old_value = self.get_old_value(args, kwargs)
        if self.arg_pos is not None and len(args) > self.arg_pos:
            args = [*args[: self.arg_pos], new_value, *args[self.arg_pos + 1 :]]
        else:
            kwargs[self.name] = new_value
        return old_value, args, kwargs


def timedelta_to_seconds(td: datetime.timedelta) -> float:
    """``td.total_seconds()``."""
    return td.total_seconds()


def doctests() -> unittest.TestSuite:
    """The examples of this module as a suite for `unittest`."""
    import doctest

    return doctest.DocTestSuite(__name__)
