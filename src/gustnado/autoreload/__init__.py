"""Restarts the program when one of its files changes: for the time of development.

``Application(debug=True)`` or ``Application(autoreload=True)`` calls :func:`start`. On the command line::

    python -m gustnado.autoreload [--until-success] server.py --port=8888
    python -m gustnado.autoreload [--until-success] -m unittest

runs a program and runs it again when its files change, also after it has ended, and after an error that
kept it from starting. Both together do most: the one sees changes while the program runs, the other is
there when it cannot.

**What is watched.** The files of all imported modules but those of the standard library and of installed
packages (one that is installed editable lies elsewhere, and counts as the program's own), and what
:func:`watch` adds. A file counts from when it is first seen, so what is imported later is watched, too. It
has changed when its time or its length has; one that is gone may come back.

**How.** One thread per process looks at the files. Where watchfiles is installed (the extra ``reload``), the
system tells it when; between, it only counts the imported modules, now and then. Else it looks every
``check_time``. The environment variable :data:`MODE_VARIABLE` chooses: ``events``, ``poll``, or empty.

**The restart.** The thread only asks for it; it happens on the event loop, or on the main one where that of
:func:`start` does not run. The hooks are called, then Python replaces itself: the same process, interpreter
options, arguments, environment and directory as at its start. What is not inheritable is closed by that, as
are all sockets and files that Python opens; requests under way are lost. Windows gets a new process instead.

Workers of ``fork_processes`` do not watch: all would restart, and each would fork again.

>>> watch("settings.toml")
>>> add_reload_hook(lambda: None)
"""

from __future__ import annotations

from gustnado.autoreload.command import main
from gustnado.autoreload.process import _reload as _reload
from gustnado.autoreload.process import add_reload_hook, start, wait, watch
from gustnado.autoreload.reloader import MODE_VARIABLE

__all__ = ["MODE_VARIABLE", "add_reload_hook", "main", "start", "wait", "watch"]
