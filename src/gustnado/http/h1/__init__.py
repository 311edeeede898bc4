"""HTTP/1.0 and 1.1 (RFC 9112): a parser, a writer, and the connection that puts them on a stream."""

from __future__ import annotations

__all__: list[str] = []
