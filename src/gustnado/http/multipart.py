"""``multipart/form-data``: bytes in, events out (RFC 7578, upon RFC 2046 section 5.1).

:class:`MultipartParser` takes a body in any pieces and returns what it found in them. The same parser
serves a body that is in memory (:func:`parse_multipart_form_data`) and one that streams by.

How it goes. A body is a preamble, parts and an epilogue, set apart by delimiters: ``CRLF "--" boundary``.
A delimiter is followed by CRLF (a part begins) or by ``--`` (the body ends); the CRLF before it belongs
to it, and is the one that ended the line before where nothing stands between. So there are six states::

    line_start  where a delimiter may come without a CRLF of its own: at the start, and after a part's head
    preamble    up to the first delimiter; dropped
    data        up to the next delimiter: a part's body
    delimited   behind a boundary, where two bytes decide
    head        up to the empty line
    epilogue    whatever comes is dropped

Rules:

- What the events say does not depend on how the body was cut into pieces: only :class:`PartData` may be
  cut differently. Nothing is decided before enough bytes are there to decide it.
- Each byte of data is searched once. What might be the start of a delimiter at the end of a piece, which
  is shorter than a delimiter, waits for the next piece; the rest leaves at once.
- Limits are charged while scanning: the part that is one too many is refused at its delimiter.
- Anything that could be read in two ways is refused: a boundary followed by other bytes, or within a
  line of the preamble, two ``Content-Disposition`` fields, two ``name`` parameters, folded lines, bare
  CR, control characters.
- The first error ends it: one :exc:`~gustnado.errors.HTTPInputError`, of status 400 or (a limit) 413.

Not decoded: ``Content-Transfer-Encoding`` (RFC 7578 section 4.7 has none), ``%22`` in names (browsers
send it for a quote, but do not escape ``%``, so it cannot be told from a literal one), and paths: a
filename is what the client sent, never a name to open a file by.

>>> parser = MultipartParser("xYz")
>>> parser.feed(b'--xYz\\r\\nContent-Disposition: form-data; name="a"\\r\\n\\r\\n1\\r\\n--x')[1:]
[PartData(data=b'1')]
>>> parser.feed(b"Yz--")
[PartEnd(), End()]
>>> parser.finish()
"""

from __future__ import annotations

import dataclasses
import io
import math
import re
import urllib.parse
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

from gustnado.errors import HTTPInputError
from gustnado.http.limits import Limits
from gustnado.util import ObjectDict

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "MAX_PART_FIELDS",
    "End",
    "Event",
    "HTTPFile",
    "MultipartParser",
    "ParseMultipartConfig",
    "PartBegin",
    "PartData",
    "PartEnd",
    "parse_multipart_form_data",
    "parse_parameters",
    "set_default_config",
]

_DEFAULTS = Limits()

MAX_PART_FIELDS = 16
"""Header fields of one part. Browsers send two, RFC 7578 knows three (multipart: 8)."""

# RFC 2046 section 5.1.1, but for the space, which no client sends and quoting would hide.
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=?]{1,70}")

_FIELD_START = re.compile(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]++):[ \t]*+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

# One parameter: a token, "=", and a quoted string or what stands up to the next ";". Nothing here
# backtracks: the quantifiers that could are possessive.
_PARAMETER = re.compile(
    r"""[ \t]*+;[ \t]*+
    (?:([!#$%&'*+\-.^_`|~0-9A-Za-z]++)[ \t]*+=[ \t]*+(?:"([^"\\]*+(?:\\.[^"\\]*+)*)"|([^";]*+)))?""",
    re.DOTALL | re.VERBOSE,
)
_ESCAPED = re.compile(r'\\(["\\])')


class HTTPFile(ObjectDict):
    """An uploaded file; its attributes can be read as keys of a dictionary, too.

    >>> file = HTTPFile(filename="a.txt", body=b"wind", content_type="text/plain")
    >>> file.filename == file["filename"]
    True
    """

    filename: str
    """As the client sent it: data, not a path to open."""
    body: bytes
    """The whole content."""
    content_type: str
    """As the client sent it, ``application/unknown`` where it sent none."""

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return len(self.body)

    def open(self) -> BinaryIO:
        """The content as a file to read, from its beginning, wherever it lies: large ones are on disk."""
        return io.BytesIO(self.body)


