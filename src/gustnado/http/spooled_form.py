"""A multipart form that is collected for its handler, on disk where it is large.

Theory of operation. The body goes to one unnamed temporary file as it comes, whole, and through the parser of all
forms (:mod:`gustnado.http.multipart`), which says where each file lies in it. So a request needs one descriptor,
however many files it has; each file is read from there when the program asks for it, and so is the body itself.
(A handler that reads its body itself gets no ``request.body``, but files of their own: :mod:`gustnado.http.parts`.)

What is on disk is gone with the last reference to it: as a rule with the request, at the latest with the last of its
files that the program keeps.
"""

from __future__ import annotations

import asyncio
import io
import tempfile
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from gustnado.errors import HTTPInputError
from gustnado.http.forms import ParseBodyConfig
from gustnado.http.messages import is_like_tornado
from gustnado.http.multipart import (
    Event,
    HTTPFile,
    MultipartParser,
    PartBegin,
    PartData,
    PartEnd,
    parse_parameters,
)

if TYPE_CHECKING:
    from gustnado.http.messages import HTTPServerRequest

__all__ = ["SpooledBody", "SpooledForm", "SpooledHTTPFile", "spooled_form_for"]

_WRITE_SIZE = 256 * 1024  # bytes that wait in memory for one write, in another thread


class SpooledBody:
    """Bytes that are appended, and read at any place; all but the last are on disk.

    :ivar size: how many there are.
    """

    def __init__(self) -> None:
        self.size = 0
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed with this object
        self._lock = threading.Lock()  # of the file's position
        self._written = 0
        self._tail: list[bytes] = []
        self._tail_size = 0

    def append(self, data: bytes) -> asyncio.Future[None] | None:
        """Add ``data``; where that is written now, nothing is to be added before the future is done."""
        self._tail.append(data)
        self._tail_size += len(data)
        self.size += len(data)
        if self._tail_size < _WRITE_SIZE:
            return None
        written, self._tail, self._tail_size = b"".join(self._tail), [], 0
        return asyncio.get_running_loop().run_in_executor(None, self._write, written)

    def read(self, start: int = 0, size: int = -1) -> bytes:
        """``size`` bytes from ``start`` on, or as many as there are. It may block: most come from disk."""
        end = self.size if size < 0 else min(start + size, self.size)
        pieces = []
        with self._lock:
            self._file.seek(start)
            while start < min(end, self._written):
                piece = self._file.read(min(end, self._written) - start)
                if not piece:
                    raise OSError("a temporary file is shorter than what was written to it")
                pieces.append(piece)
                start += len(piece)
        if start < end:
            pieces.append(b"".join(self._tail)[start - self._written : end - self._written])
        return b"".join(pieces)

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        with self._lock:
            self._file.seek(self._written)
            while rest:
                count = self._file.write(rest)
                self._written += count
                rest = rest[count:]

    def __del__(self) -> None:
        file = getattr(self, "_file", None)  # there is none where it could not be made
        if file is not None:
            file.close()


class _Slice(io.RawIOBase):
    """A part of a body as a file."""

    def __init__(self, body: SpooledBody, start: int, size: int) -> None:
        super().__init__()
        self._body = body
        self._start = start
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError(f"seek: {base + offset} is before the file")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        left = max(0, self._size - self._position)
        data = self._body.read(self._start + self._position, min(left, len(buffer)))
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


