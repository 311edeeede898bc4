"""What a fetch fails with: Tornado's classes, codes and texts, and whose fault it is."""

from __future__ import annotations

import copy
import pickle

import pytest

from gustnado.errors import GustnadoError, UnsatisfiableReadError, UsageError
from gustnado.http.client import errors
from gustnado.http.client.errors import (
    HTTPClientError,
    HTTPStreamClosedError,
    HTTPTimeoutError,
    ResponseHeadTooLargeError,
    UnknownMethodError,
)

CLASSES = [getattr(errors, name) for name in errors.__all__]


@pytest.mark.parametrize("kind", CLASSES)
def test_all_have_the_root(kind):
    assert issubclass(kind, GustnadoError)
    assert issubclass(kind, HTTPClientError) != issubclass(kind, UsageError)
    if issubclass(kind, UsageError):
        assert issubclass(kind, ValueError)


def test_a_status():
    error = HTTPClientError(404)
    assert (str(error), repr(error), error.response) == ("HTTP 404: Not Found",) * 2 + (None,)
    assert str(HTTPClientError(404, "Gone fishing")) == "HTTP 404: Gone fishing"
    assert str(HTTPClientError(299)) == "HTTP 299: Unknown"


@pytest.mark.parametrize("kind", [k for k in CLASSES if issubclass(k, (HTTPTimeoutError, HTTPStreamClosedError))])
def test_without_a_response_the_code_is_599(kind):
    error = kind("it broke")
    assert (error.code, error.message, str(error), error.response) == (599, "it broke", "it broke", None)


@pytest.mark.parametrize("error", [HTTPClientError(404), HTTPTimeoutError("late"), ResponseHeadTooLargeError("big")])
def test_copies_are_alike(error):
    for other in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert type(other) is type(error)
        assert (other.code, str(other)) == (error.code, str(error))


def test_a_head_that_is_too_large_is_what_tornado_raises():
    error = ResponseHeadTooLargeError("big")
    assert isinstance(error, UnsatisfiableReadError)
    assert error.status == 431


def test_an_unknown_method_reads_well():
    error = UnknownMethodError("unknown method 'X'")
    assert isinstance(error, KeyError)
    assert str(error) == "unknown method 'X'"