@dataclasses.dataclass
class ParseMultipartConfig:
    """Whether ``multipart/form-data`` bodies are parsed, and within what limits."""

    enabled: bool = True
    """``False`` refuses such bodies: an application without file uploads does not need them."""
    max_parts: int = _DEFAULTS.max_parts
    """Parts of one body; each control of an HTML form makes at least one. Over it: 413."""
    max_part_header_size: int = _DEFAULTS.max_part_header_size
    """Bytes of one part's head (Tornado: 10 KiB). Over it: 413."""
    max_value_size: int = _DEFAULTS.max_value_size
    """Bytes of one part that is not a file (Tornado: no limit but the body's). Over it: 413."""
    extended_filenames: bool = False
    """Whether ``filename*`` wins over ``filename``, as in Tornado. RFC 7578 section 4.2 forbids clients
    to send it, so by default it counts only where there is no ``filename``: old clients send it alone.
    """
    implicit_first_part: bool = False
    """Whether a body that begins with neither a delimiter nor an empty line begins within its first part, as in
    Tornado. By RFC 2046 section 5.1.1 it is a preamble, which says nothing.
    """


@dataclasses.dataclass(frozen=True, slots=True)
class PartBegin:
    """A part begins: its head has been read."""

    name: str
    """Name of the form's field. Never empty."""
    filename: str | None
    """``None``: not a file. Browsers send an empty one for a file control without a file."""
    content_type: str | None
    """As sent, or ``None``."""
    headers: tuple[tuple[str, str], ...]
    """All fields of the head, names as they were spelled."""
    start: int = dataclasses.field(default=0, compare=False)
    """Where in the body its content begins, in bytes."""


@dataclasses.dataclass(frozen=True, slots=True)
class PartData:
    """Bytes of the part that began last. Never empty."""

    data: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class PartEnd:
    """The part that began last is complete."""


@dataclasses.dataclass(frozen=True, slots=True)
class End:
    """The final delimiter has been read; nothing comes after this."""


Event: TypeAlias = PartBegin | PartData | PartEnd | End

_PART_END = PartEnd()
_END = End()


