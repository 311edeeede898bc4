"""Every limit of an HTTP connection as a named field of one object.

Defaults are stricter than those of most servers and wider than what browsers need; each field tells
its precedent. Change them per server::

    HTTPServer(app, limits=Limits(max_body_size=1 << 20))

Limits are charged as bytes arrive, in whatever pieces, and count objects as well as bytes.
"""

from __future__ import annotations

import dataclasses

__all__ = ["MAX_INFORMATIONAL", "Limits"]

MAX_INFORMATIONAL = 10
"""What :attr:`Limits.max_informational` is, if nobody says otherwise."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on what one peer may cost. Sizes in bytes, times in seconds; ``0`` of a time means none."""

    max_request_line: int = 8192
    """Request line (RFC 9112 section 3 asks for at least 8,000; nginx: 8 KiB). Over it: 414."""
    max_header_size: int = 32 * 1024
    """Request line and header fields together (nginx: 32 KiB, Node: 16 KiB, Tornado: 64 KiB). Over it: 431."""
    max_header_count: int = 100
    """Header fields (Envoy, hyper: 100). Over it: 431."""
    max_field_size: int = 16 * 1024
    """One header field, name and value (Apache, aiohttp: 8,190). Over it: 431."""
    max_body_size: int = 10 * 1024 * 1024
    """A body that is read into memory (Tornado: 100 MiB, nginx: 1 MiB). Over it: 413."""
    max_chunk_extras: int = 16 * 1024
    """Chunk extensions and trailers of one message, in all (hyper: 16 KiB). Over it: 400."""
    max_informational: int = MAX_INFORMATIONAL
    """1xx responses before the final one, to a client (Tornado: 10). Over it: an error."""
    max_query_arguments: int = 1000
    """Arguments in a query string (PHP: 1,000, Tornado: 1,000). Over it: 400."""
    max_form_fields: int = 1000
    """Fields of a urlencoded body (Tornado, Django: 1,000). Over it: 413."""
    max_parts: int = 100
    """Parts of a multipart body (Tornado, Django: 100). Over it: 413."""
    max_part_header_size: int = 8 * 1024
    """Head of one part (Tornado: 10 KiB). Over it: 413."""
    max_value_size: int = 1024 * 1024
    """A part of a multipart body that is no file (werkzeug: 500,000, Tornado: none). Over it: 413."""
    spool_size: int = 1024 * 1024
    """A multipart body is collected on disk from here on (Django: 2.5 MiB a file). ``0``: never."""
    max_cookies: int = 100
    """Pairs read from Cookie headers; those beyond are ignored (browsers keep at least 50 a host)."""
    header_timeout: float = 15.0
    """From a request's first byte to the end of its head (hyper: 30, nginx: 60). Over it: 408."""
    handshake_timeout: float = 10.0
    """TLS handshake (nginx: 60, Go: none). Over it: closed."""
    body_timeout: float = 30.0
    """Without a byte of a body that is waited for (nginx: 60). Over it: 408."""
    min_body_rate: int = 240
    """Bytes a second, on average, once a body has taken 10 seconds (Kestrel: 240). Below it: 408."""
    max_body_time: float = 600.0
    """For a body that is read into memory to arrive whole (Node: 300). Over it: 408."""
    idle_timeout: float = 60.0
    """A keep-alive connection between two requests (nginx: 75, Node: 5). Over it: closed."""
    write_timeout: float = 30.0
    """Without progress of a response that waits for its client. Over it: aborted."""
    max_requests: int = 1000
    """Requests on one connection (nginx: 1,000); the last one is answered with ``Connection: close``."""
    max_connection_age: float = 3600.0
    """Of a keep-alive connection (nginx: 1 h), looked at when a response ends."""
    max_pipelined: int = 16
    """Bytes of further requests wait in the kernel while this many are queued (llhttp users: none)."""
    max_unread_body: int = 256 * 1024
    """Of a body that nobody wants, read and dropped to keep the connection (Go: 256 KiB)."""
    linger_timeout: float = 2.0
    """Waited for a peer to read the last answer before a connection is cut (nginx: 5 a read, 30 in all)."""
    max_write_buffer: int = 1024 * 1024
    """Bytes of responses that wait for a slow client before ``await flush()`` waits too."""
    max_connections: int = 0
    """Connections at once; accepting pauses at it. ``0``: bounded by file descriptors only."""
    max_refusals_logged: int = 100
    """Lines in the log about requests and TLS handshakes that a server refuses, within ten seconds; of more it says
    only how many (Linux' kernel: 10 in 5 seconds). ``0``: no limit."""
    max_connections_per_address: int = 0
    """Connections at once of one IP address, or of one IPv6 network of 64 bits; further ones get 503 (nginx's
    ``limit_conn``). ``0``: no limit, as many people may share an address, and all do behind a proxy."""
