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

import atexit
import importlib.util
import logging
import os
import runpy
import signal
import site
import subprocess
import sys
import sysconfig
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType, TracebackType
from typing import Any, TypeAlias

from gustnado.errors import UsageError
from gustnado.events.loop import IOLoop
from gustnado.events.process import task_id
from gustnado.log import app_log, gen_log
from gustnado.util import import_object

__all__ = ["MODE_VARIABLE", "add_reload_hook", "main", "start", "wait", "watch"]

MODE_VARIABLE = "GUSTNADO_AUTORELOAD"
"""Environment variable that says how files are watched: ``events`` (of watchfiles), ``poll``, or empty."""

HELP = """\
usage: python -m gustnado.autoreload [--until-success] FILE [ARGUMENT ...]
       python -m gustnado.autoreload [--until-success] -m MODULE [ARGUMENT ...]

Run a program, and run it again whenever one of its files changes: also when it has ended, and when
it could not even start, because of a syntax error or a missing module. FILE (a script, or a directory
or zip file with a __main__.py) or MODULE gets the arguments after it. Ctrl-C ends it.

  --until-success  end, too, when the program ends well (status 0): for tests that are to pass
  -m MODULE        run a module or package by its name, as `python -m MODULE` does
  -h, --help       show this text

A change is seen while the program runs if it asks for that, as Application(debug=True) does; else as
soon as it has ended. Its own modules are watched, and what it gives to gustnado.autoreload.watch().

examples:
  python -m gustnado.autoreload server.py --port=8888
  python -m gustnado.autoreload --until-success -m unittest

environment:
  GUSTNADO_AUTORELOAD=poll    look at the files again and again, where file systems tell no changes
  GUSTNADO_AUTORELOAD=events  insist on being told, by watchfiles: pip install 'gustnado[reload]'

exit status: 0 after success with --until-success; 130 after Ctrl-C; 2 if there is no program to run.
"""

# Seconds between two looks of watchfiles' own at what the system has told it.
_STEP = 0.2

_Signature: TypeAlias = tuple[int, int]
_Watch: TypeAlias = Callable[..., Iterator[set[Any]]]


def start(check_time: float = 500, *, io_loop: IOLoop | None = None) -> None:
    """Begin to watch, and restart the program when a file changes. In a worker process it does nothing.

    The loop need not run yet. Another call only says on which loop the restart will happen.

    :param check_time: milliseconds from one look at the files to the next, where they are polled; and
        until newly imported ones are noticed, otherwise.
    :param io_loop: where the restart happens; by default the current one.
    :raises ValueError: where ``check_time`` is not positive.
    :raises gustnado.errors.UsageError: where the environment asks for what there is not.
    """
    if not check_time > 0:
        raise ValueError("check_time must be positive")
    if task_id() is None:
        _reloader.start(check_time / 1000, io_loop or IOLoop.current())


def wait() -> None:
    """Wait for a change, then restart the program: for the end of scripts, such as those that run tests.

    :raises KeyboardInterrupt: on Ctrl-C.
    """
    _wait("")


def watch(filename: str | os.PathLike[str]) -> None:
    """Watch one more file, or all files below a directory but hidden ones.

    A file may be missing; that it appears is a change. One that appears in a directory is none.
    """
    _reloader.files.add(filename)


def add_reload_hook(fn: Callable[[], object]) -> None:
    """Have ``fn`` called before each restart, after those added earlier. What it raises is logged.

    Files and sockets need none, unless they were made inheritable: they are closed anyway.
    """
    _reloader.hooks.append(fn)


class _Files:
    """What is watched, and what each file was like when it was first seen."""

    def __init__(self) -> None:
        self._named: dict[str, None] = {}
        self._modules: dict[str, str | None] = {}
        self._trees: set[str] = set()
        self._signatures: dict[str, _Signature | None] = {}
        self._others = _installed()

    def add(self, path: str | os.PathLike[str]) -> None:
        self._named[os.path.abspath(path)] = None

    def extent(self) -> tuple[int, int]:
        """What grows when there is something new to watch; cheap."""
        return len(sys.modules), len(self._named)

    def changed(self) -> str | None:
        """Look at all files: the path of one that changed, if any. What is new is taken as it is."""
        for path in self._paths():
            now = _signature(path)
            before = self._signatures.setdefault(path, now)
            if now is not None and now != before:
                return path
        return None

    def directories(self) -> set[str]:
        """Where a change must be looked for: all there are that hold a watched file or will hold one."""
        found = set(self._trees)
        for path in self._signatures:
            found.add(os.path.dirname(path))
            if os.path.islink(path):
                found.add(os.path.dirname(os.path.realpath(path)))
        return {_existing(path) for path in found}

    def is_own(self, path: str) -> bool:
        """Whether a file is neither the standard library's nor an installed package's."""
        return not os.path.normcase(path).startswith(self._others)

    def _paths(self) -> Iterator[str]:
        yield from self._module_paths()
        for path in list(self._named):
            if os.path.isdir(path):
                yield from self._below(path)
            else:
                yield path

    def _module_paths(self) -> Iterator[str]:
        for module in list(sys.modules.values()):
            file = _file_of(module)
            if file is not None and file not in self._modules:
                path = os.path.abspath(file)
                self._modules[file] = path if self.is_own(path) else None
        yield from filter(None, self._modules.values())

    def _below(self, root: str) -> Iterator[str]:
        for directory, directories, files in os.walk(root):
            directories[:] = [name for name in directories if not _is_hidden(name)]
            self._trees.add(directory)
            yield from (os.path.join(directory, name) for name in files if not _is_hidden(name))