class MultipartParser:
    """Parses one ``multipart/form-data`` body, pushed in pieces of any size.

    Files may be of any size: they pass through, in pieces no larger than those fed. Fed in one piece,
    a part's data comes in one piece.

    :param boundary: the parameter of the ``Content-Type`` field, without quotes.
    :param max_parts: parts of the body.
    :param max_part_header_size: bytes of one part's head, without the empty line.
    :param max_value_size: bytes of one part that is not a file; ``None`` for no limit.
    :param extended_filenames: as in :class:`ParseMultipartConfig`; so is ``implicit_first_part``.
    :raises gustnado.errors.HTTPInputError: 400, where the boundary is not one of RFC 2046 section 5.1.1
        (1 to 70 letters, digits and ``'()+_,-./:=?``).
    """

    def __init__(
        self,
        boundary: str | bytes,
        *,
        max_parts: int = _DEFAULTS.max_parts,
        max_part_header_size: int = _DEFAULTS.max_part_header_size,
        max_value_size: int | None = _DEFAULTS.max_value_size,
        extended_filenames: bool = False,
        implicit_first_part: bool = False,
    ) -> None:
        name = boundary if isinstance(boundary, str) else boundary.decode("latin-1")
        if _BOUNDARY.fullmatch(name) is None:
            raise HTTPInputError(f"malformed multipart boundary {name[:80]!r}")
        self._bare_delimiter = b"--" + name.encode("ascii")
        self._delimiter = b"\r\n" + self._bare_delimiter
        self._max_parts = max_parts
        self._max_head = max_part_header_size
        self._max_value = max_value_size
        self._extended_filenames = extended_filenames
        self._implicit_first_part = implicit_first_part
        # The state: the function that reads what comes next and says whether to go on at once.
        self._step: Callable[[MultipartParser, list[Event]], bool] = MultipartParser._line_start
        self._buffer = b""  # what was fed and is not used up
        self._position = 0  # so much of it is
        self._offset = 0  # where in the body the buffer begins
        self._searched = 0  # so far behind the position no end of the head was found
        self._parts = 0
        self._part: PartBegin | None = None  # None in the preamble
        self._received = 0  # bytes of the part
        self._max_received: float = math.inf  # and how many they may be

    @classmethod
    def from_config(cls, boundary: str, config: ParseMultipartConfig) -> MultipartParser:
        """A parser within the limits of ``config``, which quotes around the boundary do not disturb."""
        return cls(
            boundary[1:-1] if len(boundary) > 1 and boundary[0] == boundary[-1] == '"' else boundary,
            max_parts=config.max_parts,
            max_part_header_size=config.max_part_header_size,
            max_value_size=config.max_value_size,
            extended_filenames=config.extended_filenames,
            implicit_first_part=config.implicit_first_part,
        )

    def feed(self, data: bytes) -> list[Event]:
        """Take the next piece of the body; returns what it completed, in order.

        :raises gustnado.errors.HTTPInputError: 400 where the body is malformed, 413 where it is over a
            limit; from then on each call raises.
        """
        events: list[Event] = []
        self._buffer += data
        self._position = 0
        try:
            while self._step(self, events):
                pass
        except HTTPInputError:
            self._step = MultipartParser._failed
            self._buffer = b""
            raise
        self._buffer = self._buffer[self._position :]
        self._offset += self._position
        return events

    def finish(self) -> None:
        """Say that the body has ended.

        :raises gustnado.errors.HTTPInputError: 400, where its final delimiter has not come.
        """
        if self._step is not MultipartParser._epilogue:
            raise HTTPInputError("multipart body ended without its final boundary")

    def _line_start(self, events: list[Event]) -> bool:
        delimiter = self._bare_delimiter
        start = self._buffer[self._position : self._position + len(delimiter)]
        if start == delimiter:
            return self._delimiter_found(self._position, delimiter, events)
        if delimiter.startswith(start):
            return False
        if self._part is not None:
            self._step = MultipartParser._data
        elif self._implicit_first_part and start[:1] != b"\r":
            self._buffer = b"\r\n" + self._buffer  # as if a delimiter had been there
            self._offset -= 2
            self._begin_head()
        else:
            self._step = MultipartParser._preamble
        return True

    def _preamble(self, events: list[Event]) -> bool:
        buffer = self._buffer
        index = buffer.find(self._bare_delimiter, self._position)
        if index < 0:
            self._position = max(self._position, len(buffer) - len(self._delimiter) + 1)
            return False
        if buffer[max(0, index - 2) : index] != b"\r\n":
            raise HTTPInputError("multipart boundary within a line of the preamble")
        return self._delimiter_found(index, self._bare_delimiter, events)

    def _data(self, events: list[Event]) -> bool:
        buffer, delimiter = self._buffer, self._delimiter
        index = buffer.find(delimiter, self._position)
        if index >= 0:
            self._receive(index, events)
            return self._delimiter_found(index, delimiter, events)
        # A boundary has no CR, so only the last one can begin a delimiter.
        index = buffer.rfind(b"\r", max(self._position, len(buffer) - len(delimiter) + 1))
        if index < 0 or not delimiter.startswith(buffer[index:]):
            index = len(buffer)
        self._receive(index, events)
        return False

    def _delimited(self, events: list[Event]) -> bool:
        position = self._position
        tail = self._buffer[position : position + 2]
        if len(tail) < 2:
            return False
        if tail == b"\r\n":
            # The position stays in front of this CRLF: an empty head is CRLF CRLF, too.
            self._begin_head()
        elif tail == b"--":
            self._step = MultipartParser._epilogue
            self._position += 2
            events.append(_END)
        else:
            raise HTTPInputError(f"multipart boundary is followed by {tail!r}")
        return True

    def _begin_head(self) -> None:
        self._step = MultipartParser._head
        self._parts += 1
        if self._parts > self._max_parts:
            raise HTTPInputError(f"multipart body has too many parts: over {self._max_parts}", status=413)

    def _head(self, events: list[Event]) -> bool:
        buffer, start = self._buffer, self._position + 2
        end = buffer.find(b"\r\n\r\n", self._position + self._searched)
        soonest = len(buffer) - 3 if end < 0 else end
        if soonest - start > self._max_head:
            raise HTTPInputError(f"multipart part header too large: over {self._max_head} bytes", status=413)
        if end < 0:
            self._searched = max(0, soonest - self._position)
            return False
        content = self._offset + end + 4
        self._part = part = _parse_head(buffer[start:end], self._extended_filenames, content)
        self._received = self._searched = 0
        self._max_received = math.inf if part.filename or self._max_value is None else self._max_value
        self._position = end + 4
        self._step = MultipartParser._line_start
        events.append(part)
        return True

    def _epilogue(self, events: list[Event]) -> bool:
        self._position = len(self._buffer)
        return False

    def _failed(self, events: list[Event]) -> bool:
        raise HTTPInputError("multipart body goes on after an error")

    def _delimiter_found(self, index: int, delimiter: bytes, events: list[Event]) -> bool:
        self._position = index + len(delimiter)
        self._step = MultipartParser._delimited
        if self._part is not None:
            self._part = None
            events.append(_PART_END)
        return True

    def _receive(self, end: int, events: list[Event]) -> None:
        """Use up the buffer to ``end``, as data of the part."""
        start, self._position = self._position, end
        if start == end:
            return
        self._received += end - start
        if self._received > self._max_received:
            raise HTTPInputError(f"multipart field is larger than {self._max_value} bytes", status=413)
        events.append(PartData(self._buffer[start:end]))


