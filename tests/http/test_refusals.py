"""The log of what is refused stays short, and says what it leaves out; on a loop whose clock the test sets."""

from __future__ import annotations

import logging

from gustnado.http.limits import Limits
from gustnado.http.refusals import WINDOW, RefusalLog


def refuse(log: RefusalLog, times: int) -> None:
    for number in range(times):
        log.info("refused %d", number)


def test_the_first_lines_of_a_window_are_logged(loop, expect_log) -> None:
    log = RefusalLog(loop, most=3)
    with expect_log("gustnado.general", r"^refused [012]$", level=logging.INFO, count=3):
        refuse(log, 1000)


def test_the_others_are_one_line_at_its_end(loop, expect_log) -> None:
    log = RefusalLog(loop, most=3)
    with expect_log("gustnado.general", r"^refused [012]$", level=logging.INFO, count=3):
        refuse(log, 1000)
        loop.pass_time(WINDOW - 1)
    with expect_log("gustnado.general", r"^997 more refusals within 10 s", level=logging.INFO):
        loop.pass_time(1)
    loop.pass_time(10 * WINDOW)  # once is enough


def test_the_next_window_has_its_own_lines(loop, expect_log) -> None:
    log = RefusalLog(loop, most=3)
    for _ in range(2):
        with expect_log("gustnado.general", r"^refused [012]$|^1 more", level=logging.INFO, count=4):
            refuse(log, 4)
            loop.pass_time(WINDOW)


def test_fewer_than_that_are_logged_for_ever(loop, expect_log) -> None:
    log = RefusalLog(loop, most=3)
    with expect_log("gustnado.general", r"^refused", level=logging.INFO, count=30):
        for _ in range(10):
            refuse(log, 3)
            loop.pass_time(WINDOW)


def test_what_is_left_out_of_warnings_is_a_warning(loop, expect_log) -> None:
    log = RefusalLog(loop, most=1)
    with (
        expect_log("gustnado.general", r"^refused$|^2 more", level=logging.INFO, count=2),
        expect_log("gustnado.general", r"^2 more", level=logging.WARNING),
    ):
        log.info("refused")
        log.warning("failed")
        log.info("refused")
        loop.pass_time(WINDOW)
    with (
        expect_log("gustnado.general", r"^failed$", level=logging.WARNING),
        expect_log("gustnado.general", r"^failed$|^1 more", level=logging.INFO, count=2),
    ):
        log.warning("failed")
        log.info("refused")
        loop.pass_time(WINDOW)


def test_no_bound_is_none(loop, expect_log) -> None:
    log = RefusalLog(loop, most=0)
    with expect_log("gustnado.general", r"^refused", level=logging.INFO, count=1000):
        refuse(log, 1000)


def test_who_ends_tells_what_is_untold(loop, expect_log) -> None:
    log = RefusalLog(loop, most=1)
    with expect_log("gustnado.general", r"^refused 0$|^4 more", level=logging.INFO, count=2):
        refuse(log, 5)
        log.tell()
        log.tell()
    loop.pass_time(WINDOW)


def test_a_server_has_a_bound_by_default() -> None:
    assert Limits().max_refusals_logged == 100
