"""Where a server's side of an HTTP/1 connection stands.

- ``HEAD``: between two requests, or within a head;
- ``BODY``: within a body, which goes to the delegate as it comes;
- ``RESPOND``: the request is complete, its response is not. Nothing more is parsed; what the client sends
  on stays in the parser, and reading pauses, so requests are answered strictly in order;
- ``DRAIN``: the response is complete and the request is not: what is left of it is dropped, up to a limit;
- ``LINGER``: the last response is on its way, and what still arrives is dropped until the peer closes
  (RFC 9112 section 9.6), so that it can read the answer;
- ``REFUSED``: the rest of the request cannot be taken, and the program answers that. What arrives is dropped;
- ``TURNED_AWAY``: whatever arrives is answered with 503;
- ``CLOSED``: the stream is gone, or belongs to another protocol.

Plain numbers, which compiled modules keep as such.
"""

from __future__ import annotations

__all__ = ["BODY", "CLOSED", "DRAIN", "HEAD", "LINGER", "REFUSED", "RESPOND", "TURNED_AWAY"]

# From LINGER on nothing that arrives is parsed.
HEAD, BODY, RESPOND, DRAIN, LINGER, REFUSED, TURNED_AWAY, CLOSED = range(8)
