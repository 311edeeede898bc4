from __future__ import annotations

import asyncio
import selectors
import sys

import pytest

from gustnado.errors import UsageError
from gustnado.events import loop_choice
from gustnado.events.loop_choice import LOOP_NAMES, LOOP_VARIABLE, best_factory, describe, loop_factory


@pytest.fixture(autouse=True)
def no_variable(monkeypatch):
    monkeypatch.delenv(LOOP_VARIABLE, raising=False)


def class_made_by(factory):
    loop = factory()
    loop.close()
    return type(loop)


@pytest.mark.parametrize("name", LOOP_NAMES)
def test_each_name_makes_a_loop_or_says_why_not(name):
    try:
        factory = loop_factory(name)
    except UsageError as exc:
        assert name in str(exc)
    else:
        assert issubclass(class_made_by(factory), asyncio.AbstractEventLoop)


def test_uvloop_is_the_best_where_it_is_installed():
    uvloop = pytest.importorskip("uvloop")
    assert class_made_by(best_factory()) is uvloop.Loop


def test_asyncio_is_the_best_without_uvloop(monkeypatch):
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert class_made_by(best_factory()).__module__.startswith("asyncio.")
    with pytest.raises(UsageError, match="'uvloop' is not installed"):
        loop_factory("uvloop")


def test_what_is_configured_beats_the_best():
    assert class_made_by(best_factory(asyncio.SelectorEventLoop)) is asyncio.SelectorEventLoop


def test_the_environment_beats_what_is_configured(monkeypatch):
    monkeypatch.setenv(LOOP_VARIABLE, "select")
    loop = best_factory(lambda: pytest.fail("not asked for"))()
    assert describe(loop) == "asyncio (select)"
    loop.close()


def test_a_wrong_variable_is_named(monkeypatch):
    monkeypatch.setenv(LOOP_VARIABLE, "fastest")
    with pytest.raises(UsageError, match="GUSTNADO_LOOP: unknown event loop 'fastest'"):
        best_factory()


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="Python 3.14 has no policies")
def test_a_policy_of_the_program_is_honoured(monkeypatch):
    class Loop(asyncio.SelectorEventLoop):
        pass

    class Policy(asyncio.DefaultEventLoopPolicy):
        _loop_factory = Loop

    monkeypatch.setattr(asyncio, "get_event_loop_policy", Policy)
    assert class_made_by(best_factory()) is Loop


def test_a_dotted_path_names_a_class_or_a_function():
    assert class_made_by(loop_factory("asyncio.SelectorEventLoop")) is asyncio.SelectorEventLoop
    with pytest.raises(UsageError, match="cannot be imported"):
        loop_factory("no.such.loop")
    with pytest.raises(UsageError, match="is not callable"):
        loop_factory("sys.path")


def test_a_factory_is_itself():
    assert loop_factory(asyncio.SelectorEventLoop) is asyncio.SelectorEventLoop


def test_a_selector_of_another_platform_is_an_error(monkeypatch):
    monkeypatch.delattr(selectors, "EpollSelector", raising=False)
    with pytest.raises(UsageError, match="'epoll' does not exist"):
        loop_factory("epoll")


def test_descriptions_name_the_version_and_the_poller():
    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    assert describe(loop) == "asyncio (select)"
    loop.close()
    uvloop = pytest.importorskip("uvloop")
    loop = uvloop.new_event_loop()
    assert describe(loop) in (f"uvloop {uvloop.__version__} (epoll)", f"uvloop {uvloop.__version__} (kqueue)")
    loop.close()


def test_a_strange_loop_is_described_by_its_class():
    class Strange(asyncio.AbstractEventLoop):
        pass

    assert loop_choice.describe(Strange()).endswith("(Strange)")
