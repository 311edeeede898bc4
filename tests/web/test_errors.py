from __future__ import annotations

import copy
import pickle

import pytest

from gustnado.errors import GustnadoError
from gustnado.web.errors import Finish, HTTPError, MissingArgumentError, clean_reason


def test_all_are_gustnados():
    for error in (HTTPError(), Finish(), MissingArgumentError("x")):
        assert isinstance(error, GustnadoError)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (HTTPError(), "HTTP 500: Internal Server Error"),
        (HTTPError(404), "HTTP 404: Not Found"),
        (HTTPError(682), "HTTP 682: Unknown"),
        (HTTPError(682, reason="Foo"), "HTTP 682: Foo"),
        (HTTPError(400, "no %s", "x"), "HTTP 400: Bad Request (no x)"),
        (HTTPError(400, "100%"), "HTTP 400: Bad Request (100%)"),
        (MissingArgumentError("a%b"), "HTTP 400: Bad Request (Missing argument a%b)"),
    ],
)
def test_says_what_it_is(error, text):
    assert str(error) == text


def test_log_message_is_always_a_format_for_args():
    plain, formatted = HTTPError(400, "100%"), HTTPError(400, "%d%%", 100)
    assert plain.log_message == "100%%"
    assert formatted.log_message == "%d%%"
    for error in (plain, formatted):
        assert error.log_message is not None
        assert error.log_message % error.args == error.get_message() == "100%"
    assert HTTPError(400).log_message is None


@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
@pytest.mark.parametrize(
    "error", [HTTPError(403, "no %s", "x", reason="Go away"), MissingArgumentError("q"), HTTPError(500)]
)
def test_can_be_copied(error, clone):
    twin = clone(error)
    assert type(twin) is type(error)
    assert vars(twin) == vars(error)
    assert (twin.args, str(twin)) == (error.args, str(error))


@pytest.mark.parametrize("reason", ["OK\r\nX-Injected: 1", "a\nb", "a\0b", "<script>", "\u2028", "a\x7f"])
def test_t23_a_reason_that_may_not_be_sent_is_replaced(reason):
    assert HTTPError(400, reason=reason).reason == "Unknown"
    assert clean_reason(reason) == "Unknown"


@pytest.mark.parametrize("reason", ["Not Found", "", "caf\xe9", "a\tb"])
def test_other_reasons_stay(reason):
    assert HTTPError(400, reason=reason).reason == reason
