"""What every test gets.

*No surprise in the logs.* A record of WARNING or above on ``gustnado.general`` or
``gustnado.application``, or of ERROR on ``asyncio`` (a task whose exception nobody looked at), fails
the test during which it appears. A test that provokes one says so::

    def test_reports_bad_input(expect_log):
        with expect_log("gustnado.general", "malformed"):
            ...

``gustnado.access`` is exempt: it repeats the status that the test itself asserts. A test that asks for
pytest's ``caplog`` looks at the records itself, so nothing is checked for it.

*No surprise in warnings.* Every warning is an error (``filterwarnings`` in pyproject.toml), that of an
unclosed socket included.

*No endless test.* ``run(coroutine)`` is ``asyncio.run`` with a deadline.

*No test of the machine's speed.* What asyncio's debug mode says of callbacks that took long is dropped, and
hypothesis neither times examples nor how they are drawn: in CI it does not by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import logging
import os
import re
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings

T = TypeVar("T")

WATCHED = {
    "gustnado.general": logging.WARNING,
    "gustnado.application": logging.WARNING,
    "asyncio": logging.ERROR,
}
DEADLINE = 100.0  # seconds; far above what any test takes, so that only a hang meets it

if "CI" not in os.environ:
    settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("untimed")


def is_no_timing(record: logging.LogRecord) -> bool:
    """Whether a record of asyncio's says more than that a callback took long."""
    return not str(record.msg).startswith("Executing ")  # uvloop has put its words together already


logging.getLogger("asyncio").addFilter(is_no_timing)


class LogWatch(logging.Handler):
    """Keeps the records of the loggers that it is added to."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def lines(self) -> list[str]:
        """The records, each as a line."""
        return [f"{record.name} {record.levelname}: {record.getMessage()}" for record in self.records]


@contextlib.contextmanager
def watching(logger: logging.Logger, level: int) -> Iterator[LogWatch]:
    """Collects what is logged on ``logger`` and below it, from ``level`` on, which is switched on for it."""
    watch = LogWatch()
    before = logger.level
    if not logger.isEnabledFor(level):
        logger.setLevel(level)
    logger.addHandler(watch)
    try:
        yield watch
    finally:
        logger.removeHandler(watch)
        logger.setLevel(before)


@pytest.fixture(autouse=True)
def log_watch(request: pytest.FixtureRequest) -> Iterator[LogWatch]:
    """Fails a test during which an unexpected record is logged."""
    watch = LogWatch()
    for name in WATCHED:
        logging.getLogger(name).addHandler(watch)
    try:
        yield watch
    finally:
        for name in WATCHED:
            logging.getLogger(name).removeHandler(watch)
    watch.records = [record for record in watch.records if record.levelno >= WATCHED[record.name]]
    if watch.records and "caplog" not in request.fixturenames:
        pytest.fail("unexpected log records:\n" + "\n".join(watch.lines()), pytrace=False)


@pytest.fixture
def expect_log(log_watch: LogWatch) -> Callable[..., AbstractContextManager[LogWatch]]:
    """``with expect_log(logger, pattern, level=logging.WARNING, count=1):`` asserts log records.

    Exactly ``count`` records of ``level`` or above, whose message matches the regular expression
    ``pattern`` somewhere, must be logged on ``logger`` (a name or a logger) within the block. The context
    manager gives an object whose ``records`` are all those of the block; the matching ones are no surprise.
    """

    @contextlib.contextmanager
    def expect(
        logger: str | logging.Logger, pattern: str, *, level: int = logging.WARNING, count: int = 1
    ) -> Iterator[LogWatch]:
        target = logging.getLogger(logger) if isinstance(logger, str) else logger
        with watching(target, level) as seen:
            yield seen
        matching = [r for r in seen.records if r.levelno >= level and re.search(pattern, r.getMessage())]
        log_watch.records = [record for record in log_watch.records if record not in matching]
        if len(matching) != count:
            pytest.fail(
                f"{len(matching)} records match {pattern!r}, not {count}: {seen.lines()}", pytrace=False
            )

    return expect


@pytest.fixture
def run() -> Callable[[Coroutine[Any, Any, T]], T]:
    """``run(coroutine)`` runs it in a new event loop, gives its result, and fails if it hangs."""
    return lambda coroutine: asyncio.run(asyncio.wait_for(coroutine, DEADLINE))


@pytest.fixture
def until() -> Callable[[Callable[[], object]], Coroutine[Any, Any, None]]:
    """``await until(condition)`` waits until it is true, which something that is on its way brings about."""

    async def wait(condition: Callable[[], object]) -> None:
        while not condition():
            await asyncio.sleep(0.001)

    return wait


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser, see ``chromium.py``; skipped where none is installed, which is a failure in CI.

    No longer than for a module: the thread that keeps its connection draws random numbers now and then, which
    hypothesis takes for those of a test.
    """
    spec = importlib.util.spec_from_file_location("chromium_driver", Path(__file__).with_name("chromium.py"))
    assert spec is not None and spec.loader is not None  # tests are no packages, so that it is not simply imported
    driver = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(driver)
    executable = driver.find_chromium()
    if executable is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("chromium is not installed: apt install chromium")
    with driver.Chromium(executable) as browser:
        yield browser
