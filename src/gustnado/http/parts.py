"""Multipart bodies as they arrive: part by part, and files spooled to disk.

::

    async for part in read_parts(stream, content_type):
        if part.filename:
            async for chunk in part:
                ...
        else:
            value = await part.read_all(10_000)

The parser is that of buffered forms (:mod:`gustnado.http.multipart`), fed with each piece as it comes. A part is to be
read before the next is asked for; what was not read of it is skipped.

:func:`read_form` gives real files, each to be closed for itself, and keeps no body; :mod:`gustnado.http.spooled_form`
owes ordinary handlers ``request.body`` as it came, so it writes that, and its files are places in it.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterable, AsyncIterator
from typing import Any

from gustnado.errors import HTTPInputError, UsageError
from gustnado.http.limits import Limits
from gustnado.http.multipart import Event, MultipartParser, PartBegin, PartData, PartEnd, parse_parameters

__all__ = ["Form", "Part", "SpooledFile", "gather", "read_form", "read_parts"]


class Part:
    """One part of a body, while it arrives. Read it with ``async for chunk in part``.

    :ivar name: of the form's field.
    :ivar filename: as the client sent it, data and no path to open; ``None`` where it is no file.
    :ivar content_type: as the client sent it, or ``None``.
    :ivar headers: all fields of its head, as pairs.
    """

    def __init__(self, head: PartBegin, events: _Events) -> None:
        self.name = head.name
        self.filename = head.filename
        self.content_type = head.content_type
        self.headers = head.headers
        self._events = events
        self._ended = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._events.current is not self:
            raise UsageError(f"part {self.name!r} is over: read it before the next is asked for")
        while not self._ended:
            event = await self._events.next()
            if isinstance(event, PartData):
                yield event.data
            else:
                self._ended = isinstance(event, PartEnd)

    async def read_all(self, max_bytes: int) -> bytes:
        """What is left of the part.

        :raises gustnado.errors.HTTPInputError: 413 where that is more than ``max_bytes``.
        """
        return await gather(self, max_bytes, f"part {self.name[:80]!r}")

    async def skip(self) -> None:
        """Read to its end, for nothing."""
        if not self._ended:
            async for _ in self:
                pass


async def gather(pieces: AsyncIterable[bytes], max_bytes: int, what: str) -> bytes:
    """All that ``pieces`` give, as one.

    :param what: names them in the error.
    :raises gustnado.errors.HTTPInputError: 413 where that is more than ``max_bytes``.
    """
    gathered: list[bytes] = []
    size = 0
    async for piece in pieces:
        size += len(piece)
        if size > max_bytes:
            raise HTTPInputError(f"{what} over {max_bytes} bytes", status=413)
        gathered.append(piece)
    return b"".join(gathered)


class _Events:
    """What the parser finds, one by one; it is fed when there is nothing left."""

    def __init__(self, chunks: AsyncIterable[bytes], parser: MultipartParser) -> None:
        self.current: Part | None = None
        self._chunks = aiter(chunks)
        self._parser = parser
        self._found: list[Event] = []

    async def next(self) -> Event | None:
        """The next event; ``None`` at the end of the body."""
        while not self._found:
            chunk = await anext(self._chunks, None)
            if chunk is None:
                self._parser.finish()
                return None
            self._found = self._parser.feed(chunk)
            self._found.reverse()
        return self._found.pop()


def _parser_for(content_type: str, limits: Limits) -> MultipartParser:
    kind, parameters = parse_parameters(content_type)
    boundary = parameters.get("boundary")
    if kind != "multipart/form-data" or boundary is None:
        raise HTTPInputError(f"no multipart/form-data body, but {content_type[:80]!r}", status=415)
    return MultipartParser(
        boundary,
        max_parts=limits.max_parts,
        max_part_header_size=limits.max_part_header_size,
        max_value_size=None,
    )


async def read_parts(
    chunks: AsyncIterable[bytes], content_type: str, limits: Limits | None = None
) -> AsyncIterator[Part]:
    """The parts of a ``multipart/form-data`` body, one after the other, as they arrive.

    :param chunks: the body, as :class:`~gustnado.http.body_stream.BodyStream` is.
    :param content_type: value of the ``Content-Type`` field.
    :param limits: of which ``max_parts`` and ``max_part_header_size`` count. The parts may be of any size.
    :raises gustnado.errors.HTTPInputError: 415 where the body is of another type, 400 where it is malformed, 413 over
        a limit.
    """
    events = _Events(chunks, _parser_for(content_type, limits or Limits()))
    while (event := await events.next()) is not None:
        if isinstance(event, PartBegin):
            part = events.current = Part(event, events)
            yield part
            await part.skip()


class SpooledFile:
    """An uploaded file: in memory while it is small, else in an unnamed temporary file.

    :ivar filename: as the client sent it, data and no path to open.
    :ivar content_type: as the client sent it, ``application/unknown`` where it sent none.
    :ivar size: in bytes.
    :ivar file: to read from, as a file opened in binary mode; its calls may block once it is on disk.
    """

    def __init__(self, filename: str, content_type: str, file: Any) -> None:
        self.filename = filename
        self.content_type = content_type
        self.size = 0
        self.file = file

    async def read(self, max_bytes: int = -1) -> bytes:
        """Read on, in another thread where it is on disk; ``b""`` at the end."""
        if not self.file._rolled:
            data: bytes = self.file.read(max_bytes)
            return data
        return await asyncio.get_running_loop().run_in_executor(None, self.file.read, max_bytes)

    def close(self) -> None:
        """Close it; what is on disk is gone then."""
        self.file.close()


class Form:
    """A form that has been read whole. To be closed, or used in a ``with``, so that its files are.

    :ivar arguments: name to values, as bytes.
    :ivar files: name to files.
    """

    def __init__(self) -> None:
        self.arguments: dict[str, list[bytes]] = {}
        self.files: dict[str, list[SpooledFile]] = {}

    def close(self) -> None:
        """Close all its files."""
        for files in self.files.values():
            for file in files:
                file.close()

    def __enter__(self) -> Form:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


async def read_form(
    chunks: AsyncIterable[bytes], content_type: str, limits: Limits | None = None, spool_size: int | None = None
) -> Form:
    """Read a ``multipart/form-data`` body whole; files of more than ``spool_size`` bytes go to disk meanwhile.

    Without ``spool_size`` that of ``limits`` counts. Parameters and errors are those of :func:`read_parts`; besides,
    ``max_value_size`` bounds each part that is no file (413). How large the whole is
    to be is for whoever reads ``chunks`` to say.
    """
    form = Form()
    bounds = limits or Limits()
    in_memory = bounds.spool_size if spool_size is None else spool_size
    try:
        async for part in read_parts(chunks, content_type, bounds):
            if part.filename:
                form.files.setdefault(part.name, []).append(await _spool(part, in_memory))
            else:
                form.arguments.setdefault(part.name, []).append(await part.read_all(bounds.max_value_size))
    except BaseException:
        form.close()
        raise
    return form


async def _spool(part: Part, spool_size: int) -> SpooledFile:
    loop = asyncio.get_running_loop()
    spooled = tempfile.SpooledTemporaryFile(max_size=spool_size)  # noqa: SIM115 - the form closes it
    file = SpooledFile(part.filename or "", part.content_type or "application/unknown", spooled)
    # Pieces, and not the file: a buffer that grows to a MiB leaves holes of all sizes below that behind.
    pieces: list[bytes] = []
    try:
        async for chunk in part:
            file.size += len(chunk)
            pieces.append(chunk)
            if file.size > spool_size > 0:
                await loop.run_in_executor(None, _write_out, spooled, pieces)  # the disk may take its time
                pieces = []
        spooled.writelines(pieces)
        await loop.run_in_executor(None, spooled.seek, 0)
    except BaseException:
        file.close()
        raise
    return file


def _write_out(spooled: tempfile.SpooledTemporaryFile[bytes], pieces: list[bytes]) -> None:
    spooled.rollover()
    spooled.writelines(pieces)
