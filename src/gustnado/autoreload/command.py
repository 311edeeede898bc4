"""``python -m gustnado.autoreload``: runs a program again and again."""

from __future__ import annotations

import os
import runpy
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from types import TracebackType

from gustnado.autoreload.process import reloader, wait_saying, watch

__all__ = ["HELP", "main"]

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
"""What ``--help`` shows."""


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
        wait_saying(f"python -m gustnado.autoreload: exit status {status}; waiting for a change\n")
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
            if os.path.isfile(path) and reloader.files.is_own(path):
                watch(path)
        error = error.__cause__ or error.__context__
