"""What tests say about log records: expected ones, and silence unless a test fails.

>>> import logging
>>> with ExpectLog("shop", "no stock of .*"):
...     logging.getLogger("shop").warning("no stock of %s", "pears")
"""

from __future__ import annotations

import logging
import re
import unittest
import warnings
from types import TracebackType
from typing import Any, cast

from gustnado.log import app_log

__all__ = ["ExpectLog", "LogTrapTestCase"]


class ExpectLog(logging.Filter):
    """A context manager that expects log records, and keeps them out of the log.

    :param logger: the logger, or its name; ``""`` is the root logger. Records of loggers below it are
        not seen.
    :param regex: a regular expression; it must match the message at its beginning.
    :param required: whether the block fails if no record matches.
    :param level: take records of this level only, and enable it on the logger within the block. Without it,
        records of any level match.
    :ivar matched: number of records that matched.
    :ivar deprecated_level_matched: number of those below WARNING that matched without a ``level``.
    :ivar logged_stack: whether any record of the block, matching or not, came with an exception.
    :raises AssertionError: at the end of the block, where ``required`` and nothing matched.

    Without a ``level``, a block that only records below WARNING satisfy ends with a
    :exc:`DeprecationWarning`: whether these are logged at all depends on how the tests are run.
    """

    def __init__(
        self,
        logger: logging.Logger | str,
        regex: str,
        required: bool = True,
        level: int | None = None,
    ) -> None:
        super().__init__()
        self.logger = logging.getLogger(logger) if isinstance(logger, str) else logger
        self.regex = re.compile(regex)
        self.required = required
        self.level = level
        self.matched = 0
        self.deprecated_level_matched = 0
        self.logged_stack = False
        self.orig_level: int | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        """Count a record, and say whether it is to be logged all the same: if it does not match."""
        if record.exc_info:
            self.logged_stack = True
        message = record.getMessage()
        if not self.regex.match(message):
            return True
        if self.level is None:
            self.deprecated_level_matched += record.levelno < logging.WARNING
        elif record.levelno != self.level:
            expected = logging.getLevelName(self.level)
            app_log.warning("%r was logged at %s, not at %s", message, record.levelname, expected)
            return True
        self.matched += 1
        return False

    def __enter__(self) -> ExpectLog:
        if self.level is not None and self.level < self.logger.getEffectiveLevel():
            self.orig_level = self.logger.level
            self.logger.setLevel(self.level)
        self.logger.addFilter(self)
        return self

    def __exit__(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.logger.removeFilter(self)
        if self.orig_level is not None:
            self.logger.setLevel(self.orig_level)
            self.orig_level = None
        if typ is not None or not self.required:
            return
        if not self.matched:
            raise AssertionError(
                f"did not get expected log message: none on logger {self.logger.name!r} matches "
                f"{self.regex.pattern!r}"
            )
        if self.deprecated_level_matched >= self.matched:
            warnings.warn(
                "ExpectLog matched only records below WARNING: pass the level that is expected",
                DeprecationWarning,
                stacklevel=2,
            )


class LogTrapTestCase(unittest.TestCase):
    """A test case whose log is shown only if it fails.

    It replaces the handlers of the root logger while a test runs; what they missed, they get afterwards.
    """

    def run(self, result: unittest.TestResult | None = None) -> unittest.TestResult | None:
        """Run the test, and log late what a failing one logged."""
        root = logging.getLogger()
        handlers, trap = root.handlers, _Trap()
        result = self.defaultTestResult() if result is None else result
        observer = _FailureObserver(result)
        root.handlers = [trap]
        try:
            super().run(cast(unittest.TestResult, observer))
        finally:
            root.handlers = handlers
            if observer.failed:
                for record in trap.records:
                    root.callHandlers(record)
        return result


class _Trap(logging.Handler):
    """Keeps records."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


class _FailureObserver:
    """A test result that notes whether anything failed; those of other runners do not tell."""

    def __init__(self, result: unittest.TestResult) -> None:
        self._result = result
        self.failed = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._result, name)

    def addError(self, *args: Any) -> None:
        self.failed = True
        self._result.addError(*args)

    def addFailure(self, *args: Any) -> None:
        self.failed = True
        self._result.addFailure(*args)

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: Any) -> None:
        self.failed = self.failed or err is not None
        self._result.addSubTest(test, subtest, err)
