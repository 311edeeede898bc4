"""The three loggers, and a formatter that makes them pleasant to read.

=========================  ==========================================================================
``gustnado.access``        a line for each request that a server answered
``gustnado.application``   errors of the program: exceptions that its handlers and callbacks let out
``gustnado.general``       everything else, such as peers that break the protocol
=========================  ==========================================================================

They are ordinary loggers of the standard library, and nothing here configures it on import. The options of
`define_logging_options` do when a command line or a configuration file is parsed (see `gustnado.options`); a
program without options calls `enable_pretty_logging` with any object that has their names as attributes.

>>> import logging
>>> record = logging.LogRecord("x", logging.WARNING, "/srv/shop.py", 7, "two\\nlines", None, None)
>>> LogFormatter(datefmt="10:00", color=False).format(record)
'[W 10:00 shop:7] two\\n    lines'
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "LogFormatter",
    "access_log",
    "app_log",
    "define_logging_options",
    "enable_pretty_logging",
    "gen_log",
]

access_log = logging.getLogger("gustnado.access")
"""A line for each request that a server answered."""

app_log = logging.getLogger("gustnado.application")
"""Errors of the program."""

gen_log = logging.getLogger("gustnado.general")
"""Everything else."""


def _stderr_supports_color() -> bool:
    """Whether stderr is a terminal with colours. Never raises: a log without colours beats none."""
    try:
        if not sys.stderr.isatty():
            return False
        if "colorama" in sys.modules:  # on old Windows, if the program initialized it
            initialise = sys.modules["colorama"].initialise
            return sys.stderr is getattr(initialise, "wrapped_stderr", None)
        import curses  # only where there is a terminal: it is absent on Windows

        curses.setupterm()
        return curses.tigetnum("colors") > 0
    except Exception:  # curses.error is no name without curses, and stderr may be anything
        return False


def _terminal_colors(colors: Mapping[int, int]) -> tuple[dict[int, str], str]:
    """What to send to the terminal for each level, and to get back to normal."""
    try:
        import curses
    except ImportError:
        return {level: f"\033[2;3{code}m" for level, code in colors.items()}, "\033[0m"
    set_color = curses.tigetstr("setaf") or curses.tigetstr("setf") or b""
    normal = curses.tigetstr("sgr0") or b""
    sequences = {level: curses.tparm(set_color, code).decode("ascii") for level, code in colors.items()}
    return sequences, normal.decode("ascii")


class LogFormatter(logging.Formatter):
    """One line a record, coloured by level on a terminal; more lines of a message or traceback are indented.

    So a line that begins at the margin is always the beginning of a record.

    :param fmt: format; besides the usual attributes it may use ``%(color)s`` and ``%(end_color)s``.
    :param datefmt: `time.strftime` format of ``%(asctime)s``.
    :param style: ``%``, ``{`` or ``$``, as in `logging.Formatter`.
    :param color: use colours if stderr is a terminal that has them.
    :param colors: colour number of each level.
    """

    DEFAULT_FORMAT = "%(color)s[%(levelname)1.1s %(asctime)s %(module)s:%(lineno)d]%(end_color)s %(message)s"
    DEFAULT_DATE_FORMAT = "%y%m%d %H:%M:%S"
    DEFAULT_COLORS: Mapping[int, int] = {
        logging.DEBUG: 4,  # blue
        logging.INFO: 2,  # green
        logging.WARNING: 3,  # yellow
        logging.ERROR: 1,  # red
        logging.CRITICAL: 5,  # magenta
    }

    def __init__(
        self,
        fmt: str = DEFAULT_FORMAT,
        datefmt: str = DEFAULT_DATE_FORMAT,
        style: Literal["%", "{", "$"] = "%",
        color: bool = True,
        colors: Mapping[int, int] = DEFAULT_COLORS,
    ) -> None:
        super().__init__(fmt, datefmt, style, validate=False)
        self._colors: dict[int, str] = {}
        self._normal = ""
        if color and _stderr_supports_color():
            self._colors, self._normal = _terminal_colors(colors)

    def format(self, record: logging.LogRecord) -> str:
        """The record as text. A message that does not fit its arguments is shown with the error."""
        try:
            record.message = record.getMessage()
        except Exception as error:  # an argument's __str__ may raise anything
            record.message = f"Message that cannot be formatted ({error!r}): {record.__dict__!r}"
        record.asctime = self.formatTime(record, self.datefmt)
        color = self._colors.get(record.levelno)
        record.color = color or ""
        record.end_color = self._normal if color else ""
        text = self.formatMessage(record)
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        for more in (record.exc_text, record.stack_info):
            if more:
                text = f"{text.rstrip()}\n{more}"
        return text.replace("\n", "\n    ")


def enable_pretty_logging(options: Any = None, logger: logging.Logger | None = None) -> None:
    """Sets the level and adds the handlers that the options ask for.

    :param options: an object with the attributes of `define_logging_options`; default: the global options.
    :param logger: default: the root logger.
    :raises ValueError: if ``log_rotate_mode`` is neither ``size`` nor ``time``.
    """
    if options is None:
        from gustnado.options import options
    if options.logging is None or options.logging.lower() == "none":
        return
    if logger is None:
        logger = logging.getLogger()
    logger.setLevel(options.logging.upper())
    if options.log_file_prefix:
        to_file = _file_handler(options)
        to_file.setFormatter(LogFormatter(color=False))
        logger.addHandler(to_file)
    if options.log_to_stderr or (options.log_to_stderr is None and not logger.handlers):
        to_stderr = logging.StreamHandler()
        to_stderr.setFormatter(LogFormatter())
        logger.addHandler(to_stderr)


def _file_handler(options: Any) -> logging.Handler:
    import logging.handlers as handlers  # slow to import

    if options.log_rotate_mode == "size":
        return handlers.RotatingFileHandler(
            options.log_file_prefix,
            maxBytes=options.log_file_max_size,
            backupCount=options.log_file_num_backups,
            encoding="utf-8",
        )
    if options.log_rotate_mode == "time":
        return handlers.TimedRotatingFileHandler(
            options.log_file_prefix,
            when=options.log_rotate_when,
            interval=options.log_rotate_interval,
            backupCount=options.log_file_num_backups,
            encoding="utf-8",
        )
    raise ValueError(f"log_rotate_mode must be 'size' or 'time', not {options.log_rotate_mode!r}")


def define_logging_options(options: Any = None) -> None:
    """Defines the options that `enable_pretty_logging` reads, and calls it when parsing has ended.

    :param options: an `gustnado.options.OptionParser`; the global one has them already.
    """
    if options is None:
        from gustnado.options import options
    options.define(
        "logging",
        default="info",
        help="Lowest level of messages that are logged; 'none' leaves the logging module alone.",
        metavar="debug|info|warning|error|none",
    )
    options.define(
        "log_to_stderr",
        type=bool,
        default=None,
        help="Log to stderr, in colour on a terminal. Default: if nothing else is set up to take the log.",
    )
    options.define(
        "log_file_prefix",
        type=str,
        default=None,
        metavar="PATH",
        help="Log to this file; rotated ones have names that begin with it. Each process needs its own.",
    )
    options.define(
        "log_file_max_size", type=int, default=100_000_000, help="rotate log files of that many bytes"
    )
    options.define("log_file_num_backups", type=int, default=10, help="number of rotated log files to keep")
    options.define(
        "log_rotate_when",
        type=str,
        default="midnight",
        help="unit of rotation by time: 'S', 'M', 'H', 'D', 'W0' to 'W6', or 'midnight'",
    )
    options.define(
        "log_rotate_interval", type=int, default=1, help="units from one rotation by time to another"
    )
    options.define("log_rotate_mode", type=str, default="size", help="rotate log files by 'size' or 'time'")
    options.add_parse_callback(lambda: enable_pretty_logging(options))
