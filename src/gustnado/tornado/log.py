"""``tornado.log``: the three loggers, and a formatter."""

from __future__ import annotations

from gustnado.log import (
    LogFormatter,
    access_log,
    app_log,
    define_logging_options,
    enable_pretty_logging,
    gen_log,
)
from gustnado.log import _stderr_supports_color as _stderr_supports_color

__all__ = [
    "LogFormatter",
    "access_log",
    "app_log",
    "define_logging_options",
    "enable_pretty_logging",
    "gen_log",
]
