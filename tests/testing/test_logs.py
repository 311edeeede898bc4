"""What tests say about log records."""

from __future__ import annotations

import logging
import unittest

import pytest

from gustnado.testing import ExpectLog, LogTrapTestCase

SHOP = logging.getLogger("test.shop")


@pytest.fixture
def shop():
    """A logger, and the messages that reach its handler."""

    class Handler(logging.Handler):
        def emit(self, record):
            messages.append(record.getMessage())

    messages: list[str] = []
    handler = Handler()
    SHOP.addHandler(handler)
    yield messages
    SHOP.removeHandler(handler)
    assert not SHOP.filters


def test_a_record_that_matches_is_counted_and_not_logged(shop):
    with ExpectLog(SHOP, "no .*") as expected:
        SHOP.warning("no %s", "pears")
        SHOP.error("no apples")
    assert (expected.matched, shop) == (2, [])


def test_other_records_are_logged(shop):
    with ExpectLog("test.shop", "no .*"):
        SHOP.warning("no pears")
        SHOP.warning("there are no apples")  # only matched at its beginning
    assert shop == ["there are no apples"]


def test_afterwards_all_is_logged_again(shop):
    with ExpectLog(SHOP, "no .*"):
        SHOP.warning("no pears")
    SHOP.warning("no apples")
    assert shop == ["no apples"]


def test_a_record_that_does_not_come_is_an_error_that_says_which():
    with pytest.raises(
        AssertionError, match=r"did not get expected log message.*'test\.shop' matches 'no \.\*'"
    ):
        with ExpectLog(SHOP, "no .*"):
            pass


def test_a_record_that_is_not_required_may_be_missing():
    with ExpectLog(SHOP, "no .*", required=False) as expected:
        pass
    assert expected.matched == 0


def test_an_exception_of_the_block_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        with ExpectLog(SHOP, "no .*"):
            1 / 0  # noqa: B018


def test_a_level_is_enabled_within_the_block(shop):
    SHOP.setLevel(logging.ERROR)
    with ExpectLog(SHOP, "no .*", level=logging.DEBUG) as expected:
        SHOP.debug("no pears")
    level = SHOP.level
    SHOP.setLevel(logging.NOTSET)
    assert (expected.matched, level, shop) == (1, logging.ERROR, [])


def test_a_record_of_another_level_does_not_match(shop, expect_log):
    with expect_log("gustnado.application", r"'no pears' was logged at ERROR, not at WARNING"):
        with pytest.raises(AssertionError, match="did not get"):
            with ExpectLog(SHOP, "no .*", level=logging.WARNING):
                SHOP.error("no pears")
    assert shop == ["no pears"]


def test_records_below_warning_need_a_level():
    SHOP.setLevel(logging.INFO)
    expected = ExpectLog(SHOP, "no .*")
    try:
        with pytest.warns(DeprecationWarning, match="pass the level"):
            with expected:
                SHOP.info("no pears")
    finally:
        SHOP.setLevel(logging.NOTSET)
    assert expected.deprecated_level_matched == 1


def test_a_warning_among_them_will_do():
    SHOP.setLevel(logging.INFO)
    try:
        with ExpectLog(SHOP, "no .*"):
            SHOP.info("no pears")
            SHOP.warning("no pears")
    finally:
        SHOP.setLevel(logging.NOTSET)


def test_it_tells_whether_an_exception_was_logged(shop):
    with ExpectLog(SHOP, "no pears") as expected:
        SHOP.warning("no pears")
        assert not expected.logged_stack
        SHOP.warning("something else", exc_info=ValueError())
    assert expected.logged_stack


class Trapped(LogTrapTestCase):
    """Tests to be run by other tests; a runner finds none here."""

    def passing(self):
        logging.getLogger("test.trap").warning("one that passes")

    def failing(self):
        logging.getLogger("test.trap").warning("one that fails")
        self.fail()

    def breaking(self):
        logging.getLogger("test.trap").warning("one that breaks")
        raise OSError

    def with_a_part_that_fails(self):
        with self.subTest("a part"):
            logging.getLogger("test.trap").warning("a part that fails")
            self.fail()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("passing", []),
        ("failing", ["one that fails"]),
        ("breaking", ["one that breaks"]),
        ("with_a_part_that_fails", ["a part that fails"]),
    ],
)
def test_the_log_of_a_test_is_shown_if_it_fails(name, shown, caplog):
    result = Trapped(name).run(unittest.TestResult())
    assert (result.testsRun, result.wasSuccessful()) == (1, not shown)
    assert [record.getMessage() for record in caplog.records] == shown


def test_the_log_is_trapped_without_a_result_too(caplog):
    assert Trapped("passing").run().wasSuccessful()
    assert not caplog.records