class SpooledHTTPFile(HTTPFile):
    """An uploaded file that lies on disk: ``body`` is read when it is first asked for, and kept from then on.

    Without that, :meth:`open` reads it piece by piece, also in another thread.
    """

    def __init__(self, body: SpooledBody, start: int, size: int, **fields: str) -> None:
        super().__init__(**fields)
        object.__setattr__(self, "_place", (body, start, size))  # an ordinary attribute would be a key

    @property
    def size(self) -> int:
        """Bytes of the file."""
        size: int = self._place[2]
        return size

    def open(self) -> BinaryIO:
        """The content as a file to read, from its beginning; its calls may block."""
        return io.BufferedReader(_Slice(*self._place))

    # A dictionary that has the body as any other key; it is there once somebody looks.

    def __missing__(self, key: str) -> bytes:
        if key != "body":
            raise KeyError(key)
        body, start, size = self._place
        content: bytes = body.read(start, size)
        self["body"] = content
        return content

    def _whole(self) -> dict[str, Any]:
        _ = self["body"]
        return dict(dict.items(self))

    def __contains__(self, key: object) -> bool:
        return key == "body" or super().__contains__(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._whole())

    def __len__(self) -> int:
        return len(self._whole())

    def __eq__(self, other: object) -> bool:
        return self._whole() == other

    __hash__ = None  # type: ignore[assignment]  # as of every dictionary

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self._whole(),)

    def get(self, key: str, default: Any = None) -> Any:
        return self["body"] if key == "body" else super().get(key, default)

    def keys(self) -> Any:
        return self._whole().keys()

    def values(self) -> Any:
        return self._whole().values()

    def items(self) -> Any:
        return self._whole().items()

    def copy(self) -> HTTPFile:
        """One in memory."""
        return _rebuild(self._whole())


def _rebuild(fields: dict[str, Any]) -> HTTPFile:
    return HTTPFile(**fields)


class SpooledForm:
    """One form, while it comes.

    :ivar body: all of it, as it came.
    :ivar arguments: values of the parts that are no files, by name.
    :ivar files: the others.
    """

    def __init__(self, parser: MultipartParser) -> None:
        self.body = SpooledBody()
        self.arguments: dict[str, list[bytes]] = {}
        self.files: dict[str, list[HTTPFile]] = {}
        self._parser = parser
        self._part: PartBegin | None = None
        self._size = 0
        self._value: list[bytes] = []

    def push(self, chunk: bytes) -> asyncio.Future[None] | None:
        """Take a piece of the body; the next is to wait for the future, where there is one.

        :raises gustnado.errors.HTTPInputError: where the form is malformed, or over a limit.
        """
        for event in self._parser.feed(chunk):
            self._take(event)
        return self.body.append(chunk)

    def give_to(self, request: HTTPServerRequest) -> None:
        """The body is complete: it is the request's, with all that is in it.

        :raises gustnado.errors.HTTPInputError: where its final delimiter has not come.
        """
        self._parser.finish()
        request._take_form(self.body, self.arguments, self.files)

    def _take(self, event: Event) -> None:
        if isinstance(event, PartBegin):
            self._part, self._size, self._value = event, 0, []
        elif self._part is None:
            return
        elif isinstance(event, PartData):
            self._size += len(event.data)
            if not self._part.filename:
                self._value.append(event.data)
        elif isinstance(event, PartEnd):
            self._store(self._part)

    def _store(self, part: PartBegin) -> None:
        if not part.filename:
            self.arguments.setdefault(part.name, []).append(b"".join(self._value))
            return
        content_type = part.content_type or "application/unknown"
        file = SpooledHTTPFile(
            self.body, part.start, self._size, filename=part.filename, content_type=content_type
        )
        self.files.setdefault(part.name, []).append(file)


def spooled_form_for(request: HTTPServerRequest) -> SpooledForm | None:
    """A form that takes the body of ``request``; ``None`` where that is none, or is to be parsed in memory.

    :raises gustnado.errors.HTTPInputError: where its boundary is malformed.
    :raises OSError: where there can be no temporary file.
    """
    content_type = request.headers.get("Content-Type", "")
    if not content_type.lower().startswith("multipart/form-data") or "Content-Encoding" in request.headers:
        return None
    config = ParseBodyConfig.from_limits(request.limits).multipart
    if not config.enabled or is_like_tornado(request):
        return None
    kind, parameters = parse_parameters(content_type)
    boundary = parameters.get("boundary")
    if kind != "multipart/form-data" or boundary is None:
        raise HTTPInputError(f"no multipart boundary in Content-Type {content_type[:200]!r}")
    return SpooledForm(MultipartParser.from_config(boundary, config))