def parse_multipart_form_data(
    boundary: str | bytes,
    data: bytes,
    arguments: dict[str, list[bytes]],
    files: dict[str, list[HTTPFile]],
    *,
    config: ParseMultipartConfig | None = None,
) -> None:
    """Parse a whole ``multipart/form-data`` body.

    :param boundary: the parameter of the ``Content-Type`` field; quotes around it are removed.
    :param arguments: gets the values of parts without a filename, in order, under their names.
    :param files: gets the others.
    :param config: limits; ``None``: the process's default.
    :raises gustnado.errors.HTTPInputError: 400 where it is malformed, 413 where it is over a limit, 415
        where such bodies are disabled. ``arguments`` and ``files`` are as they were then.
    """
    if config is None:
        config = _default_config
    if not config.enabled:
        raise HTTPInputError("multipart/form-data parsing is disabled", status=415)
    name = boundary if isinstance(boundary, str) else boundary.decode("latin-1")
    parser = MultipartParser.from_config(name, config)
    events = parser.feed(data)
    parser.finish()
    for index, event in enumerate(events):
        if isinstance(event, PartBegin):
            content = events[index + 1]
            _store(event, content.data if isinstance(content, PartData) else b"", arguments, files)


def parse_parameters(value: str) -> tuple[str, dict[str, str]]:
    """Split a value like those of ``Content-Type`` and ``Content-Disposition`` (RFC 9110 section 5.6.6).

    Within quotes, ``\\"`` and ``\\\\`` are decoded and other backslashes are kept, for the sake of old
    clients that send a path of Windows as it is. Without quotes, a value goes up to the next ``;``.
    Takes time linear in the length.

    :returns: what stands before the first ``;`` in lower case, and the parameters under their names in
        lower case.
    :raises gustnado.errors.HTTPInputError: 400 where it is malformed or names a parameter twice.

    >>> parse_parameters('Form-Data; name="a;b"; filename=c.txt')
    ('form-data', {'name': 'a;b', 'filename': 'c.txt'})
    """
    value = value.strip(" \t")
    kind = value.partition(";")[0]
    parameters: dict[str, str] = {}
    position = len(kind)
    while position < len(value):
        match = _PARAMETER.match(value, position)
        if match is None:
            raise HTTPInputError(f"malformed header parameters {value[:200]!r}")
        position = match.end()
        name, quoted, bare = match.groups()
        if name is None:  # nothing between two semicolons, or behind the last
            continue
        name = name.lower()
        if name in parameters:
            raise HTTPInputError(f"header parameter {name!r} comes twice")
        if quoted is None:
            parameters[name] = bare.rstrip(" \t")
        else:
            parameters[name] = _ESCAPED.sub(r"\1", quoted) if "\\" in quoted else quoted
    return kind.rstrip(" \t").lower(), parameters


