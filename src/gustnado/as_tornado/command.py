"""``python -m gustnado.as_tornado``: runs a program as ``python`` would, on Gustnado."""

from __future__ import annotations

import importlib.util
import os
import pkgutil
import runpy
import shlex
import sys
from collections.abc import Sequence
from types import ModuleType

from gustnado.as_tornado.finder import Alias
from gustnado.as_tornado.process import SWITCH, environment, install

__all__ = ["main"]

HELP = """\
usage: python -m gustnado.as_tornado [--no-children] FILE [ARGUMENT ...]
       python -m gustnado.as_tornado [--no-children] -m MODULE [ARGUMENT ...]
       python -m gustnado.as_tornado [--no-children] -c CODE [ARGUMENT ...]
       python -m gustnado.as_tornado --environment

Run a Tornado program on Gustnado: `import tornado` means `gustnado.tornado`, in the program and in
every library that it imports. Nothing else changes: FILE (a script, or a directory or zip file with
a __main__.py), MODULE or CODE runs as it would with `python`, and gets the arguments after it; only
sys.argv[0] of a FILE is always a full path. Python processes that the program starts are on
Gustnado, too: they find GUSTNADO_AS_TORNADO=1 and a directory of ours in PYTHONPATH.

  -m MODULE      run a module or package by its name, as `python -m MODULE` does
  -c CODE        run a program that is given here, as `python -c CODE` does
  --no-children  processes that the program starts have the Tornado that is installed
  --environment  print the two variables, for the environment of any Python program
  -h, --help     show this text

examples:
  python -m gustnado.as_tornado server.py --port=8888
  python -m gustnado.as_tornado -m jupyterlab
  python -m gustnado.as_tornado -m unittest tornado.test.escape_test
  eval "$(python -m gustnado.as_tornado --environment) jupyter lab"

exit status: the program's; 2 if there is no program to run.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a program on the face; this is what ``python -m gustnado.as_tornado`` does.

    :param arguments: those of the command line; ``None``: ``sys.argv[1:]``.
    :returns: the exit status, where the program itself does not exit.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    children = given[:1] != ["--no-children"]
    match given if children else given[1:]:
        case ["-h" | "--help", *_]:
            sys.stdout.write(HELP)
            return 0
        case ["--environment"]:
            return _print_environment()
        case ["-m", name, *rest]:
            return _run_module(name, rest, children)
        case ["-c", code, *rest]:
            return _run_code(code, rest, children)
        case ["-m" | "-c" as option]:
            return _refuse(f"{option} needs {'the name of a module' if option == '-m' else 'a program'}")
        case [option, *_] if option.startswith("-"):
            return _refuse(f"no such option: {option}")
        case [file, *rest]:
            return _run_file(file, rest, children)
        case _:
            return _refuse("which program?")


def _refuse(message: str) -> int:
    sys.stderr.write(f"python -m gustnado.as_tornado: {message}; --help says more\n")
    return 2


def _print_environment() -> int:
    """As words of a shell, in one line: to go before a command, or after ``export``."""
    variables = environment()
    words = [f"{name}={shlex.quote(variables[name])}" for name in (SWITCH, "PYTHONPATH")]
    sys.stdout.write(" ".join(words) + "\n")
    return 0


def _install(children: bool) -> None:
    install(children=children)
    if not children:
        os.environ[SWITCH] = "0"


def _run_module(name: str, arguments: list[str], children: bool) -> int:
    _install(children)
    if not _is_runnable(name):
        return _refuse(f"no module named {name} that can be run")
    sys.argv[:] = [name, *arguments]
    runpy.run_module(name, run_name="__main__", alter_sys=True)
    return 0


def _is_runnable(name: str) -> bool:
    """Whether there is a module of that name, or a package with a ``__main__``."""
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(f"{name}.__main__")
        if spec is not None and isinstance(spec.loader, Alias):
            return spec.loader.program() is not None
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise  # a package above it is there, and lacks something else
        return False
    return spec is not None


def _run_code(code: str, arguments: list[str], children: bool) -> int:
    _install(children)
    sys.argv[:] = ["-c", *arguments]
    if not sys.flags.safe_path:
        sys.path[0] = ""  # the current directory, wherever that is: `python -m` has put its full path there
    # In the place of this command, for good, as with Python: threads and exit functions may still look for it.
    program = sys.modules["__main__"] = ModuleType("__main__")
    vars(program)["__builtins__"] = __builtins__
    exec(compile(code, "<string>", "exec", dont_inherit=True), vars(program))
    return 0


def _run_file(file: str, arguments: list[str], children: bool) -> int:
    if not os.path.exists(file):
        return _refuse(f"no file {file}")
    if os.path.isdir(file) and not os.path.exists(os.path.join(file, "__main__.py")):
        return _refuse(f"no __main__.py in {file}")
    _install(children)
    path = os.path.join(os.getcwd(), file)  # as Python makes __file__; runpy makes it sys.argv[0], too
    sys.argv[:] = [path, *arguments]
    if not sys.flags.safe_path:
        # What stands there is the current directory, because of `python -m`.
        is_script = pkgutil.get_importer(path) is None
        sys.path[:1] = [os.path.dirname(os.path.realpath(path))] if is_script else []
    runpy.run_path(path, run_name="__main__")
    return 0