def _installed() -> tuple[str, ...]:
    """The directories of the standard library and of installed packages, each with a slash at its end."""
    paths = sysconfig.get_paths()
    found = {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    found.update(site.getsitepackages(), [site.getusersitepackages()])
    found |= {os.path.realpath(path) for path in found}
    return tuple(os.path.normcase(os.path.join(path, "")) for path in found)


def _file_of(module: object) -> str | None:
    """The source file, or extension, that a module was made from."""
    if not isinstance(module, ModuleType):
        return None
    # Not by getattr: that would load a lazy module, or ask a module's own __getattr__.
    file = object.__getattribute__(module, "__dict__").get("__file__")
    if not isinstance(file, str):
        return None
    return file[:-1] if file.endswith((".pyc", ".pyo")) else file


def _signature(path: str) -> _Signature | None:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_size


def _existing(path: str) -> str:
    """A directory, or the nearest one above it that there is."""
    while not os.path.isdir(path) and os.path.dirname(path) != path:
        path = os.path.dirname(path)
    return path


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.endswith("~") or name == "__pycache__"


class _Reloader:
    """The one watcher of this process."""

    def __init__(self) -> None:
        self.files = _Files()
        self.hooks: list[Callable[[], object]] = []
        self._directory = _current_directory()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._io_loop: IOLoop | None = None
        self._changed: str | None = None
        self._tried = False

    def start(self, seconds: float, io_loop: IOLoop) -> None:
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


def _wait(said: str) -> None:
    """Wait, and say something as soon as no change will be missed."""
    io_loop = IOLoop()
    try:
        start(io_loop=io_loop)
        sys.stderr.write(said)
        io_loop.start()
    finally:
        io_loop.close()


def _reload() -> None:
    _reloader.reload()


# Tornado's functions are those of the process, and so is what they share.
_reloader = _Reloader()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a program again and again; this is what ``python -m gustnado.autoreload`` does.

    :param arguments: those of the command line; ``None``: ``sys.argv[1:]``.
    :returns: the exit status.
    """
    rest = list(sys.argv[1:] if arguments is None else arguments)
    until_success = rest[:1] == ["--until-success"]
    match rest[until_success:]:
        case ["-h" | "--help", *_]:
            sys.stdout.write(HELP)
            return 0
        case ["-m", name, *rest]:
            return _repeat(lambda: _run_module(name, rest), until_success)
        case ["-m"]:
            return _refuse("-m needs the name of a module")
        case [option, *_] if option.startswith("-"):
            return _refuse(f"no such option: {option}")
        case [file, *rest] if os.path.exists(file):
            return _repeat(lambda: _run_file(file, rest), until_success)
        case [file, *_]:
            return _refuse(f"no file {file}")
        case _:
            return _refuse("which program?")


def _refuse(message: str) -> int:
    sys.stderr.write(f"python -m gustnado.autoreload: {message}; --help says more\n")
    return 2


def _repeat(run: Callable[[], None], until_success: bool) -> int:
    """Run the program, then wait for a change, upon which all begins anew."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    status = _status_of(run)
    if until_success and status == 0:
        return 0
    for number, handler in handlers.items():  # those of the program would stop what has stopped already
        signal.signal(number, handler)
    try:
        _wait(f"python -m gustnado.autoreload: exit status {status}; waiting for a change\n")
    except KeyboardInterrupt:
        pass
    return 128 + signal.SIGINT


def _status_of(run: Callable[[], None]) -> int:
    """The exit status that the program would have. Its error is shown, and the files to blame are watched."""
    try:
        run()
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        sys.stderr.write(f"{end.code}\n")
        return 1
    except Exception as error:
        traceback.print_exception(type(error), error, _own_part(error.__traceback__))
        _watch_culprits(error)
        return 1
    return 0


def _run_module(name: str, arguments: list[str]) -> None:
    sys.argv[:] = [name, *arguments]
    _watch_module(name, sys.path)
    runpy.run_module(name, run_name="__main__", alter_sys=True)


def _run_file(file: str, arguments: list[str]) -> None:
    sys.argv[:] = [file, *arguments]
    is_directory = os.path.isdir(file)
    watch(os.path.join(file, "__main__.py") if is_directory else file)
    if not is_directory and not sys.flags.safe_path:
        # As for `python FILE`; the current directory, which is there because of `python -m`, stays.
        sys.path.insert(0, os.path.dirname(os.path.realpath(file)))
    runpy.run_path(file, run_name="__main__")


def _watch_module(name: str, places: Sequence[str]) -> None:
    """Watch all files that a module may be in: it may be missing, or not get as far as ``sys.modules``."""
    for place in filter(os.path.isdir, places):
        path = os.path.join(place, *name.split("."))
        for file in (f"{path}.py", os.path.join(path, "__init__.py"), os.path.join(path, "__main__.py")):
            watch(file)


def _own_part(trace: TracebackType | None) -> TracebackType | None:
    """A traceback without what led to the program's first line; all of it where nothing else is there."""
    rest = trace
    while rest is not None and rest.tb_frame.f_globals.get("__name__") in (__name__, "runpy"):
        rest = rest.tb_next
    return rest


def _watch_culprits(error: BaseException | None) -> None:
    """Watch the files that an error may be repaired in."""
    while error is not None:
        files = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(error.__traceback__)]
        if isinstance(error, SyntaxError) and error.filename is not None:
            files.append(error.filename)
        if isinstance(error, ImportError) and error.path is not None:
            files.append(error.path)
        if isinstance(error, ModuleNotFoundError) and error.name is not None:
            _watch_module(error.name, sys.path)
        for path in map(os.path.abspath, files):
            if os.path.isfile(path) and _reloader.files.is_own(path):
                watch(path)
        error = error.__cause__ or error.__context__


if __name__ == "__main__":
    # By its name, so that the program which it runs finds this module, and not a second one.
    from gustnado import autoreload

    sys.exit(autoreload.main())
