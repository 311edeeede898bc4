"""The tree of errors: who is whose kind, and what they carry."""

from __future__ import annotations

import inspect

import pytest

from gustnado import errors


def test_every_error_is_listed_and_below_the_root():
    found = {name for name, value in vars(errors).items() if inspect.isclass(value)}
    assert found == set(errors.__all__)
    assert all(issubclass(getattr(errors, name), errors.GustnadoError) for name in found)


def test_the_tree_in_the_docstring_is_the_real_one():
    """Read by indentation: each name's parent is the last one that stands further left."""
    parents: list[tuple[int, str]] = []
    drawn = {}
    for line in (errors.__doc__ or "").split("::", 1)[1].split("\n\nErrors that", 1)[0].splitlines():
        words = line.replace("|", " ").replace("`", " ").replace("--", " ").split()
        if not words:
            continue
        column = line.index(words[0])
        parents = [(at, name) for at, name in parents if at < column]
        drawn[words[0]] = parents[-1][1] if parents else "Exception"
        parents.append((column, words[0]))
    assert drawn == {name: getattr(errors, name).__bases__[0].__name__ for name in errors.__all__}


@pytest.mark.parametrize("error", [errors.ProtocolError, errors.HTTPInputError])
def test_protocol_errors_carry_a_status(error):
    assert error("bad").status == 400
    assert error("too long", status=431).status == 431
    assert str(error("too long", status=431)) == "too long"


def test_a_closed_stream_is_an_oserror_and_tells_its_cause():
    cause = ConnectionResetError("reset by peer")
    error = errors.StreamClosedError(cause)
    assert isinstance(error, OSError)
    assert error.real_error is cause
    assert errors.StreamClosedError().real_error is None
    assert str(error) == "Stream is closed"


def test_blame_is_told_apart():
    for blame, other in (
        (errors.HTTPInputError, errors.UsageError),
        (errors.HTTPOutputError, errors.ProtocolError),
        (errors.StreamBufferFullError, errors.ProtocolError),
    ):
        assert not issubclass(blame, other)