def set_default_config(config: ParseMultipartConfig) -> None:
    """Set what :func:`parse_multipart_form_data` uses where it is given no ``config``.

    Called by :func:`gustnado.http.forms.set_parse_body_config`.
    """
    global _default_config
    _default_config = config


_default_config = ParseMultipartConfig()


def _store(
    part: PartBegin, body: bytes, arguments: dict[str, list[bytes]], files: dict[str, list[HTTPFile]]
) -> None:
    if part.filename:
        content_type = part.content_type or "application/unknown"
        file = HTTPFile(filename=part.filename, body=body, content_type=content_type)
        files.setdefault(part.name, []).append(file)
    else:
        arguments.setdefault(part.name, []).append(body)


def _parse_head(head: bytes, extended_filenames: bool, start: int) -> PartBegin:
    try:
        lines = head.decode("utf-8").split("\r\n")
    except UnicodeDecodeError as error:
        raise HTTPInputError("multipart part header is not UTF-8") from error
    if len(lines) > MAX_PART_FIELDS:
        raise HTTPInputError(f"multipart part has over {MAX_PART_FIELDS} header fields", status=413)
    headers = tuple([_parse_field(line) for line in lines])
    known = _known_fields(headers)
    disposition = known.get("content-disposition", "")
    kind, parameters = parse_parameters(disposition)
    name = parameters.get("name")
    if kind != "form-data" or not name:
        raise HTTPInputError(f"multipart part is not a named form-data part: {disposition[:200]!r}")
    filename = parameters.get("filename")
    extended = parameters.get("filename*")
    if extended is not None and (filename is None or extended_filenames):
        filename = _decode_extended(extended)
    return PartBegin(name, filename, known.get("content-type"), headers, start)


def _parse_field(line: str) -> tuple[str, str]:
    match = _FIELD_START.match(line)
    if match is None:
        raise HTTPInputError(f"malformed multipart part header {line[:200]!r}")
    value = line[match.end() :].rstrip(" \t")
    if _CONTROL.search(value) is not None:
        raise HTTPInputError(f"Invalid header value in multipart part: {value[:200]!r}")
    return match[1], value


def _known_fields(headers: tuple[tuple[str, str], ...]) -> dict[str, str]:
    known: dict[str, str] = {}
    for spelling, value in headers:
        name = spelling.lower()
        if name in ("content-disposition", "content-type"):
            if name in known:
                raise HTTPInputError(f"multipart part has two {name} fields")
            known[name] = value
    return known


def _decode_extended(value: str) -> str:
    """Decode ``charset'language'percent-encoded`` (RFC 8187 section 3.2)."""
    charset, _, rest = value.partition("'")
    _, apostrophe, encoded = rest.partition("'")
    if charset.lower() not in ("utf-8", "iso-8859-1") or not apostrophe:
        raise HTTPInputError(f"malformed extended filename {value[:200]!r}")
    try:
        filename = urllib.parse.unquote_to_bytes(encoded).decode(charset)
    except UnicodeDecodeError as error:
        raise HTTPInputError(f"extended filename is not {charset}: {value[:200]!r}") from error
    if _CONTROL.search(filename) is not None:
        raise HTTPInputError(f"extended filename has control characters: {value[:200]!r}")
    return filename
