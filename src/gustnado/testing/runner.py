"""Running tests from the command line, with the options of `gustnado.options` beside unittest's."""

from __future__ import annotations

import contextlib
import signal
import sys
import unittest
from typing import Any, TypeVar

from gustnado.options import define, options, parse_command_line

__all__ = ["main", "run", "setup_with_context_manager"]

T = TypeVar("T")

# Our options that stand for arguments of unittest.main.
UNITTEST_OPTIONS = {
    "verbose": ("verbosity", 2),
    "quiet": ("verbosity", 0),
    "failfast": ("failfast", True),
    "catch": ("catchbreak", True),
    "buffer": ("buffer", True),
}


def setup_with_context_manager(testcase: unittest.TestCase, cm: contextlib.AbstractContextManager[T]) -> T:
    """Enter ``cm`` now, in ``setUp``, and leave it when the test is over.

    :returns: what entering gave.
    """
    return testcase.enterContext(cm)


def main(**kwargs: Any) -> None:
    """Run tests and exit, as `unittest.main` does, with log and options of this package.

    The tests are those that the command line names (``package.module.Class.method``, or less), else what the
    function ``all()`` of the program returns. Options: ``--verbose --quiet --failfast --catch --buffer`` for
    unittest, ``--exception_on_interrupt=false`` to be killed by Ctrl-C, and all that the program defined.

    :param kwargs: go on to `unittest.main`.
    """
    run(names_required=False, **kwargs)


def run(*, names_required: bool, **kwargs: Any) -> int:
    """The work of :func:`main`.

    :param names_required: say that there are no tests where the command line names none.
    :returns: the exit status, where unittest does not exit itself.
    """
    _define_options()
    arguments = [sys.argv[0], *parse_command_line(sys.argv)]
    if not options.exception_on_interrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    for name, (argument, value) in UNITTEST_OPTIONS.items():
        if getattr(options, name):
            kwargs[argument] = value
    if len(arguments) > 1:
        # Without a module, unittest looks names up from the top.
        unittest.main(module=None, argv=arguments, **kwargs)
    elif names_required:
        sys.stderr.write("No tests specified: name modules, classes or methods, by their full names\n")
        return 2
    else:
        unittest.main(defaultTest="all", argv=arguments, **kwargs)
    return 0


def _define_options() -> None:
    define(
        "exception_on_interrupt",
        type=bool,
        default=True,
        help="Ctrl-C raises KeyboardInterrupt; if false, it kills the process, whatever that is doing",
    )
    for name in UNITTEST_OPTIONS:
        define(name, type=bool, help=f"as unittest's --{name}")
