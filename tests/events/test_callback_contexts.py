"""Contexts are entered around a function, the outermost first, and exceptions pass them outwards."""

from __future__ import annotations

import contextlib

import pytest

from gustnado.events.callback_contexts import frames, handle, run_in_contexts


class Recorder:
    """A context that notes what happens, and swallows exceptions of some type."""

    def __init__(self, name, log, swallows=()):
        self.name, self.log, self.swallows = name, log, swallows
        self.active = True

    @contextlib.contextmanager
    def enter(self):
        self.log.append(f"+{self.name}")
        try:
            yield
        except self.swallows:
            self.log.append(f"!{self.name}")
        finally:
            self.log.append(f"-{self.name}")


@pytest.fixture
def log():
    return []


@contextlib.contextmanager
def in_force(*contexts):
    token = frames.set(contexts)
    try:
        yield
    finally:
        frames.reset(token)


def fail(error):
    raise error


def test_without_contexts_it_is_an_ordinary_call():
    assert run_in_contexts(max, 1, 2) == 2
    with pytest.raises(OSError, match="disk"):
        run_in_contexts(fail, OSError("disk"))
    error = OSError("disk")
    assert handle(error) is error


def test_they_are_entered_outermost_first(log):
    with in_force(Recorder("outer", log), Recorder("inner", log)):
        assert run_in_contexts(lambda: log.append("call") or 42) == 42
    assert log == ["+outer", "+inner", "call", "-inner", "-outer"]


def test_one_that_is_not_active_is_left_out(log):
    off = Recorder("off", log)
    off.active = False
    with in_force(off, Recorder("on", log)):
        assert run_in_contexts(len, "ab") == 2
    assert log == ["+on", "-on"]


def test_the_innermost_that_swallows_an_exception_has_it(log):
    with in_force(Recorder("outer", log, OSError), Recorder("inner", log, OSError)):
        assert run_in_contexts(fail, OSError()) is None
        assert handle(OSError()) is None
    assert log == ["+outer", "+inner", "!inner", "-inner", "-outer"] * 2


def test_what_nobody_swallows_comes_out(log):
    with in_force(Recorder("outer", log, KeyError)):
        with pytest.raises(OSError, match="disk"):
            run_in_contexts(fail, OSError("disk"))
        error = OSError("disk")
        assert handle(error) is error


def test_a_context_that_fails_replaces_the_exception(log):
    class Failing(Recorder):
        @contextlib.contextmanager
        def enter(self):
            try:
                yield
            except OSError:
                raise KeyError("worse") from None

    with in_force(Failing("failing", log)):
        remaining = handle(OSError("disk"))
    assert isinstance(remaining, KeyError)
