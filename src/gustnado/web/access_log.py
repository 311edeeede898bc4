"""An access log of its own format, in a file of its own.

::

    log = AccessLog("access.log", "combined")
    app = Application(routes, log_function=log)

Without it each request is a record of the logger ``gustnado.access``, which costs more, and says less. Formats are
told in :mod:`gustnado.web.access_format`, what becomes of the lines in :mod:`gustnado.events.log_file`.
"""

from __future__ import annotations

import os
from typing import Any

from gustnado.events.log_file import LogFile
from gustnado.log import app_log
from gustnado.web.access_format import compile_format

__all__ = ["AccessLog"]


class AccessLog:
    """Writes a line for each request: a ``log_function`` for an application.

    :param path: the file, which is appended to; several processes may share it. ``"-"`` is standard output.
    :param format: a format, or the name of one.
    :raises OSError: where the file cannot be opened.
    :raises gustnado.web.access_format.AccessFormatError: where the format cannot be understood.
    """

    def __init__(self, path: str | os.PathLike[str], format: str = "default") -> None:
        self._line = compile_format(format)
        self.file = LogFile(path)
        self._write = self.file.write

    def __call__(self, handler: Any) -> None:
        """Write the line of ``handler``, which has finished. What goes wrong is logged, and costs its line only."""
        try:
            line = self._line(handler)
        except Exception:
            app_log.error("The access log has no line for %r", handler, exc_info=True)
        else:
            self._write(line)

    def reopen(self) -> None:
        """Open the file anew, as after logrotate has moved it."""
        self.file.reopen()

    def close(self) -> None:
        """Write what there is, and close the file. It is done when Python exits, too."""
        self.file.close()
