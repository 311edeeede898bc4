"""The access log: one line for each request that has been answered.

>>> summarize("GET", "/a?b\\x1b[2J", "192.0.2.7")
'GET /a?b\\\\x1b[2J (192.0.2.7)'
"""

from __future__ import annotations

import logging

from gustnado.log import access_log

__all__ = ["log_access", "summarize"]

_MAX_SHOWN = 2048


def summarize(method: str, uri: str | None, remote_ip: str | None) -> str:
    """Who asked for what, as log lines say it. What could forge or hide a line is escaped, length is bounded."""
    text = f"{method} {uri} ({remote_ip})"
    if not text.isprintable():
        text = text.encode("unicode_escape").decode("ascii")
    return text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "..."


def log_access(status: int, method: str, uri: str | None, remote_ip: str | None, seconds: float) -> None:
    """Log a request: at INFO below status 400, at WARNING below 500, else at ERROR.

    :param seconds: from the arrival of its head to the end of its response.
    """
    if status < 400:
        level = logging.INFO
    elif status < 500:
        level = logging.WARNING
    else:
        level = logging.ERROR
    if access_log.isEnabledFor(level):
        access_log.log(level, "%d %s %.2fms", status, summarize(method, uri, remote_ip), 1000.0 * seconds)
