"""A small static file in memory, and the response with it that most requests get.

Most requests for a file are a plain GET by somebody who has nothing of it yet, served by a handler class that leaves
the response as it is made. What they get is known beforehand, but for what the application adds to each response:
:func:`answer_from_memory` sends it in the callback that brought the request.
"""

from __future__ import annotations

import os
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from gustnado.web.file_signatures import file_signature

if TYPE_CHECKING:
    import datetime

    from gustnado.web.file_signatures import Signature

__all__ = ["CachedFile", "UsualWays", "answer_from_memory", "cache_key", "take_file"]

_PATHS_ARE_URLS = os.path.sep == "/"
_CONDITIONS = (
    "Range", "If-None-Match", "If-Modified-Since", "If-Range", "If-Match", "If-Unmodified-Since",
)  # fmt: skip
_HOOKS = (
    "set_headers", "set_extra_headers", "get_cache_time", "get_content_type", "should_return_304",
    "write", "flush", "finish", "set_header", "set_etag_header", "check_etag_header",
)  # fmt: skip


class CachedFile:
    """A file's content, and what is said of it.

    :ivar asked: the path that was asked for, by which to find out whether it still leads to this file.
    :ivar path: the same with symbolic links resolved.
    :ivar etag: with its quotes.
    :ivar coding: in which the content is compressed; ``None`` where it is not.
    :ivar original: path and signature of the file that this is the compressed form of.
    :ivar fields: the header fields that each response with the file has.
    """

    __slots__ = (
        "asked", "coding", "content", "content_type", "etag", "fields", "last_modified", "modified", "original", "path",
        "signature",
    )  # fmt: skip

    def __init__(
        self,
        asked: str,
        path: str,
        signature: Signature,
        content: bytes,
        etag: str,
        content_type: str,
        modified: datetime.datetime,
        last_modified: str,
        coding: str | None = None,
        original: tuple[str, Signature | None] | None = None,
    ) -> None:
        self.asked = asked
        self.path = path
        self.signature = signature
        self.content = content
        self.etag = etag
        self.content_type = content_type
        self.modified = modified
        self.last_modified = last_modified
        self.coding = coding
        self.original = original
        self.fields = {
            "Accept-Ranges": "bytes",
            "Etag": etag,
            "Last-Modified": last_modified,
            "Content-Type": content_type,
        }

    def is_current(self) -> bool:
        """Whether the file, and the one that it is a form of, are what they were."""
        if file_signature(self.asked) != self.signature:
            return False
        return self.original is None or file_signature(self.original[0]) == self.original[1]


class UsualWays:
    """The methods of a handler class as it was made: whether a subclass, or a patch, has put others in their place."""

    __slots__ = ("_get", "_head", "_hooks", "_parse_url_path")

    def __init__(self, handler_class: type[Any]) -> None:
        self._get = handler_class.get
        self._head = handler_class.head
        self._parse_url_path = handler_class.parse_url_path
        self._hooks = [(name, getattr(handler_class, name)) for name in _HOOKS]

    def hold(self, handler_class: type[Any]) -> bool:
        """Whether nobody else has a part in the response."""
        for name, hook in self._hooks:  # noqa: SIM110 - no generators in compiled modules
            if getattr(handler_class, name) is not hook:
                return False
        return True


def cache_key(handler: Any) -> Hashable:
    """By which a file is kept: all that decides which it is."""
    allowed = handler.allowed_symlink_directory
    directories = allowed if allowed is None or isinstance(allowed, str) else tuple(allowed)
    # A directory's default file is served, or redirected to, by the end of the URL's path.
    slash = handler.request.path.endswith("/")
    codings = handler._codings() if handler.precompressed else ()
    return (handler.root, handler.path, handler.default_filename, directories, slash, codings)


def answer_from_memory(handler: Any, ways: UsualWays) -> bool:
    """Answer a GET or HEAD with a file that is in memory and has not changed since; false where there is none."""
    cls = type(handler)
    request = handler.request
    is_get = request.method == "GET"
    if cls.get is not ways._get or not (is_get or (request.method == "HEAD" and cls.head is ways._head)):
        return False
    args = handler.path_args
    if len(args) != 1 or handler._transforms is not None:
        return False
    is_path = _PATHS_ARE_URLS and cls.parse_url_path is ways._parse_url_path
    handler.path = args[0] if is_path else handler.parse_url_path(args[0])
    file = handler._static_files.files.get(cache_key(handler))
    if file is None or not file.is_current():
        return False
    take_file(handler, file)
    if (
        is_get
        and not request.query
        and not _has_conditions(request.headers._fields)
        and handler._status_code == 200
        and not handler._write_buffer
        and ways.hold(cls)
    ):
        # It is for all of the file, whatever the client has, and nothing has been said yet.
        _answer_plainly(handler, file)
        return True
    handler._answer_from_memory(file, is_get)
    return True


def take_file(handler: Any, file: CachedFile) -> None:
    """Serve ``file``: tell the handler all that is known of it."""
    handler._file = file
    handler.absolute_path = file.path
    handler.modified = file.modified
    if file.coding is not None and file.original is not None:
        handler._coding, handler._plain_path = file.coding, file.original[0]


def _has_conditions(fields: dict[str, Any]) -> bool:
    for name in _CONDITIONS:  # noqa: SIM110 - no generators in compiled modules
        if name in fields:
            return True
    return False


def _answer_plainly(handler: Any, file: CachedFile) -> None:
    fields = handler._headers._fields
    fields.update(file.fields)
    if handler.precompressed:
        fields["Vary"] = "Accept-Encoding"
        if file.coding is not None:
            fields["Content-Encoding"] = file.coding
    handler._write_buffer.append(file.content)
    handler._finish_whole()
