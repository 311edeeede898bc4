"""The one watcher of a process: a thread that looks at the files, and the restart on the event loop."""

from __future__ import annotations

import atexit
import importlib.util
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from gustnado.autoreload.files import Files
from gustnado.errors import UsageError
from gustnado.events.loop import IOLoop
from gustnado.log import app_log, gen_log
from gustnado.util import import_object

__all__ = ["MODE_VARIABLE", "Reloader"]

MODE_VARIABLE = "GUSTNADO_AUTORELOAD"
"""Environment variable that says how files are watched: ``events`` (of watchfiles), ``poll``, or empty."""

# Seconds between two looks of watchfiles' own at what the system has told it.
_STEP = 0.2

_Watch: TypeAlias = Callable[..., Iterator[set[Any]]]


class Reloader:
    """The one watcher of this process."""

    def __init__(self) -> None:
        self.files = Files()
        self.hooks: list[Callable[[], object]] = []
        self._directory = _current_directory()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._io_loop: IOLoop | None = None
        self._changed: str | None = None
        self._tried = False

    def start(self, seconds: float, io_loop: IOLoop) -> None:
        """Watch in a thread, unless one does already; restart on ``io_loop``.

        :param seconds: from one look to the next, or to the next count of modules.
        """
        by_events = _by_events()
        with self._lock:
            self._io_loop = io_loop
            if self._changed is not None:
                io_loop.add_callback(self.reload)
            elif self._thread is None or not self._thread.is_alive():  # it does not survive a fork
                self.files.changed()
                self._thread = threading.Thread(
                    target=self._run, args=(seconds, by_events), name="gustnado-autoreload", daemon=True
                )
                self._thread.start()
                atexit.register(self._end, self._thread)

    def _end(self, thread: threading.Thread) -> None:
        """At exit: a thread inside of watchfiles must not outlive the interpreter."""
        self._ended.set()
        while thread.is_alive():
            try:
                thread.join()
            except KeyboardInterrupt:
                continue  # it ends, and so does the program

    def _run(self, seconds: float, by_events: bool) -> None:
        changed = None
        if by_events:
            try:
                changed = self.wait_for_events(import_object("watchfiles.watch"), seconds)
            except Exception as error:  # the system's or watchfiles' own, as when there are too many watches
                gen_log.warning("no file events (%s): looking every %g s", error, seconds)
        changed = changed or self.poll(seconds)
        if changed is not None:
            self._ask_for_reload(changed)

    def poll(self, seconds: float) -> str | None:
        """Look every ``seconds`` until a file has changed, which is returned, or the program ends."""
        while not self._ended.wait(seconds):
            changed = self.files.changed()
            if changed is not None:
                return changed
        return None

    def wait_for_events(self, watch: _Watch, seconds: float) -> str | None:
        """As ``poll``, but look only when ``watch`` tells of something or modules have been imported."""
        # It logs each event: one more event, where the log is in a watched directory.
        _quiet("watchfiles")
        while not self._ended.is_set():
            directories = self.files.directories()
            known = None  # a first look in any case, at what happened before it listened
            for events in watch(
                *directories,
                watch_filter=None,
                recursive=False,
                step=int(min(_STEP, seconds) * 1000) or 1,
                debounce=int(4 * _STEP * 1000),
                rust_timeout=int(seconds * 1000) or 1,
                yield_on_timeout=True,
                stop_event=self._ended,
            ):
                if not events and known == self.files.extent():
                    continue
                known = self.files.extent()
                changed = self.files.changed()
                if changed is not None:
                    return changed
                if self.files.directories() != directories:
                    break
        return None

    def _ask_for_reload(self, path: str) -> None:
        gen_log.info("%s modified; restarting server", path)
        with self._lock:
            self._changed = path
            io_loop = self._io_loop
        if io_loop is not None:
            io_loop.add_callback(self.reload)
        if io_loop is None or not io_loop.asyncio_loop.is_running():
            # An Application that was made before asyncio.run() knew nothing of its loop.
            IOLoop.instance().add_callback(self.reload)

    def reload(self) -> None:
        """Call the hooks and restart. It is tried once."""
        if self._tried:
            return
        self._tried = True
        for hook in self.hooks:
            try:
                hook()
            except Exception:
                app_log.error("Exception in reload hook %r", hook, exc_info=True)
        for stream in (sys.stdout, sys.stderr):
            if stream is not None and not stream.closed:
                stream.flush()
        try:
            os.chdir(self._directory)
            _execute([sys.executable, *sys.orig_argv[1:]])
        except OSError as error:
            gen_log.error("cannot restart: %s", error)


def _by_events() -> bool:
    mode = os.environ.get(MODE_VARIABLE, "")
    if mode not in ("", "events", "poll"):
        raise UsageError(f"environment variable {MODE_VARIABLE}: {mode!r} is neither 'events' nor 'poll'")
    installed = "watchfiles" in sys.modules or importlib.util.find_spec("watchfiles") is not None
    if mode == "events" and not installed:
        raise UsageError(
            f"environment variable {MODE_VARIABLE}: events need watchfiles; pip install 'gustnado[reload]'"
        )
    return installed and mode != "poll"


def _quiet(name: str) -> None:
    """Have a library log only what a program must know, unless its logger was configured."""
    logger = logging.getLogger(name)
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.WARNING)


def _current_directory() -> str:
    try:
        return os.getcwd()
    except OSError:  # it has been removed
        return os.curdir


def _execute(command: list[str]) -> None:
    """Replace this process."""
    if sys.platform == "win32":  # where execv starts another process, and does not quote its arguments
        subprocess.Popen(command)
        os._exit(0)
    signal.setitimer(signal.ITIMER_REAL, 0)  # timers survive, and their signal would end the new program
    os.execv(command[0], command)
