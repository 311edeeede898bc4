"""``tornado.options``: options of the command line and of configuration files."""

from __future__ import annotations

from gustnado.log import enable_pretty_logging
from gustnado.options import (
    Error,
    OptionParser,
    add_parse_callback,
    define,
    options,
    parse_command_line,
    parse_config_file,
    print_help,
)

__all__ = [
    "Error",
    "OptionParser",
    "add_parse_callback",
    "define",
    "enable_pretty_logging",
    "options",
    "parse_command_line",
    "parse_config_file",
    "print_help",
]
