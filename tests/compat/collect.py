"""Runs a module of Tornado's tests, and writes what became of each test as a line of JSON.

To be run as ``python collect.py MODULE FILE SECONDS listed|others [TEST ...]`` where ``tornado`` is Gustnado: the
tests that are named, or all others; ends after so many seconds. Tests that are known to fail run in a process of
their own, as they may leave anything behind. Logs and warnings are as Tornado's own runner has them: what is logged
at INFO or above goes to stderr, where there must be nothing in the end, and warnings of these modules are errors.
"""

from __future__ import annotations

import faulthandler
import importlib
import json
import logging
import sys
import unittest
import warnings

# Parts of Tornado's modules that are nobody else's business, and that a module of tests imports at its head.
# Here they are there, so that the other tests of the module run; the tests that use one fail, and say so.
PRIVATE = {
    "tornado.iostream": ["_StreamBuffer"],
    "tornado.websocket": [
        "_DecompressTooLargeError",
        "_PerMessageDeflateCompressor",
        "_PerMessageDeflateDecompressor",
    ],
}


class PrivatePart:
    """Stands for one of them."""

    def __init__(self, name):
        self._name = name

    def __call__(self, *args, **kwargs):
        raise AssertionError(f"{self._name} is a private part of Tornado")

    __getattr__ = __call__


def add_private_parts():
    for module, names in PRIVATE.items():
        for name in names:
            setattr(importlib.import_module(module), name, PrivatePart(f"{module}.{name}"))


class Recorder(unittest.TestResult):
    """Writes an outcome as soon as it is known, so that a crash shows what ran."""

    def __init__(self, file):
        super().__init__()
        self._file = file

    def record(self, test, outcome, text=""):
        """Write a line."""
        self._file.write(json.dumps([test.id(), outcome, text]) + "\n")
        self._file.flush()

    def addSuccess(self, test):
        self.record(test, "passed")

    def addExpectedFailure(self, test, err):
        self.record(test, "passed")

    def addSkip(self, test, reason):
        self.record(test, "skipped", reason)

    def addError(self, test, err):
        self.record(test, "failed", self._exc_info_to_string(err, test))

    def addFailure(self, test, err):
        self.record(test, "failed", self._exc_info_to_string(err, test))

    def addUnexpectedSuccess(self, test):
        self.record(test, "failed", "it should have failed")

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.record(test, "failed", f"{subtest}\n{self._exc_info_to_string(err, test)}")


def filter_warnings():
    warnings.filterwarnings("error")
    for kind in (ImportWarning, DeprecationWarning, PendingDeprecationWarning):
        warnings.filterwarnings("ignore", category=kind)
    for kind in (DeprecationWarning, PendingDeprecationWarning):
        warnings.filterwarnings("error", category=kind, module=r"(gustnado|tornado)\..*")


def tests_of(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from tests_of(test)
        else:
            yield test


def main(module, path, seconds, which, *listed):
    faulthandler.dump_traceback_later(float(seconds), exit=True)
    filter_warnings()
    add_private_parts()
    logging.basicConfig(level=logging.INFO)
    logging.getLogger("tornado.access").setLevel(logging.CRITICAL)
    found = tests_of(unittest.defaultTestLoader.loadTestsFromName(module))
    chosen = [test for test in found if (test.id() in listed) == (which == "listed")]
    with open(path, "w", encoding="utf-8") as file:
        recorder = Recorder(file)
        for test in chosen:
            recorder.record(test, "found")
        unittest.TestSuite(chosen).run(recorder)


if __name__ == "__main__":
    main(*sys.argv[1:])
