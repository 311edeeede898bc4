"""Runs a module of Tornado's tests, and writes what became of each test as a line of JSON.

To be run as ``python collect.py MODULE FILE SECONDS`` where ``tornado`` is Gustnado; ends after so many seconds.
Logs and warnings are as Tornado's own runner has them: what is logged at INFO or above goes to stderr, where
there must be nothing in the end, and warnings of these modules are errors.
"""

from __future__ import annotations

import faulthandler
import json
import logging
import sys
import unittest
import warnings


class Recorder(unittest.TestResult):
    """Writes an outcome as soon as it is known, so that a crash shows what ran."""

    def __init__(self, file):
        super().__init__()
        self._file = file

    def _record(self, test, outcome, text=""):
        self._file.write(json.dumps([test.id(), outcome, text]) + "\n")
        self._file.flush()

    def addSuccess(self, test):
        self._record(test, "passed")

    def addExpectedFailure(self, test, err):
        self._record(test, "passed")

    def addSkip(self, test, reason):
        self._record(test, "skipped", reason)

    def addError(self, test, err):
        self._record(test, "failed", self._exc_info_to_string(err, test))

    def addFailure(self, test, err):
        self._record(test, "failed", self._exc_info_to_string(err, test))

    def addUnexpectedSuccess(self, test):
        self._record(test, "failed", "it should have failed")

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self._record(test, "failed", f"{subtest}\n{self._exc_info_to_string(err, test)}")


def filter_warnings():
    warnings.filterwarnings("error")
    for kind in (ImportWarning, DeprecationWarning, PendingDeprecationWarning):
        warnings.filterwarnings("ignore", category=kind)
    for kind in (DeprecationWarning, PendingDeprecationWarning):
        warnings.filterwarnings("error", category=kind, module=r"(gustnado|tornado)\..*")


def main(module, path, seconds):
    faulthandler.dump_traceback_later(float(seconds), exit=True)
    filter_warnings()
    logging.basicConfig(level=logging.INFO)
    logging.getLogger("tornado.access").setLevel(logging.CRITICAL)
    with open(path, "w", encoding="utf-8") as file:
        unittest.defaultTestLoader.loadTestsFromName(module).run(Recorder(file))


if __name__ == "__main__":
    main(*sys.argv[1:])
