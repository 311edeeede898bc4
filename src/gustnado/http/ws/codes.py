"""Numbers of RFC 6455: opcodes of frames, codes that say why a connection was closed.

>>> is_valid_close_code(CloseCode.GOING_AWAY), is_valid_close_code(CloseCode.ABNORMAL), is_valid_close_code(4000)
(True, False, True)
"""

from __future__ import annotations

import enum

__all__ = ["CloseCode", "Opcode", "is_valid_close_code"]


class Opcode(enum.IntEnum):
    """What a frame is (RFC 6455 section 11.8); from 8 on it controls the connection."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


class CloseCode(enum.IntEnum):
    """Why a connection was closed (RFC 6455 section 7.4.1, and IANA's registry for 1012 to 1014).

    ``NO_STATUS``, ``ABNORMAL`` and ``TLS_HANDSHAKE`` are never sent: they stand for what no frame said.
    """

    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    UNSUPPORTED_DATA = 1003
    NO_STATUS = 1005
    ABNORMAL = 1006
    INVALID_DATA = 1007
    POLICY_VIOLATION = 1008
    TOO_BIG = 1009
    MANDATORY_EXTENSION = 1010
    INTERNAL_ERROR = 1011
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013
    BAD_GATEWAY = 1014
    TLS_HANDSHAKE = 1015


_NEVER_SENT = (CloseCode.NO_STATUS, CloseCode.ABNORMAL, CloseCode.TLS_HANDSHAKE)
_REGISTERED = frozenset(int(code) for code in CloseCode if code not in _NEVER_SENT)


def is_valid_close_code(code: int) -> bool:
    """Whether a close frame may hold ``code``: a registered one, or one of 3000 to 4999 (section 7.4.2)."""
    return code in _REGISTERED or 3000 <= code <= 4999
