"""WebSockets (RFC 6455), with permessage-deflate (RFC 7692): a codec without I/O, connections, a client."""

from __future__ import annotations

__all__: list[str] = []
